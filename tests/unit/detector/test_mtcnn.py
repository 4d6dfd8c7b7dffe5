"""MTCNN finds real faces, and nothing where there are none."""

import numpy as np
import pytest

from mien.vision.boxes import overlap_matrix
from services.detector.limits import clocked
from services.detector.mtcnn import MtcnnDetector, MtcnnLimits
from tests.unit.detector.staged import boxes_by_picture, read_rgb, require


@pytest.fixture(scope="module")
def detector() -> MtcnnDetector:
    return MtcnnDetector()


@pytest.mark.parametrize("min_face_px", [20, 40])
def test_every_face_of_the_group_photos_is_found(detector: MtcnnDetector, min_face_px: int) -> None:
    """Each checked box of at least the smallest size has a detection at IoU 0.4 or more."""
    missed = []
    for path, boxes in boxes_by_picture(require("verified_groups")).items():
        large = boxes[(boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= min_face_px]
        found = detector.detect(read_rgb(path), min_face_px).boxes_xyxy
        best = overlap_matrix(large, found).max(axis=1, initial=0)
        missed += [(path.name, box.tolist()) for box in large[best < 0.4]]
    assert missed == []


@pytest.mark.parametrize("min_face_px", [20, 40])
def test_no_face_where_there_is_none(detector: MtcnnDetector, min_face_px: int) -> None:
    """Bottles, cars, fruit and dogs are no faces."""
    pictures = sorted(require("negatives").iterdir())
    found = {path.name: len(detector.detect(read_rgb(path), min_face_px)) for path in pictures}
    assert {name: count for name, count in found.items() if count} == {}


def test_landmarks_lie_where_a_face_has_them(detector: MtcnnDetector) -> None:
    """Of a frontal face, eyes are above the nose, the nose above the mouth, left is left, all in the box."""
    path = next(iter(boxes_by_picture(require("verified_groups"))))
    found = detector.detect(read_rgb(path), 40)
    assert len(found) > 0
    for (left, top, right, bottom), points in zip(found.boxes_xyxy, found.landmarks_xy, strict=True):
        left_eye, right_eye, nose, left_mouth, right_mouth = points
        assert left < left_eye[0] < right_eye[0] < right
        assert left_mouth[0] < right_mouth[0]
        assert top < left_eye[1] < nose[1] < left_mouth[1] < bottom
        assert right_eye[1] < nose[1] < right_mouth[1]


def test_a_second_look_agrees_with_its_mirror_image(detector: MtcnnDetector) -> None:
    """Landmarks of a mirrored picture are the mirrored landmarks, and lie where the first look saw them."""
    path = next(iter(boxes_by_picture(require("verified_groups"))))
    image = read_rgb(path)
    found = detector.detect(image, 40)
    again = detector.look_again(image, found.boxes_xyxy)
    sides = (found.boxes_xyxy[:, 2:] - found.boxes_xyxy[:, :2]).max(axis=1)
    assert (np.abs(again - found.landmarks_xy).max(axis=(1, 2)) < 0.1 * sides).all()
    mirrored_boxes = found.boxes_xyxy.copy()
    mirrored_boxes[:, [0, 2]] = image.shape[1] - 1 - found.boxes_xyxy[:, [2, 0]]
    mirrored = detector.look_again(np.ascontiguousarray(image[:, ::-1]), mirrored_boxes)
    mirrored[..., 0] = image.shape[1] - 1 - mirrored[..., 0]
    assert (np.abs(again - mirrored[:, [1, 0, 2, 4, 3]]).max(axis=(1, 2)) < 0.02 * sides).all()
    assert detector.look_again(image, np.zeros((0, 4), np.float32)).shape == (0, 5, 2)


def test_noise_is_bounded_work() -> None:
    """A frame of noise with every threshold at zero passes no more candidates on than the limits say."""
    noise = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    limits = MtcnnLimits(
        proposal_score=0, refinement_score=0, output_score=0, refined_candidates=48, output_candidates=8
    )
    detector = MtcnnDetector(limits=limits)
    with clocked(detector) as clock:
        found = detector.detect(noise, 20)
    assert len(clock.inputs["P-Net"]) == 1
    assert 0 < sum(shape[0] for shape in clock.inputs["R-Net"]) <= 48
    assert 0 < sum(shape[0] for shape in clock.inputs["O-Net"]) <= 8
    assert len(found) <= 8


@pytest.mark.parametrize("size_wh", [(1, 1), (11, 200), (640, 12), (40, 40)])
def test_a_picture_without_room_for_a_face_is_empty(
    detector: MtcnnDetector, size_wh: tuple[int, int]
) -> None:
    """Tiny pictures give no detections in the shapes of the empty case."""
    found = detector.detect(np.zeros((size_wh[1], size_wh[0], 3), np.uint8), 40)
    assert (len(found), found.boxes_xyxy.shape, found.landmarks_xy.shape) == (0, (0, 4), (0, 5, 2))


def test_boxes_end_at_the_edge_of_the_picture(detector: MtcnnDetector) -> None:
    """A face that the picture's edge cuts through is boxed within the picture."""
    path = next(iter(boxes_by_picture(require("verified_groups"))))
    image = read_rgb(path)
    left, top, right, bottom = detector.detect(image, 40).boxes_xyxy[0].astype(int)
    cut = image[top + (bottom - top) // 6 :, left:right]
    found = detector.detect(np.ascontiguousarray(cut), 40)
    assert len(found) > 0
    assert (found.boxes_xyxy >= 0).all()
    assert (found.boxes_xyxy[:, 2:] <= [cut.shape[1], cut.shape[0]]).all()
