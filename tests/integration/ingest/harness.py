"""Simulated cameras in this process, readers that watch them, and the ingest service as a process."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np

from mien.contracts.cameras import Camera
from mien.runtime.secrets import new_key
from mien.runtime.settings import CameraNetworkSettings
from mien.simulator.auth import Credentials
from mien.simulator.camera import ClipSource, SimulatedCamera
from mien.simulator.clips import load_clip
from mien.simulator.simulator import CameraSimulator, run_simulator
from services.ingest.config import IngestSettings
from services.ingest.reader import CameraReader, Sample

REPOSITORY = Path(__file__).parents[3]
DEADLINE_SECONDS = 30.0
CREDENTIALS = Credentials("ad@min", "p@ss:w/rd#1%")
SECRET_KEY = new_key()
SETTINGS = IngestSettings(
    open_timeout_seconds=1.5,
    stall_timeout_seconds=2,
    first_retry_seconds=0.1,
    longest_retry_seconds=0.5,
    heartbeat_seconds=0.2,
    cameras=CameraNetworkSettings(networks="private,public,loopback"),
)


def write_clip(
    path: Path,
    *,
    size_wh: tuple[int, int] = (320, 180),
    seconds: float = 2,
    moving: bool = True,
    codec: str = "libx264",
    **options: str,
) -> Path:
    """Write a test picture without B frames, a keyframe each half second; returns *path*."""
    width, height = size_wh
    rows, columns = np.mgrid[0:height, 0:width]
    with av.open(str(path), "w") as container:
        encoder = {"preset": "ultrafast", "bf": "0", "g": "7", **options}
        if codec == "libx265":
            encoder["x265-params"] = "bframes=0:keyint=7:min-keyint=7:log-level=none"
        stream = container.add_stream(codec, rate=15, options=encoder)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(int(seconds * 15)):
            luma = (columns + rows + index * 12 * moving) % 256
            image = np.repeat(luma.astype(np.uint8)[..., None], 3, axis=2)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


async def until(condition: Callable[[], bool], what: object = "") -> None:
    """Wait until something holds; fails when it does not within the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_SECONDS:.0f} s in vain: {what}"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def simulated(path: Path, **options: Any) -> AsyncIterator[tuple[CameraSimulator, SimulatedCamera]]:
    """Run one simulated camera, named ``cam``, that asks for :data:`CREDENTIALS`."""
    camera = SimulatedCamera("cam", ClipSource(load_clip(path), with_jpegs=True))
    async with run_simulator(
        [camera], mjpeg_port=0, control_port=0, **{"credentials": CREDENTIALS, **options}
    ) as simulator:
        yield simulator, camera


class Watch:
    """A reader of one camera, with all it delivered and every state it was in."""

    def __init__(self, url: str, *, settings: IngestSettings = SETTINGS, **fields: Any) -> None:
        self.samples: list[Sample] = []
        self.states: list[str] = []
        self.reasons: list[str] = []
        known = {"username": CREDENTIALS.username, "password": CREDENTIALS.password, "sampled_fps": 5.0}
        camera = Camera(camera_id="cam", name="Cam", url=url, partition=0, **{**known, **fields})
        self.reader = CameraReader(camera, settings, deliver=self.samples.append, on_change=self._note)

    def _note(self) -> None:
        report = self.reader.report
        self.states.append(report.state)
        if report.failure is not None:
            self.reasons.append(report.failure.words)

    def change(self, **fields: Any) -> None:
        """Edit the camera while it is read."""
        self.reader.camera = msgspec.structs.replace(self.reader.camera, **fields)

    async def reaches(self, state: str) -> None:
        """Wait until the camera has been in a state."""
        await until(lambda: state in self.states, self.states)

    async def delivers(self, count: int) -> None:
        """Wait until so many samples have come."""
        await until(lambda: len(self.samples) >= count, self.reasons)

    async def streams_again(self) -> None:
        """Wait for the next picture."""
        seen = len(self.samples)
        await until(lambda: len(self.samples) > seen and self.reader.report.state == "streaming", self.states)


@asynccontextmanager
async def watching(url: str, **options: Any) -> AsyncIterator[Watch]:
    """Read a camera until the context is left; its thread must have ended by then."""
    watch = Watch(url, **options)
    watch.reader.start()
    try:
        yield watch
    finally:
        watch.reader.stop()
        assert await asyncio.to_thread(watch.reader.join, 10), "the reader's thread did not end"


def start_ingest(
    kafka_bootstrap: str, redis_url: str, *, partitions: int, log_path: Path, **settings: str
) -> subprocess.Popen[bytes]:
    """Start an ingest service as a process of its own."""
    with log_path.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "services.ingest"],
            cwd=REPOSITORY,
            stdout=log,
            stderr=log,
            env=os.environ
            | {
                "MIEN_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap,
                "MIEN_KAFKA_PARTITIONS": str(partitions),
                "MIEN_REDIS_URL": redis_url,
                "MIEN_CAMERAS_NETWORKS": "private,loopback",
                "MIEN_SECRETS_KEYS": SECRET_KEY,
                "MIEN_INGEST_HEARTBEAT_SECONDS": "0.2",
                "MIEN_INGEST_FIRST_RETRY_SECONDS": "0.1",
            }
            | settings,
        )
