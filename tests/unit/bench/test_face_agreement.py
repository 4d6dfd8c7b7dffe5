"""What counts as the same face, as found, as right."""

import numpy as np
import pytest

from mien.bench.face_agreement import Agreement, Score, has_face_in_the_middle
from mien.contracts.find_faces import FacesFound

POINTS = [(10.0, 10.0)] * 5


def found(*boxes: tuple[float, float, float, float], score: float = 0.99, shift: float = 0) -> FacesFound:
    points = [[(x + shift, y) for x, y in POINTS]] * len(boxes)
    return FacesFound(
        path="a.jpg",
        size_wh=(200, 100),
        boxes_xyxy=list(boxes),
        scores=[score] * len(boxes),
        landmarks_xy=points,
    )


def test_a_face_found_roughly_is_found_but_not_closely() -> None:
    agreement = Agreement()
    agreement.add(found((0, 0, 40, 40), shift=3), found((0, 0, 40, 50)))
    assert (agreement.theirs, agreement.found, agreement.found_closely, agreement.extra) == (1, 1, 0, 0)
    assert agreement.landmark_distances_px == [3.0]


def test_only_faces_that_the_peer_is_sure_of_are_owed() -> None:
    agreement = Agreement()
    agreement.add(found(), found((0, 0, 40, 40), score=0.85))
    agreement.add(found(), found((0, 0, 40, 40)))
    assert (agreement.theirs, agreement.found) == (1, 0)


def test_a_face_that_only_we_find_is_extra() -> None:
    agreement = Agreement()
    agreement.add(found((0, 0, 40, 40), (100, 0, 140, 40)), found((0, 0, 40, 40)))
    assert (agreement.ours, agreement.extra) == (2, 1)


def test_small_known_faces_are_not_owed_but_right_when_found() -> None:
    """A known face below the smallest that is looked for lowers no recall; finding it is no mistake."""
    known = np.array([[0, 0, 60, 60], [100, 0, 120, 20]], np.float32)
    score = Score()
    score.add(found((0, 0, 60, 60), (100, 0, 120, 20)), known, min_overlap=0.5, min_face_px=40)
    assert (score.known, score.recall, score.precision) == (1, 1.0, 1.0)
    score.add(found((150, 50, 190, 90)), known, min_overlap=0.5, min_face_px=40)
    assert score.recall == 0.5
    assert score.precision == pytest.approx(2 / 3)


def test_a_portrait_is_found_when_a_face_covers_its_middle() -> None:
    assert has_face_in_the_middle(found((0, 0, 20, 20), (80, 30, 120, 70)))
    assert not has_face_in_the_middle(found((0, 0, 20, 20)))
    assert not has_face_in_the_middle(FacesFound(path="b.jpg", error="expected a picture"))
