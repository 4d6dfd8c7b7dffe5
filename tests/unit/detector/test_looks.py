"""A glance tells two faces apart, and knows one again in other light."""

import numpy as np
import pytest

from services.detector.looks import looks_of

PICTURE = np.random.default_rng(7).integers(40, 200, (12, 24, 3), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
LEFT, RIGHT = [0, 0, 120, 120], [120, 0, 240, 120]


def test_a_face_is_like_itself_and_unlike_another() -> None:
    """Brighter, with more contrast and a pixel further, a face is still itself; another one is not."""
    before = looks_of(PICTURE, np.array([LEFT, RIGHT], np.float32))
    brighter = np.clip(PICTURE * 1.2 + 10, 0, 255).astype(np.uint8)
    after = looks_of(brighter, np.array([LEFT, RIGHT], np.float32) + 1)
    likeness = before @ after.T
    assert np.diag(likeness).min() > 0.9
    assert abs(likeness[0, 1]) < 0.4


@pytest.mark.parametrize(
    "box",
    [[-50, -50, 20, 20], [230, 110, 400, 300], [300, 300, 310, 310], [50, 50, 50, 50], [60, 60, 50, 50]],
)
def test_a_box_at_or_beyond_the_edge_has_a_look(box: list[float]) -> None:
    """What lies outside is left out; a box without pixels is judged by the nearest one."""
    (look,) = looks_of(PICTURE, np.array([box], np.float32))
    assert look.shape == (192,)
    assert np.isfinite(look).all()


def test_no_faces_have_no_looks() -> None:
    assert looks_of(PICTURE, np.zeros((0, 4), np.float32)).shape == (0, 192)
