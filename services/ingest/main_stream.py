"""A camera's main stream: read but not decoded, until close-ups are wanted of it."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from mien.contracts.cameras import Camera
from mien.contracts.topics import MAX_MESSAGE_BYTES
from mien.runtime import metrics
from services.ingest.closeups import PictureRing, Unusable, find_same_time, why_unusable
from services.ingest.config import IngestSettings
from services.ingest.picture import DamagedPictureError, Picture, fit_width
from services.ingest.reader import Sample
from services.ingest.sources import OpenSource, VideoSource, open_source
from services.ingest.stream import StreamReader

WhyNot = Literal["away", "starting", "late", "apart", "corrupt", "too_large"] | Unusable

_SILENT_SECONDS: Final = 1.0
# A connection begins with what has piled up while it was opened: until that is read, pictures are older
# than they seem.
_SETTLING_SECONDS: Final = 3.0
# Room for what Kafka puts around a record, and for the frame's other headers.
_ENVELOPE_BYTES: Final = 64 * 1024


@dataclass(frozen=True)
class Closeup:
    """The main stream's picture of a sample's moment."""

    jpeg: bytes
    size_wh: tuple[int, int]


class MainStreamReader(StreamReader):
    """Keeps the last pictures of a main stream for as long as they are wanted.

    Attributes:
        wanted: Whether somebody wants close-ups. While nobody does, only the first picture of a connection
            is decoded, to know that there is one and how large it is.
        is_usable: Whether its pictures are larger than the camera's and of the same shape.
        ring: The last pictures.
    """

    kind = "main_stream"

    def __init__(
        self,
        camera: Camera,
        settings: IngestSettings,
        *,
        on_picture: Callable[[], None],
        on_change: Callable[[], None],
        open_camera: OpenSource = open_source,
    ) -> None:
        super().__init__(camera, settings, on_change=on_change, open_camera=open_camera)
        self.wanted = False
        self.is_usable = True
        self.ring = PictureRing(
            max_pictures=settings.closeup_ring_pictures, max_bytes=settings.closeup_ring_bytes
        )
        self._on_picture = on_picture

    @property
    def closeup_wh(self) -> tuple[int, int] | None:
        """Size of its close-ups, None before the first picture."""
        size_wh = self.report.size_wh
        return None if size_wh is None else fit_width(size_wh, self.settings.closeup_max_width_px)

    def _begin(self) -> None:
        self.ring.clear()

    def _take(self, picture: Picture, source: VideoSource) -> None:
        if self.wanted:
            self.ring.add(picture)
            self._on_picture()

    def _steer(self, source: VideoSource) -> None:
        source.decode = "all"  # faces are cut out of the picture of a moment, whichever that is
        source.is_wanted = (self.wanted and self.is_usable) or self.report.state != "streaming"
        if not self.wanted:
            self.ring.clear()
        if not source.is_wanted:
            self.picture_at = self.progress_at  # it would give a picture if it were asked for one

    def _count_reconnect(self, reason: str) -> None:
        super()._count_reconnect(f"main_stream_{reason}")


class MainStream:
    """A main stream as the event loop sees it: its reader, and whoever waits for one of its pictures."""

    def __init__(
        self,
        camera: Camera,
        settings: IngestSettings,
        *,
        on_change: Callable[[], None],
        open_camera: OpenSource = open_source,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._settings = settings
        self._arrived = asyncio.Event()
        self._opening = 0
        self._opened_at = 0.0

        def on_picture() -> None:
            loop.call_soon_threadsafe(self._arrived.set)

        self.reader = MainStreamReader(
            camera,
            settings,
            on_picture=on_picture,
            on_change=on_change,
            open_camera=open_camera,
        )

    async def closeup_of(self, sample: Sample) -> Closeup | None:
        """Return the picture of a sample's moment; None when it isn't wanted, or for a reason, counted.

        It may have to be waited for: a large picture arrives later than a small one of the same moment.
        """
        if sample.opening != self._opening:
            self._opening, self._opened_at = sample.opening, time.monotonic()
        if not self.reader.wanted or sample.for_viewer:
            return None
        found = await self._find(sample)
        outcome, closeup = ("attached", found) if isinstance(found, Closeup) else (found, None)
        metrics.CLOSEUPS.labels("ingest", outcome).inc()
        return closeup

    async def _find(self, sample: Sample) -> Closeup | WhyNot:
        reader, settings = self.reader, self._settings
        is_silent = time.monotonic() - reader.picture_at > _SILENT_SECONDS
        if reader.report.state != "streaming" or reader.closeup_wh is None or is_silent:
            return "away"
        why = why_unusable(sample.size_wh, reader.closeup_wh)
        reader.is_usable = why is None
        if why is not None:
            return why
        if self._is_settling():
            return "starting"
        picture = await self._picture_of(sample)
        if isinstance(picture, str):
            return picture
        try:
            jpeg, size_wh = await asyncio.to_thread(
                picture.to_jpeg,
                max_width_px=settings.closeup_max_width_px,
                quality=settings.closeup_jpeg_quality,
            )
        except DamagedPictureError:
            return "corrupt"
        room = min(settings.closeup_max_bytes, MAX_MESSAGE_BYTES - _ENVELOPE_BYTES - len(sample.jpeg))
        return Closeup(jpeg, size_wh) if len(jpeg) <= room else "too_large"

    def _is_settling(self) -> bool:
        sub_seconds = time.monotonic() - self._opened_at
        main_seconds = (time.time_ns() - self.reader.report.since_ns) / 1e9
        return min(sub_seconds, main_seconds) < _SETTLING_SECONDS

    async def _picture_of(self, sample: Sample) -> Picture | WhyNot:
        ring = self.reader.ring
        if not ring.pictures():
            return "starting"
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.closeup_wait_seconds):
                while not (match := find_same_time(ring.pictures(), sample)).is_final:
                    self._arrived.clear()
                    await self._arrived.wait()
                return match.picture or "apart"
        return find_same_time(ring.pictures(), sample).picture or "late"


def main_stream_of(camera: Camera) -> Camera | None:
    """Return a camera's main stream as a camera of its own, decoded exactly, or None when it has none."""
    if camera.main_stream_url is None:
        return None
    return msgspec.structs.replace(
        camera, url=camera.main_stream_url, main_stream_url=None, kind=None, loop_filter="on"
    )
