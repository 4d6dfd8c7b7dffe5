"""OpenCV's Haar cascade for frontal faces, with the parameters of OpenCV's own tutorial but a smallest face.

It knows no landmarks. Its scores are how sure the last stage was, no probabilities.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from mien.bench.contenders.answering import Faces, answer

# In the environment that this runs in; Mien's own is OpenCV 5, which has no cascades.
_opencv4: Any = cv2


def _make(min_face_px: int) -> Callable[[Any], Faces]:
    folder = Path(_opencv4.data.haarcascades)
    cascade = _opencv4.CascadeClassifier(str(folder / "haarcascade_frontalface_default.xml"))

    def detect(image_rgb: Any) -> Faces:
        grey = cv2.equalizeHist(cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY))
        found, _, weights = cascade.detectMultiScale3(
            grey, scaleFactor=1.1, minNeighbors=3, minSize=(min_face_px, min_face_px), outputRejectLevels=True
        )
        return {
            "boxes_xyxy": [[float(x), float(y), float(x + w), float(y + h)] for x, y, w, h in found],
            "scores": [float(weight) for weight in weights],
            "landmarks_xy": [],
        }

    return detect


if __name__ == "__main__":
    answer(_make)
