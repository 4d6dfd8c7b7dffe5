"""How fast the detector is and what it finds: ``python -m tests.bench.bench_detect``.

One thread; CPU time of the process, so that a busy machine disturbs little. Needs the real faces beside the
repository. Writes ``docs/measurements/detect.json``.
"""

import resource
import statistics
import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.bench.record import write_measurement
from mien.vision.boxes import overlap_matrix
from services.detector.mtcnn import MtcnnDetector
from tests.unit.detector.staged import boxes_by_picture, read_rgb, require

_SIZES_WH = ((640, 360), (1280, 720))
_MIN_FACES_PX = (20, 40, 60)
_REPETITIONS = 15


def measure_cost(detector: MtcnnDetector, picture: NDArray[np.uint8], min_face_px: int) -> dict[str, Any]:
    """Return the median CPU time of a picture, milliseconds, and how many faces it has."""
    faces = len(detector.detect(picture, min_face_px))
    spent = []
    for _ in range(_REPETITIONS):
        started = time.process_time()
        detector.detect(picture, min_face_px)
        spent.append((time.process_time() - started) * 1e3)
    height, width = picture.shape[:2]
    return {
        "size_wh": [width, height],
        "min_face_px": min_face_px,
        "faces": faces,
        "cpu_ms": round(statistics.median(spent), 2),
    }


def measure_recall(detector: MtcnnDetector, min_face_px: int) -> float:
    """Return the share of the checked boxes of at least this size that are found at IoU 0.4 or more."""
    found = known = 0
    for path, boxes in boxes_by_picture(require("verified_groups")).items():
        large = boxes[(boxes[:, 2:] - boxes[:, :2]).max(axis=1) >= min_face_px]
        seen = detector.detect(read_rgb(path), min_face_px).boxes_xyxy
        found += int((overlap_matrix(large, seen).max(axis=1, initial=0) >= 0.4).sum())
        known += len(large)
    return found / known


def main() -> None:
    """Measure and write down."""
    cv2.setNumThreads(1)
    detector = MtcnnDetector()
    pictures = [read_rgb(path) for path in boxes_by_picture(require("verified_groups"))]
    runs = [
        measure_cost(detector, np.asarray(cv2.resize(picture, size), np.uint8), min_face_px)
        for size in _SIZES_WH
        for min_face_px in _MIN_FACES_PX
        for picture in pictures
    ]
    summary: dict[str, Any] = {
        f"cpu_ms_{height}p_min_face_{min_face_px}": statistics.median(
            run["cpu_ms"] for run in runs if run["size_wh"][1] == height and run["min_face_px"] == min_face_px
        )
        for _, height in _SIZES_WH
        for min_face_px in _MIN_FACES_PX
    }
    summary |= {
        "recall_verified_groups": measure_recall(detector, 20),
        "recall_verified_groups_min_face_40": measure_recall(detector, 40),
        "false_faces_on_negatives": sum(
            len(detector.detect(read_rgb(path), 20)) for path in require("negatives").iterdir()
        ),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    path = write_measurement("detect", runs=runs, summary=summary)
    print(f"{path}: {summary}")


if __name__ == "__main__":
    main()
