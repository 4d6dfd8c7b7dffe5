"""One detector between a real Kafka and a real Redis, fed with frames and watched as a viewer would.

The cameras are a producer that puts JPEGs made before on the ``frames`` topic, at the pace and in the form
of ingest: 16 encoders and decoders on the same cores would leave the detector what they don't need, and the
figures would be theirs. Nothing of the detector, the broker or Redis is replaced.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from mien.bench.lone_service import LoneService, running_alone
from mien.bench.scrape import Samples
from mien.contracts.cameras import Camera
from mien.contracts.frames import Frame
from mien.contracts.shared_state import WATCH_TTL_SECONDS, Preview, preview_channel, watch_key
from mien.contracts.topics import FRAMES
from mien.runtime.bus import open_frame_producer
from mien.runtime.cameras import CameraRegistry
from mien.runtime.redis_connection import connect_redis
from mien.runtime.service import wait_or_stop
from mien.runtime.settings import KafkaSettings

_REGISTRY_SECONDS: Final = 1.5  # the detector reads the registry once a second
_POLL_SECONDS: Final = 0.5
_RENEW_SECONDS: Final = WATCH_TTL_SECONDS / 2.5


@dataclass(frozen=True)
class Feed:
    """A camera's pictures, repeated for as long as it plays.

    Attributes:
        jpegs: At least one, all of one size.
    """

    camera: Camera
    jpegs: Sequence[bytes]
    size_wh: tuple[int, int]


@dataclass
class Shown:
    """What viewers of all cameras have been shown.

    Attributes:
        ages_ms: From capture to the preview's arrival at its viewer, for each frame.
        faces: How many boxes it came with.
    """

    ages_ms: list[float] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class LoneDetector:
    """A detector under load, and what can be asked of it."""

    redis: Redis
    producer: AIOKafkaProducer
    service: LoneService

    async def register(self, feeds: Sequence[Feed]) -> list[Feed]:
        """Put cameras into the registry; returns their feeds with the partitions they were given."""
        registry = CameraRegistry(self.redis, partitions=KafkaSettings().partitions)
        registered = [Feed(await registry.add(feed.camera), feed.jpegs, feed.size_wh) for feed in feeds]
        await asyncio.sleep(_REGISTRY_SECONDS)
        return registered

    def cpu_seconds(self) -> float:
        """Return the processor time that the detector has used."""
        return self.service.cpu_seconds()

    def metrics(self) -> Samples:
        """Return what the detector counts."""
        (samples,) = self.service.metrics()
        return samples

    @asynccontextmanager
    async def playing(self, feeds: Sequence[Feed], *, fps: float) -> AsyncIterator[Shown]:
        """Play cameras, not in step with each other, all of them watched, until the context ends."""
        shown, stop = Shown(), asyncio.Event()
        async with self.redis.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(*(preview_channel(feed.camera.camera_id) for feed in feeds))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_watched(feeds, stop))
                group.create_task(_view(subscription, shown, stop))
                for feed in feeds:
                    group.create_task(self._play(feed, stop, fps=fps))
                try:
                    yield shown
                finally:
                    stop.set()

    async def _play(self, feed: Feed, stop: asyncio.Event, *, fps: float) -> None:
        epoch = time.time_ns() // 1_000_000
        phase = random.Random(feed.camera.camera_id).random()  # noqa: S311 - the same in every run, no secret
        due = time.monotonic() + phase / fps
        sequence = 0
        while not await wait_or_stop(stop, max(due - time.monotonic(), 0)):
            # A camera whose turn is long past has missed it; it does not send two pictures at once.
            due = max(due + 1 / fps, time.monotonic())
            sequence += 1
            frame = Frame(
                frame_id=f"{feed.camera.camera_id}:{epoch}:{sequence}",
                jpeg=feed.jpegs[sequence % len(feed.jpegs)],
                captured_at_ns=time.time_ns(),
                size_wh=feed.size_wh,
                max_age_ms=feed.camera.max_age_ms,
            )
            await self.producer.send(
                FRAMES.name, frame.jpeg, partition=feed.camera.partition, headers=frame.headers()
            )

    async def _keep_watched(self, feeds: Sequence[Feed], stop: asyncio.Event) -> None:
        while not stop.is_set():
            for feed in feeds:
                await self.redis.set(watch_key(feed.camera.camera_id), b"1", ex=WATCH_TTL_SECONDS)
            await wait_or_stop(stop, _RENEW_SECONDS)


@asynccontextmanager
async def running_detector(folder: Path) -> AsyncIterator[LoneDetector]:
    """Run one detector and its neighbours until the context ends; raises as :func:`running_alone` does."""
    async with (
        running_alone(folder, "detector") as service,
        connect_redis(service.redis) as redis,
        open_frame_producer(service.kafka) as producer,
    ):
        yield LoneDetector(redis, producer, service)


async def _view(subscription: Any, shown: Shown, stop: asyncio.Event) -> None:
    decoder = msgspec.msgpack.Decoder(Preview)
    while not stop.is_set():
        message = await subscription.get_message(timeout=_POLL_SECONDS)
        if message is not None:
            now_ns = time.time_ns()
            preview = decoder.decode(message["data"])
            shown.ages_ms.append((now_ns - preview.captured_at_ns) / 1e6)
            shown.faces.append(len(preview.boxes_xyxy))
