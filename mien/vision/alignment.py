"""Warping faces onto the template that a model was trained on.

Landmarks are always left eye, right eye, nose, left and right mouth corner as they lie in the image
(the person's right eye comes first), in pixels.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

# Mean positions of dlib's five points in a unit square around the face (shape predictor of dlib's
# face recognition example), in the order of MTCNN's landmarks.
_DLIB5: Final = np.array(
    [
        [0.22549, 0.21599],
        [0.75476, 0.21599],
        [0.490127, 0.515625],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ],
    dtype=np.float32,
)
_DLIB_PADDING: Final = 0.2
_SQUARE_MARGIN: Final = 1.15
# Positions in a picture of 112 pixels that networks of the ArcFace family are trained on, in the order of
# MTCNN's landmarks (deepinsight/insightface, python-package/insightface/utils/face_align.py).
_ARCFACE5: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)
_ARCFACE_SIDE: Final = 112

Align = Callable[[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32], int], NDArray[np.uint8]]


def align_face(
    alignment: str,
    image: NDArray[np.uint8],
    box_xyxy: NDArray[np.float32],
    landmarks_xy: NDArray[np.float32],
    size: int,
) -> NDArray[np.uint8]:
    """Warp a face onto a model's template.

    Args:
        alignment: A key of :data:`ALIGNMENTS`.
        image: Shape (H, W, 3), any colour order; the result has the same.
        box_xyxy: The face's box in pixels, shape (4,).
        landmarks_xy: Five points in pixels, shape (5, 2).
        size: Side of the result in pixels.

    Returns:
        Shape (size, size, 3). What lies outside the image is black.

    Raises:
        KeyError: There is no such template.
    """
    return ALIGNMENTS[alignment](image, box_xyxy, landmarks_xy, size)


def estimate_similarity(
    source_xy: NDArray[np.float32], target_xy: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the rotation, uniform scale and shift, shape (2, 3), that moves points onto others best.

    Least squares without reflection over point sets of shape (N, 2), solved in closed form.
    """
    source_mean, target_mean = source_xy.mean(axis=0), target_xy.mean(axis=0)
    source = (source_xy - source_mean).astype(np.float64)
    target = (target_xy - target_mean).astype(np.float64)
    norm = max(float((source**2).sum()), 1e-12)
    a = float((source * target).sum()) / norm
    b = float((source[:, 0] * target[:, 1] - source[:, 1] * target[:, 0]).sum()) / norm
    rotation = np.array([[a, -b], [b, a]])
    shift = target_mean - rotation @ source_mean
    return np.column_stack([rotation, shift])


def _align_dlib5(
    image: NDArray[np.uint8], box_xyxy: NDArray[np.float32], landmarks_xy: NDArray[np.float32], size: int
) -> NDArray[np.uint8]:
    target_xy = (_DLIB5 + _DLIB_PADDING) / (1 + 2 * _DLIB_PADDING) * size
    return _warped_onto(target_xy.astype(np.float32), image, landmarks_xy, size)


def _align_arcface5(
    image: NDArray[np.uint8], box_xyxy: NDArray[np.float32], landmarks_xy: NDArray[np.float32], size: int
) -> NDArray[np.uint8]:
    target_xy = _ARCFACE5 / _ARCFACE_SIDE * size
    return _warped_onto(target_xy.astype(np.float32), image, landmarks_xy, size)


def _warped_onto(
    target_xy: NDArray[np.float32], image: NDArray[np.uint8], landmarks_xy: NDArray[np.float32], size: int
) -> NDArray[np.uint8]:
    matrix = estimate_similarity(landmarks_xy, target_xy)
    return np.asarray(cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR), dtype=np.uint8)


def _align_square15(
    image: NDArray[np.uint8], box_xyxy: NDArray[np.float32], landmarks_xy: NDArray[np.float32], size: int
) -> NDArray[np.uint8]:
    centre = (box_xyxy[:2] + box_xyxy[2:]) / 2
    side = max(float((box_xyxy[2:] - box_xyxy[:2]).max()) * _SQUARE_MARGIN, 1.0)
    scale = size / side
    shift = size / 2 - centre * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return np.asarray(cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR), dtype=np.uint8)


ALIGNMENTS: Final[dict[str, Align]] = {
    "dlib5": _align_dlib5,
    "arcface5": _align_arcface5,
    "square15": _align_square15,
}
"""``dlib5``: five points onto dlib's template, 20 % padding; ``arcface5``: onto ArcFace's, scaled with
the size; ``square15``: the box made square, plus 15 %."""
