"""Quality falls with everything that makes a face hard to recognise."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mien.vision.quality import NEEDED, FaceQuality, Needed, assess_face, estimate_pitch, estimate_yaw

BOX = np.array([60, 50, 160, 170], np.float32)
LANDMARKS = np.array([[88, 98], [132, 98], [110, 120], [92, 144], [128, 144]], np.float32)


def picture(*, brightness: float = 120, contrast: float = 40) -> NDArray[np.uint8]:
    """Return a picture with detail of every size, the same each time."""
    random = np.random.default_rng(7)
    detail = sum(
        cv2.resize(random.normal(0, 1, (side, side)).astype(np.float32), (220, 220)) for side in (8, 30, 110)
    )
    grey = np.clip(brightness + contrast / 3 * np.asarray(detail), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def assess(image: NDArray[np.uint8], landmarks: NDArray[np.float32] = LANDMARKS) -> FaceQuality:
    return assess_face(image, BOX, landmarks, 0.999)


def test_a_good_view_scores_high() -> None:
    """Large, sharp, frontal, well lit and sure is nearly 1, with the plain figures beside it."""
    quality = assess(picture())
    assert quality.score > 0.9
    assert quality.size_px == pytest.approx(44)
    assert quality.yaw == pytest.approx(0, abs=0.01)
    assert quality.brightness == pytest.approx(120, abs=10)


def test_blur_lowers_quality_step_by_step() -> None:
    """The more blurred, the less sharp and the worse."""
    views = [assess(cv2.GaussianBlur(picture(), (0, 0), sigma)) for sigma in (0.5, 1, 2, 4)]
    assert all(a.sharpness > b.sharpness for a, b in pairwise(views))
    assert views[-1].score < 0.5 * views[0].score


def test_a_small_face_is_worse() -> None:
    """The same picture at a fifth of its size has less than half of the quality."""
    small = np.asarray(cv2.resize(picture(), None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA))
    fifth = np.float32(0.2)
    assert assess_face(small, BOX * fifth, LANDMARKS * fifth, 0.999).score < 0.5 * assess(picture()).score


@pytest.mark.parametrize("brightness", [10, 252])
def test_dark_and_blown_out_faces_are_useless(brightness: float) -> None:
    """A face in the dark, or in the sun behind no exposure control, scores nothing."""
    assert assess(picture(brightness=brightness, contrast=6)).score == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(("nose_x", "yaw"), [(88, -1), (99, -0.5), (110, 0), (121, 0.5), (150, 1)])
def test_yaw_follows_the_nose(nose_x: float, yaw: float) -> None:
    """The nose on one eye is fully turned that way, in the middle is frontal, beyond an eye still 1."""
    landmarks = LANDMARKS.copy()
    landmarks[2, 0] = nose_x
    assert estimate_yaw(landmarks) == pytest.approx(yaw)


@pytest.mark.parametrize(("nose_y", "sign"), [(110, -1), (134, 1)])
def test_pitch_follows_the_nose(nose_y: float, sign: int) -> None:
    """A nose near the mouth is a head seen from above, one near the eyes a head seen from below."""
    landmarks = LANDMARKS.copy()
    landmarks[2, 1] = nose_y
    pitch = estimate_pitch(landmarks)
    assert sign * pitch > 0.3
    assert not NEEDED["pitch"].holds(pitch)
    assert NEEDED["pitch"].holds(estimate_pitch(LANDMARKS))


@pytest.mark.parametrize("axis", [0, 1])
def test_movement_is_told_from_want_of_focus(axis: int) -> None:
    """Blurred along one direction only is smeared, and worth less; blurred in all of them is not smeared."""
    smear = np.ones((1, 9) if axis else (9, 1), np.float32) / 9
    moved = assess(np.asarray(cv2.filter2D(picture(), -1, smear)))
    unfocused = assess(cv2.GaussianBlur(picture(), (0, 0), 2))
    assert not NEEDED["evenness"].holds(moved.evenness)
    assert NEEDED["evenness"].holds(unfocused.evenness)
    assert moved.score < 0.5 * assess(picture()).score


def test_flat_pixels_are_even() -> None:
    """A face without any detail is not smeared."""
    assert assess(picture(contrast=0)).evenness == pytest.approx(1)


def test_limits_hold_at_their_ends() -> None:
    """Both ends belong to what is good enough; None is no end."""
    assert [Needed(at_least=1, at_most=2).holds(value) for value in (0.9, 1, 2, 2.1)] == [
        False,
        True,
        True,
        False,
    ]
    assert Needed().holds(1e9)


@given(st.floats(-180, 180))
def test_tilting_the_head_is_no_turn(degrees: float) -> None:
    """Rotating all landmarks in the picture leaves yaw and pitch as they were."""
    landmarks = LANDMARKS.copy()
    landmarks[2, 0] = 118
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = (landmarks @ rotation.T).astype(np.float32)
    assert estimate_yaw(turned) == pytest.approx(estimate_yaw(landmarks), abs=1e-3)
    assert estimate_pitch(turned) == pytest.approx(estimate_pitch(landmarks), abs=1e-3)


def test_a_turned_face_is_worse() -> None:
    """Profile counts less than frontal."""
    turned = LANDMARKS.copy()
    turned[2, 0] = 130
    assert assess(picture(), turned).score < 0.3 * assess(picture()).score


@given(st.lists(st.floats(-100, 400, width=32), min_size=10, max_size=10), st.floats(0, 1))
def test_any_landmarks_give_a_score(values: list[float], detection_score: float) -> None:
    """Wherever a detector puts its points, even all on one spot, the score stays within 0 and 1."""
    quality = assess_face(picture(), BOX, np.array(values, np.float32).reshape(5, 2), detection_score)
    assert 0 <= quality.score <= 1
