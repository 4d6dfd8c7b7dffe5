"""Sends a camera's frames to Kafka: the newest wins, one is on its way at a time."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.frames import Frame
from mien.contracts.shared_state import camera_epoch_key
from mien.contracts.topics import FRAMES
from mien.errors import TransientError
from mien.runtime import metrics
from mien.runtime.health import Health
from services.ingest.main_stream import Closeup
from services.ingest.reader import Sample

STAGE: Final = "ingest"

SendFrame = Callable[[Frame, int], Awaitable[None]]
FindCloseup = Callable[[Sample], Awaitable[Closeup | None]]


class Epochs(Protocol):
    """Numbers the openings of cameras, over all replicas."""

    async def take(self, camera_id: str) -> int:
        """Begin a new epoch of a camera, or raise TransientError."""

    async def current(self, camera_id: str) -> int:
        """Return the newest epoch of a camera, 0 before the first, or raise TransientError."""


class FramePublisher:
    """Between a camera's reader and the broker: a slot for one sample, and a task that empties it.

    Attributes:
        paused: While the group settles who owns the camera, nothing is sent.
        find_closeup: Asked for each sample, where the camera has a main stream.
        published: Frames that the broker has acknowledged.
    """

    def __init__(
        self, camera_id: str, partition: int, *, epochs: Epochs, send: SendFrame, health: Health
    ) -> None:
        self.camera_id = camera_id
        self.partition = partition
        self.paused = False
        self.find_closeup: FindCloseup | None = None
        self.published = 0
        self.dropped: Counter[str] = Counter()
        self._epochs = epochs
        self._send = send
        self._health = health
        self._slot: Sample | None = None
        self._filled = asyncio.Event()
        self._opening: int | None = None
        self._epoch = 0
        self._sequence = 0
        self._recheck = False

    def offer(self, sample: Sample) -> None:
        """Take a sample in the place of one that has not been sent yet."""
        if self.paused:
            self._drop("unassigned")
            return
        if self._slot is not None:
            self._drop("replaced")
        self._slot = sample
        self._filled.set()

    def pause(self) -> None:
        """Send nothing until :meth:`resume`: somebody else may own the camera by now."""
        self.paused = True
        if self._slot is not None:
            self._slot = None
            self._drop("unassigned")

    def resume(self) -> None:
        """Go on sending, in a new epoch if somebody else has had the camera meanwhile."""
        self.paused = False
        self._recheck = True

    async def run(self) -> None:
        """Send samples as they come, until cancelled."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            sample, self._slot = self._slot, None
            if sample is not None:
                await self._publish(sample)

    async def _publish(self, sample: Sample) -> None:
        try:
            await self._follow_epoch(sample)
            closeup = await self.find_closeup(sample) if self.find_closeup is not None else None
            frame = self._frame(sample, closeup)
            if self.paused:  # since a close-up was waited for
                self._drop("unassigned")
                return
            if frame.is_stale(time.time_ns()):
                self._drop("stale")
                return
            await self._send(frame, self.partition)
        except TransientError as error:
            self._health.report("frames", str(error))
            self._drop("unsent")
            return
        self._health.resolve("frames")
        self.published += 1
        metrics.FRAMES.labels(STAGE, self.camera_id).inc()
        metrics.FRAME_AGE_SECONDS.labels(STAGE).observe(max(frame.age_ms(time.time_ns()), 0) / 1000)

    async def _follow_epoch(self, sample: Sample) -> None:
        if self._recheck and self._opening is not None:
            if await self._epochs.current(self.camera_id) != self._epoch:
                self._opening = None
            self._recheck = False
        if self._opening != sample.opening:
            self._epoch = await self._epochs.take(self.camera_id)
            self._opening = sample.opening
            self._sequence = 0

    def _frame(self, sample: Sample, closeup: Closeup | None) -> Frame:
        self._sequence += 1
        return Frame(
            frame_id=f"{self.camera_id}:{self._epoch}:{self._sequence}",
            jpeg=sample.jpeg,
            captured_at_ns=sample.captured_at_ns,
            size_wh=sample.size_wh,
            max_age_ms=sample.max_age_ms,
            still=sample.still,
            camera_clock_ns=sample.camera_clock_ns,
            closeup_jpeg=None if closeup is None else closeup.jpeg,
            closeup_size_wh=None if closeup is None else closeup.size_wh,
        )

    def _drop(self, reason: str) -> None:
        self.dropped[reason] += 1
        metrics.DROPPED.labels(STAGE, reason).inc()


class EpochCounter:
    """Epochs in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, camera_id: str) -> int:
        """Begin a new epoch of a camera.

        Raises:
            TransientError: Redis does not answer.
        """
        try:
            return int(await self._redis.incr(camera_epoch_key(camera_id)))
        except (RedisError, OSError) as error:
            raise TransientError(f"taking a camera's epoch: {error}") from error

    async def current(self, camera_id: str) -> int:
        """Return the newest epoch of a camera, 0 before the first.

        Raises:
            TransientError: Redis does not answer.
        """
        try:
            return int(await self._redis.get(camera_epoch_key(camera_id)) or 0)
        except (RedisError, OSError) as error:
            raise TransientError(f"reading a camera's epoch: {error}") from error


def send_with(producer: AIOKafkaProducer) -> SendFrame:
    """Return a function that sends a frame to its partition and waits until the broker has it."""

    async def send(frame: Frame, partition: int) -> None:
        try:
            await producer.send_and_wait(
                FRAMES.name, frame.jpeg, partition=partition, headers=frame.headers()
            )
        except (KafkaError, OSError) as error:
            raise TransientError(f"publishing frames: {type(error).__name__} {error}") from error

    return send
