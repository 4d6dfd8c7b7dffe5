"""How good a view of a face is, from its landmarks and pixels.

Factors from 0 to 1 are multiplied, so that any one of them alone can make a view useless. Their ranges were
set on 150 pictures of Labeled Faces in the Wild, aligned by MTCNN. Median of sharpness as they are: 114 (5th
percentile 50); blurred by a Gaussian of sigma 1, 2, 3 in their 250x250 pixels: 43, 16, 9; at a quarter of
their size: 31. Brightness was 78 to 163 from the 1st to the 95th percentile; nine of ten yaws below 0.43.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.vision.alignment import align_face

_ALIGNED_PX = 112
_BORDER_PX = 16
"""Of the aligned face, which is mostly hair and background."""


@dataclass(frozen=True)
class FaceQuality:
    """How good a view of a face is.

    Attributes:
        score: All of it in one number, 0 (useless) to 1.
        size_px: Distance between the eyes, pixels of the picture.
        sharpness: Variance of the Laplacian on the aligned face.
        yaw: Sideways turn, -1 (nose on the eye that is left in the picture) to 1, 0 is frontal.
        brightness: Mean luma of the face, 0 to 255.
        detection_score: The detector's own confidence, 0 to 1.
    """

    score: float
    size_px: float
    sharpness: float
    yaw: float
    brightness: float
    detection_score: float


def assess_face(
    image_rgb: NDArray[np.uint8],
    box_xyxy: NDArray[np.float32],
    landmarks_xy: NDArray[np.float32],
    detection_score: float,
) -> FaceQuality:
    """Judge one face of a picture, shape (H, W, 3), by its box (4,) and its five landmarks (5, 2)."""
    aligned = align_face("dlib5", image_rgb, box_xyxy, landmarks_xy, _ALIGNED_PX)
    inner = aligned[_BORDER_PX:-_BORDER_PX, _BORDER_PX:-_BORDER_PX]
    luma = cv2.cvtColor(inner, cv2.COLOR_RGB2GRAY)
    size_px = float(np.linalg.norm(landmarks_xy[1] - landmarks_xy[0]))
    sharpness = float(cv2.Laplacian(luma, cv2.CV_32F).var())
    yaw = estimate_yaw(landmarks_xy)
    brightness = float(luma.mean())
    score = (
        _rising(np.log2(max(size_px, 1.0)), zero_at=3.0, one_at=5.0)  # 8 px to 32 px between the eyes
        * _rising(np.log10(max(sharpness, 1.0)), zero_at=0.9, one_at=1.9)  # 8 to 80
        * _rising(-abs(yaw), zero_at=-0.9, one_at=-0.2)
        * _rising(brightness, zero_at=20, one_at=70)
        * _rising(-brightness, zero_at=-245, one_at=-190)
        * _rising(detection_score, zero_at=0.6, one_at=0.98)
    )
    return FaceQuality(score, size_px, sharpness, yaw, brightness, float(detection_score))


def estimate_yaw(landmarks_xy: NDArray[np.float32]) -> float:
    """Return how far a head is turned sideways, -1 to 1, from where the nose lies between the eyes.

    Measured along the line through the eyes, so a tilted head does not count as turned. Monotonic in the
    angle, but no angle: about 0.5 at 30 degrees.
    """
    eyes = (landmarks_xy[1] - landmarks_xy[0]).astype(np.float64)
    nose = (landmarks_xy[2] - landmarks_xy[0]).astype(np.float64)
    share = float(nose @ eyes) / max(float(eyes @ eyes), 1e-6)
    return float(np.clip(2 * share - 1, -1, 1))


def _rising(value: float, *, zero_at: float, one_at: float) -> float:
    return float(np.clip((value - zero_at) / (one_at - zero_at), 0, 1))
