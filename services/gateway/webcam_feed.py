"""From a webcam's websocket to the broker: credits, a slot for the newest picture, and a steady pace."""

import asyncio
import io
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from PIL import Image, UnidentifiedImageError

from mien.contracts.cameras import Camera
from mien.contracts.frames import Frame
from mien.contracts.webcam import Credit
from mien.errors import TransientError
from mien.runtime import metrics

_LEAST_SIDE_PX: Final = 64


@dataclass(frozen=True)
class FrameLimits:
    """What a picture of a webcam may be, and how many may come."""

    max_bytes: int
    max_side_px: int
    fps: float
    credits: int


class FrameOutlet(Protocol):
    """Takes frames on to the broker."""

    async def publish(self, frame: Frame, *, partition: int) -> None:
        """Send a frame, or raise TransientError."""


@dataclass(frozen=True)
class _Picture:
    number: int
    jpeg: bytes
    captured_at_ns: int


class WebcamFeed:
    """Takes a browser's pictures while it has credit; the newest wins, and every drop is counted and told.

    Attributes:
        published: Frames that the broker has.
        size_wh: Of the last of them; None before the first.
        dropped: Pictures that went no further, by reason.
        offences: Pictures that were sent without credit.
    """

    def __init__(
        self,
        camera: Camera,
        epoch: int,
        limits: FrameLimits,
        outlet: FrameOutlet,
        *,
        give_credit: Callable[[Credit], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.published = 0
        self.size_wh: tuple[int, int] | None = None
        self.dropped: Counter[str] = Counter()
        self.offences = 0
        self._camera = camera
        self._epoch = epoch
        self._limits = limits
        self._outlet = outlet
        self._give_credit = give_credit
        self._clock = clock
        self._sleep = sleep
        self._credits = limits.credits
        self._received = 0
        self._slot: _Picture | None = None
        self._replaced: list[_Picture] = []
        self._filled = asyncio.Event()
        self._due = 0.0

    def offer(self, jpeg: bytes, captured_at_ns: int) -> None:
        """Take a picture in the place of one that has not been sent yet; without credit it is dropped."""
        self._received += 1
        if self._credits == 0:
            self.offences += 1
            self._count("no_credit")
            return
        self._credits -= 1
        if self._slot is not None:
            self._replaced.append(self._slot)
        self._slot = _Picture(self._received, jpeg, captured_at_ns)
        self._filled.set()

    async def run(self) -> None:
        """Send pictures on as they come, no more a second than the limit, until cancelled."""
        while True:
            await self._filled.wait()
            await self._sleep(max(self._due - self._clock(), 0))
            self._filled.clear()
            picture, self._slot = self._slot, None
            replaced, self._replaced = self._replaced, []
            for one in replaced:  # not sooner: credit that comes back at once would limit nothing
                self._drop(one, "replaced", "a newer picture came first")
            if picture is not None:
                self._due = max(self._due, self._clock()) + 1 / self._limits.fps
                await self._send(picture)

    async def _send(self, picture: _Picture) -> None:
        limits = self._limits
        if len(picture.jpeg) > limits.max_bytes:
            words = f"a picture has at most {limits.max_bytes} bytes, got {len(picture.jpeg)}"
            return self._drop(picture, "too_many_bytes", words)
        size_wh = jpeg_size(picture.jpeg)
        if size_wh is None:
            return self._drop(picture, "not_a_jpeg", "expected a JPEG")
        if max(size_wh) > limits.max_side_px or min(size_wh) < _LEAST_SIDE_PX:
            words = (
                f"a picture's sides have {_LEAST_SIDE_PX} to {limits.max_side_px} pixels,"
                f" got {size_wh[0]}x{size_wh[1]}"
            )
            return self._drop(picture, "wrong_size", words)
        frame = Frame(
            frame_id=f"{self._camera.camera_id}:{self._epoch}:{picture.number}",
            jpeg=picture.jpeg,
            captured_at_ns=picture.captured_at_ns,
            size_wh=size_wh,
            max_age_ms=self._camera.max_age_ms,
        )
        if frame.is_stale(time.time_ns()):
            return self._drop(picture, "stale", "it waited for too long")
        try:
            await self._outlet.publish(frame, partition=self._camera.partition)
        except TransientError:
            return self._drop(picture, "unsent", "the system takes no pictures at the moment")
        self.published += 1
        self.size_wh = size_wh
        metrics.FRAMES.labels("webcam", "browsers").inc()
        self._credits += 1
        return self._give_credit(Credit(number=picture.number, frame_id=frame.frame_id))

    def _drop(self, picture: _Picture, reason: str, words: str) -> None:
        self._count(reason)
        self._credits += 1
        self._give_credit(Credit(number=picture.number, dropped=words))

    def _count(self, reason: str) -> None:
        self.dropped[reason] += 1
        metrics.DROPPED.labels("webcam", reason).inc()


def jpeg_size(jpeg: bytes) -> tuple[int, int] | None:
    """Return width and height from a JPEG's header, without decoding it; None when it is none."""
    try:
        with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
            return image.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
