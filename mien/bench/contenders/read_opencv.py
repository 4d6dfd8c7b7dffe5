"""Reading cameras with OpenCV's ``VideoCapture``: a thread each, every picture taken in, five a second kept.

Standard library and OpenCV alone: it runs in the peer's environment. One decoder thread, as for our readers;
with OpenCV's default of several a picture comes two pictures later.
"""

import json
import sys
import threading
import time
from typing import Any

import cv2

_cv2: Any = cv2
_START_SECONDS = 30.0
# What piled up while a camera was opened comes in a burst, whoever reads it.
_SETTLE_SECONDS = 3.0


class Camera:
    """One camera and what it has delivered."""

    def __init__(self, camera: dict[str, Any]) -> None:
        self.pictures = 0
        self.jpeg_bytes = 0
        self.stop = threading.Event()
        self._camera = camera
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        options = [_cv2.CAP_PROP_N_THREADS, 1]
        capture = _cv2.VideoCapture(self._camera["url"], _cv2.CAP_FFMPEG, options)
        interval = 1 / self._camera["sampled_fps"]
        due = time.monotonic()
        while not self.stop.is_set() and capture.grab():
            if time.monotonic() < due:
                continue
            due += interval
            taken, image = capture.retrieve()
            if taken:
                self._keep(image)
        capture.release()

    def _keep(self, image: Any) -> None:
        height, width = image.shape[:2]
        wanted = self._camera["frame_width_px"]
        if width > wanted:
            size = (wanted, round(height * wanted / width))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])
        self.pictures += 1
        self.jpeg_bytes += len(jpeg)


def read(reading: dict[str, Any]) -> dict[str, Any]:
    """Read cameras for a while once all of them deliver."""
    cameras = [Camera(camera) for camera in reading["cameras"]]
    for camera in cameras:
        camera.thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while any(not camera.pictures for camera in cameras):
        if time.monotonic() > deadline:
            raise SystemExit("a camera delivers nothing")
        time.sleep(0.1)
    time.sleep(_SETTLE_SECONDS)
    before = sum(camera.pictures for camera in cameras), sum(camera.jpeg_bytes for camera in cameras)
    cpu_before, began = time.process_time(), time.monotonic()
    time.sleep(reading["seconds"])
    answer = {
        "pictures": sum(camera.pictures for camera in cameras) - before[0],
        "jpeg_bytes": sum(camera.jpeg_bytes for camera in cameras) - before[1],
        "cpu_seconds": time.process_time() - cpu_before,
        "seconds": time.monotonic() - began,
    }
    for camera in cameras:
        camera.stop.set()
    for camera in cameras:
        camera.thread.join(10)
    return answer


if __name__ == "__main__":
    cv2.setNumThreads(1)
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line))), flush=True)
