"""A face is somebody, nobody we know, or not good enough to say."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.events import FaceShot, IdentityDecided
from mien.contracts.models import FACE_EMBEDDER
from mien.contracts.recognition import Calibration, Denial, TrackVector
from services.recognizer.gallery import Gallery, Match
from services.recognizer.pipeline import (
    Thresholds,
    Vote,
    add_shot,
    decide,
    is_new,
    is_strangers_visit,
    judge,
    mean_vector,
    member_id_of,
)
from tests.samples import QUALITY, face_shot
from tests.unit.recognizer.people import ADA, BOB, DIMENSIONS, template, unit

THRESHOLDS = Thresholds(accept_similarity=0.9, margin=0.02, min_quality=0.3, reject_similarity=0.85)
WATCHFUL = replace(THRESHOLDS, disagree_similarity=0.5)
MODEL = {"model": "face_embedder", "model_version": 1, "thresholds": THRESHOLDS}


def denial(person_id: str, vector: NDArray[np.float32]) -> Denial:
    looks = TrackVector(model="face_embedder", model_version=1, vector=vector.tobytes())
    return Denial(track_id=f"t-{person_id}", person_id=person_id, denied_at_ns=1, vector=looks)


GALLERY = Gallery([template("ada", ADA), template("bob", BOB)], dimensions=DIMENSIONS, generation=5)


def shot(number: int, quality: float = 0.8) -> FaceShot:
    return face_shot(shot_number=number, quality=msgspec.structs.replace(QUALITY, score=quality))


def run(
    *vectors: NDArray[np.float32],
    quality: float = 0.8,
    gallery: Gallery = GALLERY,
    thresholds: Thresholds = THRESHOLDS,
) -> list[IdentityDecided]:
    return [event for _, event in votes(*vectors, quality=quality, gallery=gallery, thresholds=thresholds)]


def votes(
    *vectors: NDArray[np.float32],
    quality: float = 0.8,
    gallery: Gallery = GALLERY,
    thresholds: Thresholds = THRESHOLDS,
) -> list[tuple[Vote, IdentityDecided]]:
    vote: Vote | None = None
    decided = []
    for number, vector in enumerate(vectors, start=1):
        vote = add_shot(
            vote, shot(number, quality), vector, model="face_embedder", model_version=1, thresholds=thresholds
        )
        vote, event = decide(vote, shot(number, quality), gallery, thresholds)
        decided.append((vote, event))
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
    events = run(ADA, ADA, BOB)
    assert events[1].state == "confirmed"
    assert (events[2].answer, events[2].state) == ("unknown", "revised")


def test_between_the_thresholds_nothing_can_be_said() -> None:
    """Neither somebody nor a stranger: not clear enough."""
    answers = [
        judge(Match("ada", s, -1), best_quality=0.9, thresholds=THRESHOLDS)[0] for s in (0.84, 0.86, 0.9)
    ]
    assert answers == ["unknown", "unclear", "known"]


def test_shot_of_somebody_else_restarts_the_vote() -> None:
    """When the tracker goes over to another face, nothing of the first person sticks to the second."""
    (_, _, (vote, event), (_, last)) = votes(ADA, ADA, BOB, BOB, thresholds=WATCHFUL)
    assert (event.answer, event.person_id, event.state) == ("known", "bob", "revised")
    assert (vote.shots, vote.restarts) == (1, 1)
    assert mean_vector(vote) @ ADA == pytest.approx(0)
    assert (last.person_id, last.state) == ("bob", "confirmed")


def test_switch_from_a_known_person_to_a_stranger_carries_no_name_over() -> None:
    """The one who came into the track without a name gets none."""
    events = run(ADA, ADA, unit(0, 0, 1), unit(0, 0, 1), thresholds=WATCHFUL)
    assert [event.person_id for event in events] == ["ada", "ada", None, None]
    assert [event.state for event in events[2:]] == ["revised", "confirmed"]


def test_poor_view_restarts_nothing() -> None:
    """A blur that resembles nobody says nothing about who it is."""
    vote = add_shot(None, shot(1, 0.9), ADA, **MODEL)  # type: ignore[arg-type]
    poor = add_shot(vote, shot(2, 0.1), BOB, model="face_embedder", model_version=1, thresholds=WATCHFUL)
    assert (poor.shots, poor.restarts) == (2, 0)


def test_each_person_of_a_track_is_a_visit_of_its_own() -> None:
    """A track that held two strangers counts for both."""
    ids = [member_id_of("t", vote) for vote, _ in votes(ADA, BOB, thresholds=WATCHFUL)]
    assert ids == ["t", "t/1"]


def test_person_whom_others_resemble_has_a_threshold_of_their_own() -> None:
    """Stricter for one, unchanged for the others, and never laxer."""
    strict = replace(THRESHOLDS, person_thresholds={"ada": 0.97, "bob": 0.5})
    assert judge(Match("ada", 0.95, -1), best_quality=0.9, thresholds=strict) == ("unclear", None)
    assert judge(Match("cyd", 0.95, -1), best_quality=0.9, thresholds=strict) == ("known", "cyd")
    assert judge(Match("bob", 0.88, -1), best_quality=0.9, thresholds=strict) == ("unclear", None)


def test_similarity_is_the_mean_of_the_shots() -> None:
    """More shots don't make a stranger look more like somebody."""
    one, two = unit(1.0, 1.0, 1.0), unit(1.0, 1.0, -1.0)
    events = run(one, two)
    assert events[1].similarity == events[0].similarity


def test_face_that_was_denied_is_not_named_again() -> None:
    """One click says that it is not Ada; her own face is still hers, and her look-alike's is his."""
    stranger = unit(1.0, 0.3)
    gallery = Gallery(
        [template("ada", ADA), template("bob", unit(1.0, 0.42))],
        dimensions=DIMENSIONS,
        generation=1,
        denials=[denial("ada", stranger), denial("bob", stranger)],
    )
    assert gallery.nearest(stranger).person_id is None
    assert gallery.nearest(ADA).person_id == "ada"
    only_ada = Gallery(
        [template("ada", ADA), template("bob", unit(1.0, 0.42))],
        dimensions=DIMENSIONS,
        generation=1,
        denials=[denial("ada", stranger)],
    )
    assert only_ada.nearest(stranger).person_id == "bob"


def test_denial_without_a_vector_teaches_nothing() -> None:
    """When what the track looked like is no longer known, only the sighting is corrected."""
    gallery = Gallery(
        [template("ada", ADA)],
        dimensions=DIMENSIONS,
        generation=1,
        denials=[Denial(track_id="t", person_id="ada", denied_at_ns=1)],
    )
    assert gallery.nearest(ADA).person_id == "ada"


def test_inactive_person_is_neither_named_nor_remembered_as_a_stranger() -> None:
    """Whoever asked not to be recognised is not followed under another name either."""
    gallery = Gallery(
        [template("ada", ADA), template("bob", BOB)],
        dimensions=DIMENSIONS,
        generation=1,
        inactive_people={"ada"},
    )
    (_, (vote, event)) = votes(ADA, ADA, gallery=gallery)
    assert (event.answer, event.person_id) == ("unknown", None)
    assert not is_strangers_visit(vote, gallery, THRESHOLDS)
    assert is_strangers_visit(vote, Gallery([], dimensions=DIMENSIONS, generation=1), THRESHOLDS)


def test_one_view_makes_no_stranger() -> None:
    """Two views must agree before somebody is remembered."""
    (first, _), (second, _) = votes(unit(0, 0, 1), unit(0, 0, 1))
    assert [is_strangers_visit(vote, GALLERY, THRESHOLDS) for vote in (first, second)] == [False, True]


def test_operators_threshold_goes_before_the_calibrated_one() -> None:
    """What somebody set by hand is not overruled; without it the gallery's own threshold holds."""
    calibration = Calibration(
        embedder=FACE_EMBEDDER.name, model_version=1, false_accept_rate=0.001, accept_similarity=0.951,
        reject_similarity=0.941, calibrated_at_ns=1, person_thresholds={"ada": 0.97},
    )  # fmt: skip

    def accept(by_hand: float | None, calibrated: Calibration | None) -> float:
        return Thresholds.for_embedder(
            FACE_EMBEDDER, accept_similarity=by_hand, min_quality=0.3, calibration=calibrated
        ).accept_for("ada")

    assert accept(0.93, calibration) == 0.93
    assert accept(None, calibration) == 0.97
    assert accept(None, None) == FACE_EMBEDDER.accept_similarity


def test_good_shots_count_more_than_poor_ones() -> None:
    """The vote leans to the shot with the better view."""
    vote = add_shot(None, shot(1, 0.9), ADA, **MODEL)  # type: ignore[arg-type]
    vote = add_shot(vote, shot(2, 0.1), BOB, **MODEL)  # type: ignore[arg-type]
    mean = mean_vector(vote)
    assert [float(mean @ ADA), float(mean @ BOB)] == pytest.approx([0.9, 0.1])


def test_replayed_shot_adds_nothing() -> None:
    """A shot read twice is recognised by its number."""
    vote = add_shot(None, shot(3), ADA, **MODEL)  # type: ignore[arg-type]
    assert not is_new(vote, shot(3), model="face_embedder", model_version=1)
    assert not is_new(vote, shot(2), model="face_embedder", model_version=1)
    assert is_new(vote, shot(4), model="face_embedder", model_version=1)


def test_vote_of_another_embedder_is_begun_anew() -> None:
    """Vectors of two models are never added up."""
    old = add_shot(None, shot(5), BOB, model="face_embedder_faceres", model_version=1, thresholds=THRESHOLDS)
    new = add_shot(old, shot(6), ADA, **MODEL)  # type: ignore[arg-type]
    assert (new.shots, new.model) == (1, "face_embedder")
    assert mean_vector(new) @ ADA == pytest.approx(1)


def test_replay_repeats_the_event_id() -> None:
    """Merging a repeated decision changes nothing."""
    assert run(ADA)[0].event_id == run(ADA)[0].event_id != run(ADA, ADA)[1].event_id


def test_similarity_is_rounded() -> None:
    """A few hundred exact scores would rebuild a face."""
    assert run(unit(1.0, 0.1234))[0].similarity == pytest.approx(0.99)
