"""Who is named, in a gallery of three people whose vectors are drawn by hand."""

from pathlib import Path

import numpy as np
import pytest

from mien.evaluate.identity.data import Enrolled, reported, tuning
from mien.evaluate.identity.embeddings import Face, Vectors
from mien.evaluate.identity.identification import (
    Answers,
    Templates,
    closed_set_accuracies,
    threshold_at,
    tracks_of,
)

ANGLES = {  # degrees; people lie 90 apart
    "ada1": 0, "ada2": 10, "ada3": 50, "bo1": 90, "bo2": 95, "cy1": 180, "cy2": 185,
    "stranger": 230, "turned": 60,
}  # fmt: skip


def face(name: str, quality: float = 1.0) -> Face:
    return Face(f"/{name}", (0, 0, 1, 1), (), quality)


def paths(*names: str) -> tuple[Path, ...]:
    return tuple(Path(f"/{name}") for name in names)


@pytest.fixture
def vectors() -> Vectors:
    radians = np.deg2rad(list(ANGLES.values()))
    values = np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)
    return Vectors([face(name, 0.1 if name == "turned" else 1.0) for name in ANGLES], values)


PEOPLE = {
    "ada": Enrolled(paths("ada1"), paths("ada2", "ada3")),
    "bo": Enrolled(paths("bo1"), paths("bo2")),
    "cy": Enrolled(paths("cy1"), paths("cy2", "missing")),
}


def test_the_nearest_template_decides(vectors: Vectors) -> None:
    """ada3 lies nearer to bo; a picture without a face is nobody's, and counts as wrong."""
    answers = Templates(PEOPLE, vectors).ask_known()
    assert answers.right.tolist() == [True, False, True, True, False]
    named = answers.named(accept_similarity=0.9, margin=0.0)
    assert named.tolist() == [True, False, True, True, False]


def test_shots_of_a_track_are_added_up(vectors: Vectors) -> None:
    """Two views of ada together are ada, though one of them alone is not."""
    answers = Templates({"ada": PEOPLE["ada"], "bo": PEOPLE["bo"]}, vectors).ask_known(shots=2)
    assert answers.right.tolist() == [True, True]


def test_a_poor_view_weighs_less(vectors: Vectors) -> None:
    good, poor = paths("ada1", "turned")
    (track,) = vectors.of_tracks([[good, poor]])
    angle = float(np.rad2deg(np.arctan2(track[1], track[0])))
    assert 0 < angle < 10


def test_a_track_without_a_face_is_nobodys(vectors: Vectors) -> None:
    assert vectors.of_tracks([paths("missing")]).tolist() == [[0.0, 0.0]]


def test_a_person_without_an_enrolled_face_is_never_named(vectors: Vectors) -> None:
    people = {**PEOPLE, "dee": Enrolled(paths("missing"), paths("stranger"))}
    assert not Templates(people, vectors).ask_known().right[-1]


def test_threshold_names_no_more_strangers_than_it_may() -> None:
    similarities = np.array([0.9, 0.8, 0.7, 0.6])
    strangers = Answers(similarities, leads=np.array([0.0, 0.2, 0.2, 0.2]), right=np.zeros(4, bool))
    for rate, margin, named in ((0.0, 0.0, 0), (0.25, 0.0, 1), (0.5, 0.0, 2), (0.25, 0.1, 1), (1.0, 0.0, 4)):
        threshold = threshold_at(strangers, margin=margin, false_accept_rate=rate)
        assert strangers.named(accept_similarity=threshold, margin=margin).sum() == named


def test_closed_sets_are_drawn_the_same_way_each_time(vectors: Vectors) -> None:
    draws = [closed_set_accuracies(PEOPLE, vectors, size=2, draws=20, seed=3) for _ in range(2)]
    assert draws[0] == draws[1]
    assert len(set(draws[0])) > 1


def test_tracks_keep_all_pictures() -> None:
    assert tracks_of(paths("a", "b", "c"), shots=2) == [paths("a", "b"), paths("c")]


def test_nobody_is_chosen_on_and_reported() -> None:
    people = dict.fromkeys("abcde", 0)
    assert sorted(tuning(people) | reported(people)) == sorted(people)
    assert not tuning(people).keys() & reported(people).keys()
