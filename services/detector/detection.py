"""What a face detector is to the rest of the service; another detector is one more file beside MTCNN's."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Landmarks = NDArray[np.float32]
"""Shape (N, 5, 2): left eye, right eye, nose, left and right mouth corner as they lie in the picture."""


@dataclass(frozen=True, eq=False)
class Detections:
    """The faces of one picture, best first, in its pixels.

    Attributes:
        boxes_xyxy: float32, shape (N, 4), inside the picture; N is 0 when there is no face.
        scores: float32, shape (N,), 0 to 1.
        landmarks_xy: In the picture's pixels; may be outside it.
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks_xy: Landmarks

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def none(cls) -> "Detections":
        """Return the detections of a picture without a face."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


class LandmarkFinder(Protocol):
    """Says where the eyes, the nose and the mouth of a found face are."""

    def look_again(self, image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Landmarks:
        """Return the landmarks of faces found in a picture, boxes (N, 4), more exactly than finding them did.

        What is recognised depends on them; whoever is only followed can do without.
        """
        ...


class FaceDetector(LandmarkFinder, Protocol):
    """Finds faces. One instance serves one thread at a time."""

    def detect(self, image_rgb: NDArray[np.uint8], min_face_px: int) -> Detections:
        """Find the faces of a picture, shape (H, W, 3), whose side is at least about *min_face_px*."""
        ...


class VideoFaceDetector(FaceDetector, Protocol):
    """Finds faces, and finds those again that it knows where to look for."""

    def detect_near(self, image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Detections:
        """Find the faces of a picture, shape (H, W, 3), around boxes, shape (N, 4), and nowhere else."""
        ...
