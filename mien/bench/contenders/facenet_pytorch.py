"""``facenet-pytorch``: MTCNN in PyTorch."""

from collections.abc import Callable
from typing import Any

import torch
from facenet_pytorch import MTCNN

from mien.bench.contenders.answering import Faces, answer


def _make(min_face_px: int) -> Callable[[Any], Faces]:
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    detector = MTCNN(min_face_size=min_face_px, keep_all=True, device=torch.device("cpu"))

    def detect(image_rgb: Any) -> Faces:
        boxes, scores, landmarks = detector.detect(image_rgb, landmarks=True)
        if boxes is None:
            return {"boxes_xyxy": [], "scores": [], "landmarks_xy": []}
        return {
            "boxes_xyxy": boxes.tolist(),
            "scores": scores.tolist(),
            "landmarks_xy": landmarks.tolist(),
        }

    return detect


if __name__ == "__main__":
    answer(_make)
