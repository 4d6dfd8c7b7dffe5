"""Made-up detections for tests of what comes after the detector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.detector.detection import Detections, Landmarks
from services.detector.looks import unit_rows

# Where MTCNN's points lie in the box of a frontal face, as shares of its sides.
_FRONTAL = np.array([[0.31, 0.40], [0.69, 0.40], [0.50, 0.60], [0.35, 0.78], [0.65, 0.78]], np.float32)


def at(*centres_xy: tuple[float, float], side: float = 60, score: float = 0.9) -> Detections:
    """Return frontal faces of one size around these points."""
    boxes = [[x - side / 2, y - side / 2, x + side / 2, y + side / 2] for x, y in centres_xy]
    return detections(boxes, [score] * len(boxes))


class SeesFrontalFaces:
    """Looks at faces again and sees them straight on."""

    def look_again(self, image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Landmarks:
        return _frontal_landmarks(boxes_xyxy)


def detections(boxes_xyxy: Sequence[Sequence[float]], scores: Sequence[float]) -> Detections:
    """Return frontal faces in these boxes."""
    if not boxes_xyxy:
        return Detections.none()
    boxes = np.array(boxes_xyxy, np.float32)
    return Detections(boxes, np.array(scores, np.float32), _frontal_landmarks(boxes))


def _frontal_landmarks(boxes_xyxy: NDArray[np.float32]) -> Landmarks:
    sides = boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]
    return (boxes_xyxy[:, None, :2] + _FRONTAL[None] * sides[:, None]).astype(np.float32)


def looks(*people: int) -> NDArray[np.float32]:
    """Return the look of each of these people: always the same, and unlike any other's."""
    rows = [np.random.default_rng(person).normal(size=192) for person in people]
    return unit_rows(np.array(rows, np.float32).reshape(-1, 192))
