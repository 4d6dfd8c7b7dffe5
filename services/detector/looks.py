"""What a face looks like at a glance: enough to tell two people apart who pass each other.

Eight by eight pixels of the face, compared by correlation. On 17 staged videos (street, stage, classroom,
drivers, talking heads) a face was more like itself half a second later than like another face of the same
video in 97.5 % of pairs, after 1.5 s in 95.6 %; it takes 0.02 ms. Recognising somebody takes a network.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Looks = NDArray[np.float32]
"""Shape (N, 192), each row of length 1: the product of two rows is their likeness, -1 to 1."""

_SIDE_PX = 8


def looks_of(image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Looks:
    """Return the look of each face of a picture, shape (H, W, 3), by its box, shape (N, 4); N may be 0."""
    height, width = image_rgb.shape[:2]
    patches = np.empty((len(boxes_xyxy), _SIDE_PX, _SIDE_PX, 3), np.uint8)
    for patch, box in zip(patches, boxes_xyxy, strict=True):
        left, top = np.clip(np.floor(box[:2]).astype(int), 0, (width - 1, height - 1))
        right, bottom = np.clip(np.ceil(box[2:]).astype(int), (left + 1, top + 1), (width, height))
        cv2.resize(
            image_rgb[top:bottom, left:right], (_SIDE_PX, _SIDE_PX), dst=patch, interpolation=cv2.INTER_AREA
        )
    rows = patches.reshape(len(patches), _SIDE_PX * _SIDE_PX * 3).astype(np.float32)
    return unit_rows(rows - rows.mean(axis=1, keepdims=True))


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows scaled to length 1; a row of zeros stays one."""
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-6))
