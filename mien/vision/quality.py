"""How good a view of a face is, from its landmarks and pixels.

Factors from 0 to 1 are multiplied, so that any one of them alone can make a view useless. Their ranges were
set on 150 pictures of Labeled Faces in the Wild, aligned by MTCNN. Median of sharpness as they are: 114 (5th
percentile 50); blurred by a Gaussian of sigma 1, 2, 3 in their 250x250 pixels: 43, 16, 9; at a quarter of
their size: 31. Brightness was 78 to 163 from the 1st to the 95th percentile; nine of ten yaws below 0.43.

What a camera must deliver (:data:`NEEDED`) was set on LFW too, by what spoiling one photo of 300 pairs does
to the share that the default embedder takes for the same person (``tests.bench.bench_views``): 81 % unspoilt,

========================= ==========================================================
longer side of the box    80 px 79 %, 58 px 76 %, 47 px 74 %, 35 px 61 %, 23 px 24 %
and as JPEG, quality 60   93 px 76 %, 80 px 74 %, 58 px 66 %, 47 px 50 %, 35 px 25 %
sharpness (Gaussian blur) 42 77 %, 15 64 %, 8 36 %, 6 12 %
evenness (moved sideways) 0.24 76 %, 0.15 50 %, 0.11 14 %; unspoilt 0.67, 95 of 100 above 0.40
brightness (scaled)       37 77 %, 25 73 %, 12 55 %; 181 73 %, 216 52 %, 241 17 %
========================= ==========================================================

A camera compresses, so the size is that of the second row; it adds noise in the dark, so the limit there has
room. Turned and nodding heads lose little within LFW, of which 95 of 100 are within each of their limits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.vision.alignment import align_face

_ALIGNED_PX = 112
_BORDER_PX = 16
"""Of the aligned face, which is mostly hair and background."""
_LEVEL_NOSE: Final = 0.54
"""How far down from the eyes to the mouth the nose lies; LFW's median."""


@dataclass(frozen=True)
class Needed:
    """From where to where a measure of a face is good enough; None is no limit."""

    at_least: float | None = None
    at_most: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a value is within the limits."""
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )


NEEDED: Final[Mapping[str, Needed]] = {
    "face_px": Needed(at_least=80),
    "sharpness": Needed(at_least=20),
    "evenness": Needed(at_least=0.25),
    "yaw": Needed(at_most=0.55),
    "pitch": Needed(at_least=-0.4, at_most=0.4),
    "brightness": Needed(at_least=55, at_most=200),
}
"""What a view needs to be recognised, by measure; *face_px* is the longer side of the face's box."""


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
        pitch: Nod, -1 (seen from below) to 1 (seen from above), 0 is level.
        evenness: Detail across the face relative to detail up and down it, the lesser over the greater. 1 is
            alike; near 0 the face is smeared by movement, which blurs along its way only. A slanting way is
            not noticed.
    """

    score: float
    size_px: float
    sharpness: float
    yaw: float
    brightness: float
    detection_score: float
    pitch: float = 0.0
    evenness: float = 1.0


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
    evenness = _evenness(luma)
    score = (
        _rising(np.log2(max(size_px, 1.0)), zero_at=3.0, one_at=5.0)  # 8 px to 32 px between the eyes
        * _rising(np.log10(max(sharpness, 1.0)), zero_at=0.9, one_at=1.9)  # 8 to 80
        * _rising(-abs(yaw), zero_at=-0.9, one_at=-0.2)
        * _rising(brightness, zero_at=20, one_at=70)
        * _rising(-brightness, zero_at=-245, one_at=-190)
        * _rising(detection_score, zero_at=0.6, one_at=0.98)
        * _rising(np.log2(evenness), zero_at=-3.3, one_at=-1.5)  # 0.1 to 0.35
    )
    return FaceQuality(
        score=score,
        size_px=size_px,
        sharpness=sharpness,
        yaw=yaw,
        brightness=brightness,
        detection_score=float(detection_score),
        pitch=estimate_pitch(landmarks_xy),
        evenness=evenness,
    )


def estimate_yaw(landmarks_xy: NDArray[np.float32]) -> float:
    """Return how far a head is turned sideways, -1 to 1, from where the nose lies between the eyes.

    Measured along the line through the eyes, so a tilted head does not count as turned. Monotonic in the
    angle, but no angle: about 0.5 at 30 degrees.
    """
    eyes = (landmarks_xy[1] - landmarks_xy[0]).astype(np.float64)
    nose = (landmarks_xy[2] - landmarks_xy[0]).astype(np.float64)
    share = float(nose @ eyes) / max(float(eyes @ eyes), 1e-6)
    return float(np.clip(2 * share - 1, -1, 1))


def estimate_pitch(landmarks_xy: NDArray[np.float32]) -> float:
    """Return how far a head nods, -1 (up) to 1 (down), from where the nose lies between eyes and mouth.

    A camera above a level head sees the same as a level camera a head bent down. Measured along the line
    from the eyes' middle to the mouth's, so a tilted head does not nod. Monotonic in the angle, but no
    angle: the tip of a nose stands out by some 0.4 of that line, which makes 30 degrees about 0.5.
    """
    points = landmarks_xy.astype(np.float64)
    eyes, mouth = points[:2].mean(axis=0), points[3:].mean(axis=0)
    down = mouth - eyes
    share = float((points[2] - eyes) @ down) / max(float(down @ down), 1e-6)
    return float(np.clip(2 * (share - _LEVEL_NOSE), -1, 1))


def _evenness(luma: NDArray[np.uint8]) -> float:
    second_difference = np.array([[1, -2, 1]], np.float32)
    across = float(cv2.filter2D(luma, cv2.CV_32F, second_difference).var())
    up_and_down = float(cv2.filter2D(luma, cv2.CV_32F, second_difference.T).var())
    return (min(across, up_and_down) + 1e-6) / (max(across, up_and_down) + 1e-6)


def _rising(value: float, *, zero_at: float, one_at: float) -> float:
    return float(np.clip((value - zero_at) / (one_at - zero_at), 0, 1))
