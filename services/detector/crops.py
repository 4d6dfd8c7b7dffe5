"""Cutting a face out of its frame: after this, no other pixel of the frame goes on."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.contracts.events import BoxXyxy, PointXy
from mien.vision.jpeg import encode_jpeg_rgb

MAX_SIDE_PX = 256
# Added on each side, in sides of the box: room for the alignment of a head tilted by 30 degrees, whose
# corners lie 1.5 sides apart.
_MARGIN = 0.3
_JPEG_QUALITY = 92


@dataclass(frozen=True)
class FaceCrop:
    """A face with a margin around it.

    Attributes:
        jpeg: At most 256 px on the longer side; never scaled up.
        box_xyxy: The face's box, pixels of the crop.
        landmarks_xy: Its five points, pixels of the crop.
    """

    jpeg: bytes
    box_xyxy: BoxXyxy
    landmarks_xy: list[PointXy]


def cut_face(
    image_rgb: NDArray[np.uint8], box_xyxy: NDArray[np.float32], landmarks_xy: NDArray[np.float32]
) -> FaceCrop:
    """Cut a face, box (4,) and landmarks (5, 2), out of a picture, shape (H, W, 3).

    At the picture's edge the crop ends where the picture does.
    """
    height, width = image_rgb.shape[:2]
    half = float((box_xyxy[2:] - box_xyxy[:2]).max()) * (0.5 + _MARGIN)
    centre_x, centre_y = (float(value) for value in (box_xyxy[:2] + box_xyxy[2:]) / 2)
    left, right = _span(centre_x, half, width)
    top, bottom = _span(centre_y, half, height)
    crop = image_rgb[top:bottom, left:right]
    scale = min(1.0, MAX_SIDE_PX / max(crop.shape[:2]))
    if scale < 1:
        size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    corner = np.array([left, top], np.float32)
    box = (box_xyxy.reshape(2, 2) - corner) * scale
    points = (landmarks_xy - corner) * scale
    return FaceCrop(
        jpeg=encode_jpeg_rgb(crop, quality=_JPEG_QUALITY),
        box_xyxy=(float(box[0, 0]), float(box[0, 1]), float(box[1, 0]), float(box[1, 1])),
        landmarks_xy=[(float(x), float(y)) for x, y in points],
    )


def _span(centre: float, half: float, limit: int) -> tuple[int, int]:
    """Return first and last pixel around a centre, inside the picture, at least one wide."""
    start = min(max(int(np.floor(centre - half)), 0), limit - 1)
    end = min(max(int(np.ceil(centre + half)), start + 1), limit)
    return start, end
