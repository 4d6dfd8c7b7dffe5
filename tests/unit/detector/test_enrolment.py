"""A photo is about one good face, or the person who uploaded it learns why not."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.events import FaceShot, PhotoRejected, PhotoSubmitted
from mien.vision.jpeg import decode_jpeg_rgb, encode_jpeg_rgb
from services.detector.detection import Detections, Landmarks
from services.detector.enrolment import examine_photo
from tests.unit.detector.faces import detections

NOISE = np.random.default_rng(5).integers(0, 256, (400, 600, 3), dtype=np.uint8)


@dataclass
class ScriptedDetector:
    """Finds given faces from a smallest size on, and remembers what it was shown."""

    faces: Detections
    from_min_face_px: int = 40
    shown: list[tuple[tuple[int, ...], int]] = field(default_factory=list)

    def detect(self, image_rgb: NDArray[np.uint8], min_face_px: int) -> Detections:
        self.shown.append((image_rgb.shape, min_face_px))
        return self.faces if min_face_px <= self.from_min_face_px else Detections.none()

    def look_again(self, image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Landmarks:
        return np.asarray(self.faces.landmarks_xy[(self.faces.boxes_xyxy == boxes_xyxy).all(axis=1)])


def photo(image: NDArray[np.uint8] = NOISE, *, jpeg: bytes | None = None) -> PhotoSubmitted:
    return PhotoSubmitted(
        camera_id="",
        event_id="x",
        captured_at_ns=9,
        photo_id="photo-1",
        person_id="ada",
        photo_jpeg=encode_jpeg_rgb(image) if jpeg is None else jpeg,
    )


def face(*boxes: list[float]) -> Detections:
    return detections(boxes, [0.99] * len(boxes))


def reason(answer: FaceShot | PhotoRejected) -> str:
    assert isinstance(answer, PhotoRejected)
    assert answer.explanation
    assert (answer.photo_id, answer.person_id) == ("photo-1", "ada")
    return answer.reason


def test_a_good_face_is_passed_on() -> None:
    """The shot is for enrolment, under the photo's id and the person's, with its quality."""
    answer = examine_photo(photo(), ScriptedDetector(face([100, 100, 220, 220])))
    assert isinstance(answer, FaceShot)
    assert (answer.track_id, answer.person_id, answer.purpose) == ("photo-1", "ada", "enrolment")
    assert max(decode_jpeg_rgb(answer.crop_jpeg).shape) <= 256
    assert answer.quality.size_px == pytest.approx(45.6, abs=0.1)
    assert answer == examine_photo(photo(), ScriptedDetector(face([100, 100, 220, 220])))


def test_small_faces_are_looked_for_when_there_is_no_other() -> None:
    """A second look goes down to half the size, and only when the first found nothing."""
    detector = ScriptedDetector(face([100, 100, 160, 160]), from_min_face_px=20)
    assert isinstance(examine_photo(photo(), detector), FaceShot)
    assert [min_face_px for _, min_face_px in detector.shown] == [40, 20]


def test_large_photos_are_scaled_down() -> None:
    """No side is longer than 1600 pixels when the detector sees it."""
    detector = ScriptedDetector(face([100, 100, 220, 220]))
    examine_photo(photo(np.zeros((1000, 3200, 3), np.uint8)), detector)
    assert detector.shown[0][0] == (500, 1600, 3)


def test_the_clearly_largest_face_counts() -> None:
    """Somebody small in the background does not matter; somebody of like size does."""
    background = face([10, 10, 80, 80], [100, 100, 220, 220])
    answer = examine_photo(photo(), ScriptedDetector(background))
    assert isinstance(answer, FaceShot)
    assert answer.quality.size_px == pytest.approx(45.6, abs=0.1)
    alike = face([100, 100, 220, 220], [300, 100, 400, 200])
    assert reason(examine_photo(photo(), ScriptedDetector(alike))) == "several_faces"


def test_no_face_and_no_picture_are_different_answers() -> None:
    """An empty scene has no face; a text file is no picture."""
    assert reason(examine_photo(photo(), ScriptedDetector(Detections.none()))) == "no_face"
    answer = examine_photo(photo(jpeg=b"hello"), ScriptedDetector(Detections.none()))
    assert reason(answer) == "not_an_image"


def test_useless_views_are_refused_with_figures() -> None:
    """Too small, blurred and turned away are told apart."""
    small = examine_photo(photo(), ScriptedDetector(face([100, 100, 130, 130])))
    assert reason(small) == "too_small"
    assert isinstance(small, PhotoRejected)
    assert "11" in small.explanation
    blurred = np.asarray(cv2.GaussianBlur(NOISE, (0, 0), 9), np.uint8)
    assert reason(examine_photo(photo(blurred), ScriptedDetector(face([100, 100, 220, 220])))) == "blurred"
    turned = face([100, 100, 220, 220])
    turned.landmarks_xy[0, 2, 0] = turned.landmarks_xy[0, 1, 0]
    assert reason(examine_photo(photo(), ScriptedDetector(turned))) == "turned_away"
