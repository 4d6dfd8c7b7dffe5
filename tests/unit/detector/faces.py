"""Made-up detections for tests of what comes after the detector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.detector.detection import Detections
from services.detector.looks import unit_rows

# Where MTCNN's points lie in the box of a frontal face, as shares of its sides.
_FRONTAL = np.array([[0.31, 0.40], [0.69, 0.40], [0.50, 0.60], [0.35, 0.78], [0.65, 0.78]], np.float32)


def at(*centres_xy: tuple[float, float], side: float = 60, score: float = 0.9) -> Detections:
    """Return frontal faces of one size around these points."""
    boxes = [[x - side / 2, y - side / 2, x + side / 2, y + side / 2] for x, y in centres_xy]
    return detections(boxes, [score] * len(boxes))


def detections(boxes_xyxy: Sequence[Sequence[float]], scores: Sequence[float]) -> Detections:
    """Return frontal faces in these boxes."""
    if not boxes_xyxy:
        return Detections.none()
    boxes = np.array(boxes_xyxy, np.float32)
    sides = boxes[:, 2:] - boxes[:, :2]
    landmarks = boxes[:, None, :2] + _FRONTAL[None] * sides[:, None]
    return Detections(boxes, np.array(scores, np.float32), landmarks.astype(np.float32))


def looks(*people: int) -> NDArray[np.float32]:
    """Return the look of each of these people: always the same, and unlike any other's."""
    rows = [np.random.default_rng(person).normal(size=192) for person in people]
    return unit_rows(np.array(rows, np.float32).reshape(-1, 192))
