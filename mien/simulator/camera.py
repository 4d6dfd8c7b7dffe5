"""A camera that shows a clip for ever to whoever watches, and misbehaves when it is told to."""

import asyncio
import copy
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import av

from mien.simulator import clock_strip
from mien.simulator.clips import (
    FPS,
    RTP_HZ,
    AccessUnit,
    Clip,
    Codec,
    Encoder,
    parameter_sets,
    read_pictures,
)
from mien.simulator.faults import Faults
from mien.vision.jpeg import encode_jpeg_rgb

BARCODE_SIZE_WH: Final = (640, 360)
_JPEG_QUALITY: Final = 80


@dataclass(frozen=True)
class Shown:
    """A picture at the moment it is sent, in both of its forms.

    Attributes:
        jpeg: None unless it was asked for.
        taken_at: Unix time at which a live picture was taken; others are taken when they are sent.
    """

    unit: AccessUnit
    jpeg: bytes | None
    taken_at: float | None = None


class Viewer(Protocol):
    """A connection that wants pictures.

    Attributes:
        began_at: Monotonic time at which it asked for them.
    """

    wants_jpeg: bool
    began_at: float

    def show(self, shown: Shown, ticks: int) -> None:
        """Take a picture; never blocks."""

    def disconnect(self) -> None:
        """End the connection."""


class PictureSource(Protocol):
    """Where a camera's pictures come from."""

    size_wh: tuple[int, int]
    codec: Codec
    parameter_sets: tuple[bytes, ...]
    is_live: bool

    def next(self, *, with_jpeg: bool) -> Shown:
        """Return the next picture, for ever; a live source may take some milliseconds."""


class ClipSource:
    """A clip in an endless loop; its JPEGs are made once, when it is built *with_jpegs*."""

    is_live = False

    def __init__(self, clip: Clip, *, with_jpegs: bool = False) -> None:
        self.size_wh = clip.size_wh
        self.codec = clip.codec
        self.parameter_sets = parameter_sets(clip.units, clip.codec)
        jpegs = [_to_jpeg(picture) for picture in read_pictures(clip.path)] if with_jpegs else []
        self._shown = []
        ticks = 0
        for unit in clip.units:
            at = min(ticks * FPS // RTP_HZ, len(jpegs) - 1)
            self._shown.append(Shown(unit, jpegs[at] if jpegs else None))
            ticks += unit.duration_ticks
        self._position = -1

    def copy_from(self, share: float) -> "ClipSource":
        """Return another one of the same pictures that begins at a share of the loop."""
        other = copy.copy(self)
        other._position = int(share * len(self._shown)) - 1
        return other

    def next(self, *, with_jpeg: bool) -> Shown:
        """Return the next picture of the loop."""
        self._position = (self._position + 1) % len(self._shown)
        return self._shown[self._position]


class BarcodeSource:
    """A file encoded live at 640x360, with the time burned into each picture (see ``clock_strip``)."""

    is_live = True
    codec: Codec = "h264"

    def __init__(self, path: Path) -> None:
        self.size_wh = BARCODE_SIZE_WH
        self._pictures = loop_pictures(path, BARCODE_SIZE_WH)
        self._encoder = Encoder(BARCODE_SIZE_WH)
        self.parameter_sets = parameter_sets((self.next(with_jpeg=False).unit,))
        self._encoder = Encoder(BARCODE_SIZE_WH)

    def next(self, *, with_jpeg: bool) -> Shown:
        """Draw the clock into the next picture and encode it."""
        return burn_in(next(self._pictures), time.time(), self._encoder, with_jpeg=with_jpeg)


class SimulatedCamera:
    """Shows one source to all its viewers at the pace of the pictures, and does wrong what it is told to.

    Args:
        from_start: The first picture is shown when the first viewer has come.
        delay_seconds: Until the first picture; cameras that begin together else show theirs in step.

    Attributes:
        faults: May be changed at any time.
        viewers: Who is shown the pictures; they come by :meth:`add_viewer`.
        openings: How many there have been.
    """

    def __init__(
        self, name: str, source: PictureSource, *, from_start: bool = False, delay_seconds: float = 0.0
    ) -> None:
        self.name = name
        self.source = source
        self.faults = Faults()
        self.viewers: set[Viewer] = set()
        self.openings = 0
        self._delay_seconds = delay_seconds
        self._may_begin = asyncio.Event()
        if not from_start:
            self._may_begin.set()
        self._still: Shown | None = None

    def add_viewer(self, viewer: Viewer) -> None:
        """Show pictures to one more; a camera that was made *from_start* begins with its first viewer."""
        self.viewers.add(viewer)
        self.openings += 1
        self._may_begin.set()

    def drop(self) -> None:
        """Close every connection."""
        for viewer in list(self.viewers):
            viewer.disconnect()

    def change_source(self, source: PictureSource) -> None:
        """Show something else; another size needs no new connection, another codec does."""
        other_codec = source.codec != self.source.codec
        self.source = source
        self._still = None
        if other_codec:
            self.drop()

    async def run(self) -> None:
        """Show pictures until cancelled."""
        await self._may_begin.wait()
        await asyncio.sleep(self._delay_seconds)
        pace = Pace()
        while True:
            await pace.wait(await self.show_next(pace.ticks))

    async def show_next(self, ticks: int) -> int:
        """Show the next picture under a time of the 90 kHz clock; returns how long it is shown, in ticks."""
        if self.faults.is_silent:
            # The clock goes on: the pictures after it are on time, and continue those before it.
            return RTP_HZ // FPS
        shown = await self._next()
        duration_ticks = max(round(shown.unit.duration_ticks / self.faults.rate), 1)
        shown = self._stand_still(shown)
        if self.faults.garbage:
            shown = _garble(shown)
        began_before = time.monotonic() - self.faults.slow_start
        for viewer in list(self.viewers):
            if viewer.began_at <= began_before:
                viewer.show(shown, ticks)
        return duration_ticks

    async def _next(self) -> Shown:
        with_jpeg = self.faults.freeze or any(viewer.wants_jpeg for viewer in self.viewers)
        if self.source.is_live:
            return await asyncio.to_thread(self.source.next, with_jpeg=with_jpeg)
        return self.source.next(with_jpeg=with_jpeg)

    def _stand_still(self, shown: Shown) -> Shown:
        """Return the picture, or the one that the camera is frozen at: it begins and ends at a keyframe."""
        if shown.unit.is_keyframe:
            self._still = (self._still or shown) if self.faults.freeze else None
        return self._still or shown


class Pace:
    """Keeps pictures to their times; one that is late does not delay those after it.

    Attributes:
        ticks: Time of the next picture on the 90 kHz clock.
    """

    def __init__(self) -> None:
        self.ticks = 0
        self._due = asyncio.get_running_loop().time()

    async def wait(self, duration_ticks: int) -> None:
        """Wait until the picture that was shown last has been shown for so long."""
        now = asyncio.get_running_loop().time
        self.ticks += duration_ticks
        self._due = max(self._due + duration_ticks / RTP_HZ, now() - 1.0)
        await asyncio.sleep(max(0.0, self._due - now()))


def loop_pictures(path: Path, size_wh: tuple[int, int]) -> Iterator[Any]:
    """Yield the pictures of a file again and again, scaled, as YUV 4:2:0 frames."""
    while True:
        yield from read_pictures(path, size_wh=size_wh)


def burn_in(picture: Any, taken_at: float, encoder: Encoder, *, with_jpeg: bool) -> Shown:
    """Draw the time at which a picture was taken into it, and encode it."""
    planes = picture.to_ndarray(format="yuv420p")
    clock_strip.draw(planes[: picture.height], int(taken_at * 1000))
    burned = av.VideoFrame.from_ndarray(planes, format="yuv420p")
    return Shown(encoder.encode(burned), _to_jpeg(burned) if with_jpeg else None, taken_at)


def _to_jpeg(picture: Any) -> bytes:
    return encode_jpeg_rgb(picture.to_ndarray(format="rgb24"), quality=_JPEG_QUALITY)


def _garble(shown: Shown) -> Shown:
    nals = tuple(os.urandom(len(nal)) for nal in shown.unit.nals)
    jpeg = None if shown.jpeg is None else os.urandom(len(shown.jpeg))
    return replace(shown, unit=replace(shown.unit, nals=nals), jpeg=jpeg)
