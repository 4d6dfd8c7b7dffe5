"""What the peer ``face_recognition`` makes of pictures; runs in the peer's environment, without Mien.

Without arguments: reads a path per line, answers each with ``{"path", "vector"}``, the face nearest to the
centre by its own detector, landmarks and network; null without a face. With a file of aligned faces, uint8
RGB (N, 150, 150, 3): prints the processor milliseconds that its network takes for one of them, as JSON.
"""

import json
import sys
import time

import dlib
import face_recognition
import face_recognition_models
import numpy as np


def encode(path: str) -> list[float] | None:
    """Return the vector of a picture's central face, 128 values."""
    picture = face_recognition.load_image_file(path)
    boxes = face_recognition.face_locations(picture)  # (top, right, bottom, left)
    if not boxes:
        return None
    height, width = picture.shape[:2]
    central = min(boxes, key=lambda box: (box[0] + box[2] - height) ** 2 + (box[1] + box[3] - width) ** 2)
    (vector,) = face_recognition.face_encodings(picture, [central])
    return [float(value) for value in vector]


def cpu_ms_per_face(crops_path: str) -> float:
    """Return what the network alone takes for an aligned face."""
    crops = np.load(crops_path)
    model_path = face_recognition_models.face_recognition_model_location()
    network = dlib.face_recognition_model_v1(model_path)
    network.compute_face_descriptor(crops[0])
    before = time.process_time()
    for crop in crops:
        network.compute_face_descriptor(crop)
    return 1000 * (time.process_time() - before) / len(crops)


def main() -> None:
    """Answer until the input ends."""
    if sys.argv[1:]:
        print(json.dumps(cpu_ms_per_face(sys.argv[1])))
        return
    for line in sys.stdin:
        path = line.rstrip("\n")
        print(json.dumps({"path": path, "vector": encode(path)}), flush=True)


if __name__ == "__main__":
    main()
