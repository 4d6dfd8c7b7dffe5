"""Made-up detections for tests of what comes after the detector."""

from collections.abc import Sequence

import numpy as np

from services.detector.detection import Detections

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
