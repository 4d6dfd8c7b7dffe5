"""A face is somebody, nobody we know, or not good enough to say."""

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.events import FaceShot, IdentityDecided
from mien.contracts.shared_state import Template
from services.recognizer.gallery import Gallery, Match
from services.recognizer.pipeline import Thresholds, Vote, add_shot, decide, is_new, judge, mean_vector
from tests.samples import QUALITY, face_shot

DIMENSIONS = 8
THRESHOLDS = Thresholds(accept_similarity=0.9, margin=0.02, min_quality=0.3)
MODEL = {"model": "face_embedder", "model_version": 1}


def unit(*values: float) -> NDArray[np.float32]:
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    vector[: len(values)] = values
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def template(person_id: str, vector: NDArray[np.float32]) -> Template:
    return Template(
        template_id=f"t-{person_id}",
        person_id=person_id,
        photo_id="ph",
        model="face_embedder",
        model_version=1,
        vector=vector.tobytes(),
    )


ADA, BOB = unit(1.0), unit(0.0, 1.0)
GALLERY = Gallery([template("ada", ADA), template("bob", BOB)], dimensions=DIMENSIONS, generation=5)


def shot(number: int, quality: float = 0.8) -> FaceShot:
    return face_shot(shot_number=number, quality=msgspec.structs.replace(QUALITY, score=quality))


def run(
    *vectors: NDArray[np.float32], quality: float = 0.8, gallery: Gallery = GALLERY
) -> list[IdentityDecided]:
    vote: Vote | None = None
    decided = []
    for number, vector in enumerate(vectors, start=1):
        vote = add_shot(vote, shot(number, quality), vector, **MODEL)  # type: ignore[arg-type]
        vote, event = decide(vote, shot(number, quality), gallery, THRESHOLDS)
        decided.append(event)
    return decided


def test_first_shot_is_provisional_and_the_second_confirms() -> None:
    """A name appears at once and is trusted when two views agree."""
    events = run(ADA, unit(1.0, 0.1))
    assert [(event.answer, event.person_id, event.state) for event in events] == [
        ("known", "ada", "provisional"),
        ("known", "ada", "confirmed"),
    ]


def test_stranger_stays_unknown() -> None:
    """Somebody far from everyone enrolled is nobody we know."""
    assert [event.answer for event in run(unit(0, 0, 1), unit(0, 0, 1))] == ["unknown", "unknown"]


def test_empty_gallery_knows_nobody_and_claims_no_similarity() -> None:
    """Before anyone is enrolled everybody is unknown."""
    (event,) = run(ADA, gallery=Gallery([], dimensions=DIMENSIONS, generation=0))
    assert (event.answer, event.person_id, event.similarity) == ("unknown", None, None)


def test_poor_view_of_nobody_in_particular_is_unclear() -> None:
    """A bad picture can't prove that somebody is a stranger."""
    assert run(unit(0, 0, 1), quality=0.1)[0].answer == "unclear"


def test_face_between_two_people_is_unclear() -> None:
    """Without a clear winner nobody is named."""
    assert judge(Match("ada", 0.95, 0.94), best_quality=0.9, thresholds=THRESHOLDS) == ("unclear", None)


def test_confirmed_name_that_changes_is_revised() -> None:
    """The screen is told that what it was sure of was wrong."""
    events = run(ADA, ADA, BOB * 1.0, BOB, BOB, BOB, BOB, BOB, BOB, BOB, BOB, BOB, BOB, BOB, BOB)
    changes = [event.state for event in events if event.person_id != "ada"]
    assert events[1].state == "confirmed"
    assert changes[0] == "revised"


def test_good_shots_count_more_than_poor_ones() -> None:
    """The vote leans to the shot with the better view."""
    vote = add_shot(None, shot(1, 0.9), ADA, **MODEL)  # type: ignore[arg-type]
    vote = add_shot(vote, shot(2, 0.1), BOB, **MODEL)  # type: ignore[arg-type]
    mean = mean_vector(vote)
    assert mean @ ADA > 0.98 > mean @ BOB
    assert np.linalg.norm(mean) == pytest.approx(1)


def test_replayed_shot_adds_nothing() -> None:
    """A shot read twice is recognised by its number."""
    vote = add_shot(None, shot(3), ADA, **MODEL)  # type: ignore[arg-type]
    assert not is_new(vote, shot(3), **MODEL)  # type: ignore[arg-type]
    assert not is_new(vote, shot(2), **MODEL)  # type: ignore[arg-type]
    assert is_new(vote, shot(4), **MODEL)  # type: ignore[arg-type]


def test_vote_of_another_embedder_is_begun_anew() -> None:
    """Vectors of two models are never added up."""
    old = add_shot(None, shot(5), BOB, model="face_embedder_faceres", model_version=1)
    new = add_shot(old, shot(6), ADA, **MODEL)  # type: ignore[arg-type]
    assert (new.shots, new.model) == (1, "face_embedder")
    assert mean_vector(new) @ ADA == pytest.approx(1)


def test_replay_repeats_the_event_id() -> None:
    """Merging a repeated decision changes nothing."""
    assert run(ADA)[0].event_id == run(ADA)[0].event_id != run(ADA, ADA)[1].event_id


def test_similarity_is_rounded() -> None:
    """A few hundred exact scores would rebuild a face."""
    assert run(unit(1.0, 0.1234))[0].similarity == pytest.approx(0.99)


def test_template_of_another_size_is_left_out_and_counted() -> None:
    """A vector of another embedder can't be compared and isn't."""
    gallery = Gallery(
        [template("ada", ADA), template("eve", np.ones(3, dtype=np.float32))],
        dimensions=DIMENSIONS,
        generation=1,
    )
    assert (len(gallery), gallery.ignored) == (1, 1)


def test_the_gallery_lists_whom_it_accepts_the_nearest_first() -> None:
    """Each person once, and nobody below the threshold."""
    gallery = Gallery(
        [
            template("ada", ADA),
            template("ada", unit(1.0, 0.2)),
            template("bob", unit(1.0, 0.4)),
            template("cleo", BOB),
        ],
        dimensions=DIMENSIONS,
        generation=1,
    )
    assert gallery.accepted(ADA, 0.9) == ["ada", "bob"]
    assert gallery.accepted(unit(0.0, 0.0, 1.0), 0.9) == []
    assert gallery.people == {"ada", "bob", "cleo"}
    assert Gallery([], dimensions=DIMENSIONS, generation=1).accepted(ADA, 0.9) == []
