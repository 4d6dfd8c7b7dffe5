"""Which faces a camera is told to look away from. No I/O."""

import numpy as np

from mien.contracts.cameras import Camera
from mien.vision.zones import are_inside
from services.detector.detection import Detections


def outside_ignored_zones(detections: Detections, size_wh: tuple[int, int], camera: Camera) -> Detections:
    """Leave out the faces whose centre lies where a camera ignores everything: a poster, a television."""
    zones = [zone.points_xy for zone in camera.ignored_zones if zone.ignores == "everything"]
    if not zones or not len(detections):
        return detections
    centres = (detections.boxes_xyxy[:, :2] + detections.boxes_xyxy[:, 2:]) / 2
    kept = ~are_inside(centres / np.array(size_wh, np.float32), zones)
    return Detections(detections.boxes_xyxy[kept], detections.scores[kept], detections.landmarks_xy[kept])
