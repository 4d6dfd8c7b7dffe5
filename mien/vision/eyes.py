"""How far eyes and mouth are open, from the points that networks place on them.

The eye's openness is the mean distance of the lids over the eye's width, the *eye aspect ratio* of Soukupová
and Čech, "Real-Time Eye Blink Detection using Facial Landmarks" (2016), with seven pairs of points instead of
two.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

# The eye's picture is a square with the side of the distance between the eyes: an eye is about half of that
# wide, as in the pictures that MediaPipe's iris network is made for.
_SIDE_IN_EYE_DISTANCES: Final = 1.0
# Points of the iBUG 300-W scheme: inner upper and inner lower lip from left to right, outer corners of eyes.
_UPPER_LIP, _LOWER_LIP = (61, 62, 63), (67, 66, 65)
_OUTER_CORNERS = (36, 45)
_EYES = ((36, 37, 38, 39, 40, 41), (42, 43, 44, 45, 46, 47))
# See `mien evaluate tiredness` for what they tell apart.
CLOSED_OPENNESS: Final = 0.16
"""An eye whose :func:`eye_openness` is below this is closed."""
YAWN_OPENNESS: Final = 0.15
"""A mouth whose :func:`mouth_openness` reaches this is open as wide as in a yawn."""


def cut_eyes(image_rgb: NDArray[np.uint8], landmarks_xy: NDArray[np.float32], size: int) -> NDArray[np.uint8]:
    """Cut out both eyes of a face, level and with their outer corner on the left.

    Args:
        image_rgb: Shape (H, W, 3).
        landmarks_xy: The detector's five points, shape (5, 2).

    Returns:
        Left eye and mirrored right eye, RGB, shape (2, size, size, 3). What lies outside the image is black.
    """
    along = (landmarks_xy[1] - landmarks_xy[0]).astype(np.float64)
    distance = max(float(np.hypot(*along)), 1.0)
    x_axis = along / distance * size / (_SIDE_IN_EYE_DISTANCES * distance)
    rotation = np.array([x_axis, [-x_axis[1], x_axis[0]]])
    eyes = np.empty((2, size, size, 3), np.uint8)
    for index, centre in enumerate(landmarks_xy[:2].astype(np.float64)):
        matrix = np.column_stack([rotation, size / 2 - rotation @ centre])
        eyes[index] = cv2.warpAffine(image_rgb, matrix, (size, size), flags=cv2.INTER_AREA)
    eyes[1] = eyes[1, :, ::-1]
    return eyes


def eye_openness(lids_xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far eyes are open, shape (N,), from the points of ``eyelids``, shape (N, 16, 2).

    About 0.27 open and 0.11 closed: the network keeps the lids a little apart.
    """
    lower, upper = lids_xy[:, 1:8], lids_xy[:, 9:16]
    width = np.linalg.norm(lids_xy[:, 0] - lids_xy[:, 8], axis=1)
    apart = np.linalg.norm(lower - upper, axis=2).mean(axis=1)
    return np.asarray(apart / np.maximum(width, 1e-6), np.float32)


def mouth_openness(landmarks_xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far mouths are open, shape (N,), from the points of ``face_landmarks``, shape (N, 68, 2).

    In distances between the outer corners of the eyes: about 0.03 shut, 0.28 yawning.
    """
    apart = np.linalg.norm(landmarks_xy[:, _UPPER_LIP] - landmarks_xy[:, _LOWER_LIP], axis=2).mean(axis=1)
    left, right = _OUTER_CORNERS
    width = np.linalg.norm(landmarks_xy[:, left] - landmarks_xy[:, right], axis=1)
    return np.asarray(apart / np.maximum(width, 1e-6), np.float32)


def eye_aspect_ratio(landmarks_xy: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean eye aspect ratio, shape (N,), from the points of ``face_landmarks``, (N, 68, 2)."""
    ratios = []
    for outer, upper_a, upper_b, inner, lower_b, lower_a in _EYES:
        heights = np.linalg.norm(landmarks_xy[:, upper_a] - landmarks_xy[:, lower_a], axis=1)
        heights = heights + np.linalg.norm(landmarks_xy[:, upper_b] - landmarks_xy[:, lower_b], axis=1)
        width = np.linalg.norm(landmarks_xy[:, outer] - landmarks_xy[:, inner], axis=1)
        ratios.append(heights / 2 / np.maximum(width, 1e-6))
    return np.asarray(np.mean(ratios, axis=0), np.float32)
