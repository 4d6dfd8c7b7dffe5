"""Reading cameras with an ``ffmpeg`` process each that writes JPEGs to a pipe, as many recorders do.

Standard library and the ``imageio-ffmpeg`` package, which carries the program: it runs in the peer's
environment. Only the pipe's reader is ours; its time is counted, too, and is small.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import imageio_ffmpeg

_START_SECONDS = 30.0
_CHUNK = 1 << 16
_END_OF_JPEG = b"\xff\xd9"


class Camera:
    """One camera's process and what it has delivered."""

    def __init__(self, camera: dict[str, Any]) -> None:
        self.pictures = 0
        self.jpeg_bytes = 0
        url, fps, width = camera["url"], camera["sampled_fps"], camera["frame_width_px"]
        rtsp = ["-rtsp_transport", "tcp"] if url.startswith("rtsp:") else ["-f", "mpjpeg"]
        filters = f"fps={fps},scale='min({width},iw)':-2:flags=area"
        # -q:v 3 gives pictures of about the size of quality 80.
        output = ["-an", "-vf", filters, "-q:v", "3", "-f", "mjpeg", "-threads", "1", "pipe:1"]
        program = imageio_ffmpeg.get_ffmpeg_exe()
        command = [program, "-loglevel", "error", "-nostdin", "-threads", "1", *rtsp, "-i", url, *output]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        assert self.process.stdout is not None
        last = b""
        while chunk := os.read(self.process.stdout.fileno(), _CHUNK):
            self.pictures += (last + chunk).count(_END_OF_JPEG)
            self.jpeg_bytes += len(chunk)
            last = chunk[-1:]

    def cpu_seconds(self) -> float:
        """Return the processor time of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read(reading: dict[str, Any]) -> dict[str, Any]:
    """Read cameras for a while once all of them deliver."""
    cameras = [Camera(camera) for camera in reading["cameras"]]
    deadline = time.monotonic() + _START_SECONDS
    try:
        while any(not camera.pictures for camera in cameras):
            if time.monotonic() > deadline:
                raise SystemExit("a camera delivers nothing")
            time.sleep(0.1)
        before = sum(camera.pictures for camera in cameras), sum(camera.jpeg_bytes for camera in cameras)
        began = time.monotonic()
        cpu_before = time.process_time() + sum(camera.cpu_seconds() for camera in cameras)
        time.sleep(reading["seconds"])
        cpu_after = time.process_time() + sum(camera.cpu_seconds() for camera in cameras)
        return {
            "pictures": sum(camera.pictures for camera in cameras) - before[0],
            "jpeg_bytes": sum(camera.jpeg_bytes for camera in cameras) - before[1],
            "cpu_seconds": cpu_after - cpu_before,
            "seconds": time.monotonic() - began,
        }
    finally:
        for camera in cameras:
            camera.process.kill()
            camera.process.wait()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(read(json.loads(line))), flush=True)
