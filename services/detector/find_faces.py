"""Faces of picture files, for whoever prepares data or measures: ``python -m services.detector.find_faces``.

Reads one JSON string, a path, per line of standard input; answers each with a line of standard output, a
``FacesFound`` of :mod:`mien.contracts.find_faces`.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec

from mien.contracts.find_faces import FacesFound
from mien.vision.jpeg import MAX_PIXELS
from services.detector.detection import FaceDetector
from services.detector.mtcnn import MtcnnDetector


def find_faces(path: str, detector: FaceDetector, *, min_faces_px: Sequence[int]) -> FacesFound:
    """Find the faces of a picture file of any format that OpenCV reads, the best first.

    The sizes are tried in their order until there is a face, as for photos that are enrolled.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return FacesFound(path=path, error=f"could not be read: {error.strerror}")
    picture = cv2.imread(path, cv2.IMREAD_COLOR_RGB) if data else None
    if picture is None:
        return FacesFound(path=path, error=f"expected a picture, got {len(data)} bytes that don't decode")
    height, width = picture.shape[:2]
    if height * width > MAX_PIXELS:
        return FacesFound(path=path, error=f"expected at most {MAX_PIXELS} pixels, got {width}x{height}")
    started = time.process_time()
    for min_face_px in min_faces_px:
        found = detector.detect(picture, min_face_px)
        if len(found):
            break
    cpu_ms = (time.process_time() - started) * 1e3
    landmarks = detector.look_again(picture, found.boxes_xyxy)
    return FacesFound(
        path=path,
        size_wh=(width, height),
        boxes_xyxy=found.boxes_xyxy.tolist(),
        scores=found.scores.tolist(),
        landmarks_xy=landmarks.tolist(),
        cpu_ms=cpu_ms,
    )


def main() -> None:
    """Answer each line until the input ends."""
    parser = argparse.ArgumentParser(description="Find faces in picture files: paths in, JSON out.")
    parser.add_argument(
        "--min-face-px",
        type=int,
        nargs="+",
        default=[40],
        help="smallest face side, pixels; each further one is tried where there is no face so far",
    )
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detector, encoder = MtcnnDetector(), msgspec.json.Encoder()
    for line in sys.stdin.buffer:
        found = find_faces(msgspec.json.decode(line, type=str), detector, min_faces_px=arguments.min_face_px)
        sys.stdout.buffer.write(encoder.encode(found) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
