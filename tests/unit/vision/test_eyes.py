"""Eyes and mouths are measured in their own size, whatever the face's size and tilt."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.vision.eyes import cut_eyes, eye_aspect_ratio, eye_openness, mouth_openness

LANDMARKS = np.array([[100, 100], [160, 100], [130, 130], [110, 160], [150, 160]], np.float32)


def lids(apart: float, *, width: float = 0.5) -> NDArray[np.float32]:
    """Return the lids of one eye that is open by *apart* of the picture's height."""
    along = np.linspace(0.25, 0.25 + width, 9)
    lower = [(x, 0.5 + apart / 2) for x in along]
    upper = [(x, 0.5 - apart / 2) for x in along[1:-1]]
    return np.array([lower + upper], np.float32)


@pytest.mark.parametrize(("apart", "openness"), [(0.0, 0.0), (0.05, 0.1), (0.15, 0.3)])
def test_openness_is_height_over_width(apart: float, openness: float) -> None:
    """An eye twice as near is as open as before."""
    assert eye_openness(lids(apart))[0] == pytest.approx(openness, abs=1e-5)
    assert eye_openness(2 * lids(apart))[0] == pytest.approx(openness, abs=1e-5)


def test_points_that_fall_together_give_a_number() -> None:
    """A network that sees no eye divides nothing by zero."""
    assert np.isfinite(eye_openness(np.zeros((1, 16, 2), np.float32))).all()
    assert np.isfinite(mouth_openness(np.zeros((2, 68, 2), np.float32))).all()
    assert np.isfinite(eye_aspect_ratio(np.zeros((2, 68, 2), np.float32))).all()


def test_a_mouth_is_measured_by_the_eyes() -> None:
    """Inner lips 20 px apart between eyes that are 100 px apart."""
    points = np.zeros((1, 68, 2), np.float32)
    points[0, 36], points[0, 45] = (0, 0), (100, 0)
    points[0, [61, 62, 63]] = [(40, 80), (50, 80), (60, 80)]
    points[0, [67, 66, 65]] = [(40, 100), (50, 100), (60, 100)]
    assert mouth_openness(points)[0] == pytest.approx(0.2)


def face_picture(angle: float) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a picture with a red dot on the outer side of each eye, turned around the face."""
    picture = np.zeros((260, 260, 3), np.uint8)
    for x in (85, 175):
        cv2.circle(picture, (x, 100), 5, (255, 0, 0), -1)
    turn = cv2.getRotationMatrix2D((130, 130), angle, 1.0)
    turned = np.asarray(cv2.warpAffine(picture, turn, (260, 260)), np.uint8)
    return turned, (LANDMARKS @ turn[:, :2].T + turn[:, 2]).astype(np.float32)


@pytest.mark.parametrize("angle", [0, 25, -40])
def test_eyes_are_cut_level_with_the_outer_corner_on_the_left(angle: float) -> None:
    """Both eyes look like left ones, on a tilted head, too."""
    eyes = cut_eyes(*face_picture(angle), 64)
    assert eyes.shape == (2, 64, 64, 3)
    for eye in eyes:
        rows, columns = np.nonzero(eye[..., 0] > 100)
        assert columns.mean() == pytest.approx(16, abs=2)
        assert rows.mean() == pytest.approx(32, abs=2)


def test_a_face_at_the_edge_is_padded_with_black() -> None:
    """An eye outside the picture is a black picture, not an error."""
    eyes = cut_eyes(np.full((50, 50, 3), 200, np.uint8), LANDMARKS, 64)
    assert (eyes == 0).all()
