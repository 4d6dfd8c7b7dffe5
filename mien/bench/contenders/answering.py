"""The same loop around every contender: a path in, its faces and the CPU time of finding them out."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import cv2


class Faces(TypedDict):
    """What a contender found, as its fields are called in ``FacesFound``; plain floats."""

    boxes_xyxy: Sequence[Sequence[float]]
    scores: Sequence[float]
    landmarks_xy: Sequence[Sequence[Sequence[float]]]


def answer(make: Callable[[int], Callable[[Any], Faces]]) -> None:
    """Make a detector for the smallest face asked for, then answer each line until the input ends.

    The detector takes a picture, RGB uint8, shape (H, W, 3). Reading the file is not part of the time.
    """
    parser = argparse.ArgumentParser(description="Find faces in picture files: paths in, JSON out.")
    parser.add_argument("--min-face-px", type=int, default=40, help="smallest face side, pixels")
    cv2.setNumThreads(1)
    detect = make(parser.parse_args().min_face_px)
    for line in sys.stdin:
        path = json.loads(line)
        bgr = cv2.imread(path)
        if bgr is None:
            print(json.dumps({"path": path, "error": "expected a picture"}), flush=True)
            continue
        rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        started = time.process_time()
        faces = detect(rgb)
        cpu_ms = (time.process_time() - started) * 1e3
        height, width = rgb.shape[:2]
        print(json.dumps({"path": path, "size_wh": [width, height], "cpu_ms": cpu_ms, **faces}), flush=True)
