"""Finding a frame's faces again in the main stream's picture of the same moment. No I/O."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.vision.boxes import overlap_matrix
from mien.vision.jpeg import ImageError, decode_jpeg_rgb
from services.detector.detection import Detections, FaceDetector

CloseupOutcome = Literal["used", "no_face", "no_better", "other_view", "broken"]

# Pictures of different shapes don't show the same part of the world, so boxes can't be carried over.
_LIKE_SHAPES: Final = 0.03
# Around the expected face, in sides of its box, on each side: what a head moves in half a picture's time,
# and what the small picture's box is off by.
_MARGIN: Final = 0.6
# A face found there is the one expected if it overlaps its box by this much.
_LEAST_OVERLAP: Final = 0.3
_LEAST_SIZE: Final = 0.6
_MIN_FACE_PX: Final = 20


@dataclass(frozen=True, eq=False)
class FaceView:
    """A face and the picture it is in: box (4,) and landmarks (5, 2) in pixels of the picture."""

    image_rgb: NDArray[np.uint8]
    box_xyxy: NDArray[np.float32]
    landmarks_xy: NDArray[np.float32]
    score: float

    @classmethod
    def of(cls, image_rgb: NDArray[np.uint8], detections: Detections, row: int) -> "FaceView":
        """Return one of the faces detected in a picture."""
        return cls(
            image_rgb,
            detections.boxes_xyxy[row],
            detections.landmarks_xy[row],
            float(detections.scores[row]),
        )


class Closeup:
    """The main stream's picture of a frame's moment, decoded only when a face of it is asked for.

    Attributes:
        outcomes: What came of each face that was asked for.
    """

    def __init__(
        self, jpeg: bytes, *, frame_wh: tuple[int, int], detector: FaceDetector, max_pixels: int
    ) -> None:
        self.outcomes: Counter[CloseupOutcome] = Counter()
        self._jpeg = jpeg
        self._frame_wh = frame_wh
        self._detector = detector
        self._max_pixels = max_pixels
        self._image_rgb: NDArray[np.uint8] | None = None
        self._useless: CloseupOutcome | None = None

    def find(self, box_xyxy: NDArray[np.float32]) -> FaceView | None:
        """Find the face of a box (4,), in pixels of the frame; None when it isn't there.

        Landmarks that were found in the small picture are off by pixels of the large one, and the face may
        have moved, so it is detected anew where it is expected.
        """
        image = self._decoded()
        if image is None:
            self.outcomes[self._useless or "broken"] += 1
            return None
        scale = np.array([image.shape[1], image.shape[0]], np.float32) / np.array(self._frame_wh, np.float32)
        expected = box_xyxy * np.tile(scale, 2)
        view = self._detect_near(image, expected)
        if view is None:
            self.outcomes["no_face"] += 1
        return view

    def _decoded(self) -> NDArray[np.uint8] | None:
        if self._image_rgb is None and self._useless is None:
            try:
                self._image_rgb = decode_jpeg_rgb(self._jpeg, max_pixels=self._max_pixels)
            except ImageError:
                self._useless = "broken"
            else:
                height, width = self._image_rgb.shape[:2]
                shape_ratio = (width / height) / (self._frame_wh[0] / self._frame_wh[1])
                if abs(shape_ratio - 1) > _LIKE_SHAPES:
                    self._useless, self._image_rgb = "other_view", None
        return self._image_rgb

    def _detect_near(
        self, image_rgb: NDArray[np.uint8], expected_xyxy: NDArray[np.float32]
    ) -> FaceView | None:
        height, width = image_rgb.shape[:2]
        side = float((expected_xyxy[2:] - expected_xyxy[:2]).max())
        corners = np.concatenate([expected_xyxy[:2] - _MARGIN * side, expected_xyxy[2:] + _MARGIN * side])
        left, top, right, bottom = np.clip(corners, 0, (width, height, width, height)).astype(int)
        region = np.ascontiguousarray(image_rgb[top:bottom, left:right])
        if not region.size:
            return None
        found = self._detector.detect(region, max(int(_LEAST_SIZE * side), _MIN_FACE_PX))
        if not len(found):
            return None
        corner = np.array([left, top], np.float32)
        boxes = found.boxes_xyxy + np.tile(corner, 2)
        overlaps = overlap_matrix(expected_xyxy[None], boxes)[0]
        best = int(overlaps.argmax())
        if overlaps[best] < _LEAST_OVERLAP:
            return None
        return FaceView(image_rgb, boxes[best], found.landmarks_xy[best] + corner, float(found.scores[best]))
