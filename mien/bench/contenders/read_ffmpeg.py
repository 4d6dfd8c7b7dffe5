"""Reading cameras with an ``ffmpeg`` process each that decodes, as Frigate and its like do.

It writes raw pictures to a pipe, scaled and so many a second; this program looks for motion and makes JPEGs
of them. With ``--jpeg`` the process makes the JPEGs itself, nobody looks for motion, and the pipe is read.
Standard library, ``imageio-ffmpeg``, which carries the program, NumPy and simplejpeg: it runs in the peer's
environment. Processor time is that of the processes and of this one.
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
import numpy as np
import simplejpeg

_START_SECONDS = 30.0
# What piled up while a camera was opened comes in a burst, whoever reads it.
_SETTLE_SECONDS = 3.0
_CHUNK = 1 << 16
_END_OF_JPEG = b"\xff\xd9"
_LUMA_STRIDE = 8
_LUMA_STEP = 20
_AREA_RATIO = 0.004
_SIZE_WH = (1280, 720)
"""Of the cameras that are measured: raw pictures don't tell."""


class Camera:
    """One camera's process and what it has delivered."""

    def __init__(self, camera: dict[str, Any], *, makes_jpegs: bool) -> None:
        self.pictures = 0
        self.jpeg_bytes = 0
        url, fps, width = camera["url"], camera["sampled_fps"], camera["frame_width_px"]
        self._size_wh = (width, _SIZE_WH[1] * width // _SIZE_WH[0])
        # Parts of MJPEG have no time of their own; FFmpeg would take them for 25 a second.
        mjpeg = ["-use_wallclock_as_timestamps", "1", "-f", "mpjpeg"]
        source = ["-rtsp_transport", "tcp"] if url.startswith("rtsp:") else mjpeg
        filters = f"fps={fps},scale={width}:-2:flags=area"
        # -q:v 3 gives pictures of about the size of quality 80.
        jpegs = ["-q:v", "3", "-f", "mjpeg"]
        raw = ["-pix_fmt", "yuvj420p", "-f", "rawvideo"]
        output = ["-an", "-vf", filters, *(jpegs if makes_jpegs else raw), "-threads", "1", "pipe:1"]
        program = imageio_ffmpeg.get_ffmpeg_exe()
        command = [program, "-loglevel", "error", "-nostdin", "-threads", "1", *source, "-i", url, *output]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)
        threading.Thread(
            target=self._count_jpegs if makes_jpegs else self._take_pictures, daemon=True
        ).start()

    def _count_jpegs(self) -> None:
        assert self.process.stdout is not None
        last = b""
        while chunk := os.read(self.process.stdout.fileno(), _CHUNK):
            self.pictures += (last + chunk).count(_END_OF_JPEG)
            self.jpeg_bytes += len(chunk)
            last = chunk[-1:]

    def _take_pictures(self) -> None:
        assert self.process.stdout is not None
        width, height = self._size_wh
        reference = None
        while len(data := self.process.stdout.read(width * height * 3 // 2)) == width * height * 3 // 2:
            luma, *chroma = _planes(np.frombuffer(data, np.uint8), width, height)
            coarse = luma[::_LUMA_STRIDE, ::_LUMA_STRIDE].astype(np.int16)
            moved = reference is None or (np.abs(coarse - reference) > _LUMA_STEP).mean() > _AREA_RATIO
            reference = coarse if moved else reference
            # Every picture is made a JPEG, as for a camera that somebody watches.
            jpeg = simplejpeg.encode_jpeg_yuv_planes(luma, *chroma, quality=80)
            self.pictures += 1
            self.jpeg_bytes += len(jpeg)

    def cpu_seconds(self) -> float:
        """Return the processor time of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _planes(data: Any, width: int, height: int) -> list[Any]:
    luma, half = width * height, (height // 2, width // 2)
    blue, red = data[luma : luma * 5 // 4], data[luma * 5 // 4 :]
    return [data[:luma].reshape(height, width), blue.reshape(half), red.reshape(half)]


def read(reading: dict[str, Any], *, makes_jpegs: bool) -> dict[str, Any]:
    """Read cameras for a while once all of them deliver."""
    cameras = [Camera(camera, makes_jpegs=makes_jpegs) for camera in reading["cameras"]]
    deadline = time.monotonic() + _START_SECONDS
    try:
        while any(not camera.pictures for camera in cameras):
            if time.monotonic() > deadline:
                raise SystemExit("a camera delivers nothing")
            time.sleep(0.1)
        time.sleep(_SETTLE_SECONDS)
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
        print(json.dumps(read(json.loads(line), makes_jpegs="--jpeg" in sys.argv[1:])), flush=True)
