"""Shows a recording as MJPEG cameras.

As cameras and not by writing to the ``frames`` topic: ingest opens, samples and gates them like any other, so
what is shown is what the whole product does; nobody but ingest writes frames, and epochs keep their meaning.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

from mien.replay.recording import RecordedFrame, Recording, RecordingError
from mien.simulator.camera import Shown, SimulatedCamera
from mien.simulator.clips import RTP_HZ, AccessUnit, Codec
from mien.simulator.http import camera_app, serve_app

_CAMERA_ID_LENGTH: Final = 48
_LONE_FRAME_SECONDS: Final = 1.0


class RecordingEnded(Exception):  # noqa: N818 - it is no error
    """Every picture has been shown."""


@dataclass(frozen=True)
class VirtualCamera:
    """Whose pictures a virtual camera shows.

    Attributes:
        name: Its address, and its identifier where it is registered.
        first: Index of the picture that it begins with; copies of one camera begin apart.
        fps: Pictures per second that were recorded, on average.
    """

    name: str
    frames: tuple[RecordedFrame, ...]
    first: int
    fps: float


class RecordedSource:
    """The pictures of one recorded camera, read from disk one by one; MJPEG only."""

    is_live = True  # reading a file may take some milliseconds
    codec: Codec = "h264"
    parameter_sets: tuple[bytes, ...] = ()

    def __init__(self, folder: Path, camera: VirtualCamera, *, speed: float, loop: bool) -> None:
        self.size_wh = camera.frames[0].size_wh
        self._folder = folder
        self._loop = loop
        frames = camera.frames
        self._shown = list(zip(frames, durations_ticks(frames, speed=speed), strict=True))
        self._shown = self._shown[camera.first :] + self._shown[: camera.first]
        self._position = 0

    def next(self, *, with_jpeg: bool) -> Shown:
        """Return the next picture, and how long it was there before another came.

        Raises:
            RecordingEnded: There is none, and the recording is not looped.
        """
        if self._position == len(self._shown):
            if not self._loop:
                raise RecordingEnded
            self._position = 0
        frame, ticks = self._shown[self._position]
        self._position += 1
        jpeg = frame.path(self._folder).read_bytes() if with_jpeg else None
        return Shown(AccessUnit((), is_keyframe=True, duration_ticks=ticks), jpeg)


@dataclass(frozen=True)
class Replay:
    """Virtual cameras that can be reached.

    Attributes:
        addresses: By name.
    """

    cameras: Sequence[VirtualCamera]
    addresses: dict[str, str]
    _shows: Sequence[asyncio.Task[None]]

    async def ended(self) -> None:
        """Return when every camera has shown all it has; never while they loop.

        Raises:
            OSError: A picture can't be read any more.
        """
        await asyncio.gather(*self._shows)


@asynccontextmanager
async def replaying(
    recording: Recording,
    *,
    cameras: int | None = None,
    speed: float = 1.0,
    loop: bool = False,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Replay]:
    """Show a recording while the context is open; each camera begins when it is first opened.

    Args:
        cameras: How many; None for as many as were recorded.
        speed: 2 shows it in half the time.
        port: 0 takes a free one.

    Raises:
        RecordingError: It holds no pictures, or the port can't be had.
    """
    virtual = lay_out(recording, cameras)
    shown = {
        one.name: SimulatedCamera(
            one.name, RecordedSource(recording.folder, one, speed=speed, loop=loop), from_start=True
        )
        for one in virtual
    }
    shows: list[asyncio.Task[None]] = []
    try:
        async with serve_app(camera_app(shown, None), host=host, port=port) as bound:
            shows += [asyncio.create_task(_show(camera)) for camera in shown.values()]
            yield Replay(virtual, {name: f"http://{host}:{bound}/{name}.mjpg" for name in shown}, shows)
    except OSError as error:
        raise RecordingError(f"{recording.folder} can't be shown: {error}") from error
    finally:
        for task in shows:
            task.cancel()
        await asyncio.gather(*shows, return_exceptions=True)


def lay_out(recording: Recording, count: int | None) -> list[VirtualCamera]:
    """Return the virtual cameras: the recorded ones in turn, copies of one begin evenly spread over it.

    Raises:
        RecordingError: Nothing was recorded.
    """
    if not recording.frames:
        raise RecordingError(f"{recording.folder} holds no pictures")
    recorded = list(recording.frames.items())
    count = len(recorded) if count is None else count
    taken: set[str] = set()
    virtual = []
    for number in range(count):
        camera_id, frames = recorded[number % len(recorded)]
        copy, copies = number // len(recorded), -(-(count - number % len(recorded)) // len(recorded))
        name = _free_name(f"replay-{camera_id}", taken)
        taken.add(name)
        ticks = sum(durations_ticks(frames, speed=1.0))
        first = len(frames) * copy // copies
        virtual.append(VirtualCamera(name, frames, first, len(frames) * RTP_HZ / ticks))
    return virtual


def durations_ticks(frames: Sequence[RecordedFrame], *, speed: float) -> list[int]:
    """Return how long each picture is shown, in 1/90000 s: until the next came, the last as a typical one."""
    times = [frame.captured_at_ns for frame in frames]
    seconds = [(after - before) / 1e9 for before, after in pairwise(times)]
    seconds.append(median(seconds) if seconds else _LONE_FRAME_SECONDS)
    return [max(round(one * RTP_HZ / speed), 1) for one in seconds]


async def _show(camera: SimulatedCamera) -> None:
    try:
        await camera.run()
    except RecordingEnded:
        camera.drop()


def _free_name(wanted: str, taken: set[str]) -> str:
    name, number = wanted[:_CAMERA_ID_LENGTH].rstrip("-"), 1
    while name in taken:
        number += 1
        end = f"-{number}"
        name = wanted[: _CAMERA_ID_LENGTH - len(end)].rstrip("-") + end
    return name
