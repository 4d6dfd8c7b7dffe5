"""What the peer ``fer`` says of aligned faces, and what that costs; runs in its environment, without Mien.

Takes the path of faces, uint8 RGB (N, S, S, 3), as ``.npy``, and the pixels to leave out on each side. Prints
JSON: ``labels``, ``scores`` (N rows) and ``cpu_ms`` of a face on one thread.
"""

import json
import sys
import time

import numpy as np
import tensorflow
from fer.fer import FER  # type: ignore[import-not-found]  # only in its own environment


def main() -> None:
    """Ask face by face, as its users do; the first one warms up."""
    tensorflow.config.threading.set_intra_op_parallelism_threads(1)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    faces = np.load(sys.argv[1])
    margin = int(sys.argv[2])
    side = faces.shape[1] - 2 * margin
    # Its own offsets would add a border around a detector's box; these faces are framed already.
    reader = FER(offsets=(0, 0))
    rectangle = [(margin, margin, side, side)]
    faces_bgr = np.ascontiguousarray(faces[..., ::-1])
    reader.detect_emotions(faces_bgr[0], rectangle)
    before = time.process_time()
    answers = [reader.detect_emotions(face, rectangle) for face in faces_bgr]
    cpu_ms = 1000 * (time.process_time() - before) / len(faces)
    emotions = [answer[0]["emotions"] for answer in answers]
    labels = list(emotions[0])
    scores = [[float(emotion[label]) for label in labels] for emotion in emotions]
    print(json.dumps({"labels": labels, "scores": scores, "cpu_ms": cpu_ms}))


if __name__ == "__main__":
    main()
