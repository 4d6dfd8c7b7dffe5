"""The ``mtcnn`` package: MTCNN in TensorFlow."""

from collections.abc import Callable
from typing import Any

import mtcnn
import numpy as np
import tensorflow as tf
from mtcnn.stages import stage_pnet

from mien.bench.contenders.answering import Faces, answer

_POINTS = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")


def _pyramid(width: int, height: int, min_face_size: int, scale_factor: float, min_size: int = 12) -> Any:
    """Return the scales of all levels on which the network fits.

    Version 1.0.0 counts them without regard to *min_face_size*, so that 40 and more crash it.
    """
    scales = []
    scale = min_size / min_face_size
    while min(width, height) * scale >= min_size:
        scales.append(scale)
        scale *= scale_factor
    return np.array(scales)


def _make(min_face_px: int) -> Callable[[Any], Faces]:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    stage_pnet.build_scale_pyramid = _pyramid
    detector = mtcnn.MTCNN()

    def detect(image_rgb: Any) -> Faces:
        found = detector.detect_faces(image_rgb, min_face_size=min_face_px, box_format="xyxy")
        return {
            "boxes_xyxy": [[float(value) for value in face["box"]] for face in found],
            "scores": [float(face["confidence"]) for face in found],
            "landmarks_xy": [
                [[float(value) for value in face["keypoints"][point]] for point in _POINTS] for face in found
            ],
        }

    return detect


if __name__ == "__main__":
    answer(_make)
