"""Which face counts, which photo is set aside, and which pictures are the same."""

from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from mien.contracts.find_faces import FacesFound
from mien.dataset.duplicates import different_bits, earlier_duplicates, fingerprint
from mien.dataset.selection import Limits, SetAside, choose_face, judge_quality
from mien.vision.quality import FaceQuality
from tests.unit.dataset.faces import found, picture

GOOD = FaceQuality(score=0.9, size_px=40, sharpness=100, yaw=0, brightness=120, detection_score=0.99)


def test_a_photo_of_one_face_is_about_that_face() -> None:
    assert choose_face(found(), "set-aside") == (0, None)


def test_a_picture_that_cannot_be_read_says_why() -> None:
    row, aside = choose_face(FacesFound(path="x", error="expected a picture"), "largest")
    assert (row, aside) == (None, SetAside("unreadable", "expected a picture"))


def test_a_picture_without_a_face_is_set_aside() -> None:
    row, aside = choose_face(found(faces=0), "largest")
    assert row is None
    assert aside is not None
    assert aside.reason == "no_face"


def two_faces(second_scale: float) -> FacesFound:
    """A face in the corner, and one in the middle of another size."""
    both = found(faces=2, size_wh=(200, 200))
    half = 40 * second_scale
    boxes = [(0.0, 0.0, 80.0, 80.0), (100 - half, 100 - half, 100 + half, 100 + half)]
    return msgspec.structs.replace(both, boxes_xyxy=boxes)


@pytest.mark.parametrize(
    ("second_scale", "if_several", "expected"),
    [(0.5, "set-aside", 0), (0.5, "central", 1), (0.9, "largest", 0), (1.1, "largest", 1)],
)
def test_several_faces(second_scale: float, if_several: Any, expected: int) -> None:
    """One of the background is passed over; of rivals the largest or the central counts if asked for."""
    assert choose_face(two_faces(second_scale), if_several) == (expected, None)


def test_rivals_are_set_aside_with_the_largest_kept_for_restoring() -> None:
    row, aside = choose_face(two_faces(0.9), "set-aside")
    assert row == 0
    assert aside == SetAside("several", "2 faces of about one size")


@pytest.mark.parametrize(
    ("quality", "reason"),
    [({}, None), ({"size_px": 12.0}, "too_small"), ({"sharpness": 5.0}, "blurred")],
)
def test_poor_views_are_set_aside_with_their_figures(quality: dict[str, float], reason: str | None) -> None:
    aside = judge_quality(FaceQuality(**(vars(GOOD) | quality)), Limits())
    assert (aside.reason if aside else None) == reason
    if aside:
        assert any(char.isdigit() for char in aside.explanation)


def test_copies_are_duplicates_and_other_pictures_are_not() -> None:
    """A copy at half the size, one of poor quality, a brighter one; three other pictures."""
    face = picture(1)
    small = np.asarray(cv2.resize(face, (80, 80), interpolation=cv2.INTER_AREA), np.uint8)
    poor = cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    assert poor is not None
    brighter = np.asarray(cv2.convertScaleAbs(face, alpha=0.8, beta=30), np.uint8)
    pictures = [picture(2), face, small, picture(3), np.asarray(poor, np.uint8), brighter, picture(4)]
    assert earlier_duplicates([fingerprint(one) for one in pictures]) == {2: 1, 4: 1, 5: 1}


def test_bits_are_counted_as_they_differ() -> None:
    assert different_bits(["ff00", "0f00", "0001"]).tolist() == [[0, 4, 9], [4, 0, 5], [9, 5, 0]]


def test_fewer_than_two_pictures_have_no_duplicates() -> None:
    assert earlier_duplicates([]) == {}
    assert earlier_duplicates([fingerprint(picture(1))]) == {}
