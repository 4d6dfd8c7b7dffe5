"""A running detector between a real Kafka and a real Redis, a camera to feed it, ears for what it says."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from numpy.typing import NDArray
from pydantic import SecretStr

from mien.contracts.cameras import Camera
from mien.contracts.events import decode_event
from mien.contracts.frames import Frame
from mien.contracts.topics import FRAMES, Topic
from mien.runtime.bus import create_topics, open_frame_producer
from mien.runtime.cameras import CameraRegistry
from mien.runtime.redis_connection import connect_redis
from mien.runtime.service import Service
from mien.runtime.settings import KafkaSettings, RedisSettings
from mien.vision.jpeg import encode_jpeg_rgb
from services.detector.config import DetectorSettings
from services.detector.main import run

PARTITIONS = 4
DEADLINE_SECONDS = 30.0


def detector_settings(kafka_bootstrap: str, redis_url: str) -> DetectorSettings:
    """Return the settings of a detector on this stack."""
    return DetectorSettings(
        kafka=KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS),
        redis=RedisSettings(url=SecretStr(redis_url)),
    )


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something holds; fails when it does not within the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_SECONDS:.0f} s in vain for {what}"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def running_detector(settings: DetectorSettings) -> AsyncIterator[Service]:
    """Run the detector in this process until the context is left; its errors are raised."""
    await create_topics(settings.kafka)
    service = Service("detector")
    running = asyncio.create_task(run(service, settings))
    try:
        await until(lambda: service.health.is_ready or running.done(), "the detector to be ready")
        yield service
    finally:
        service.stop.set()
        await running


@asynccontextmanager
async def camera_feed(settings: DetectorSettings, camera: Camera) -> AsyncIterator["CameraFeed"]:
    """Register a camera and feed its frames."""
    await create_topics(settings.kafka)
    async with connect_redis(settings.redis) as redis, open_frame_producer(settings.kafka) as producer:
        registry = CameraRegistry(redis, partitions=PARTITIONS)
        registered = await registry.add(camera)
        yield CameraFeed(registered, producer)
        await registry.remove(camera.camera_id)


class CameraFeed:
    """What ingest would publish of one camera."""

    def __init__(self, camera: Camera, producer: Any) -> None:
        self.camera = camera
        self._producer = producer
        self._seq = 0

    async def send(
        self, image_rgb: NDArray[np.uint8], *, epoch: int = 1, age_seconds: float = 0, **changes: Any
    ) -> Frame:
        """Publish a picture as a frame taken just now."""
        self._seq += 1
        frame = Frame(
            frame_id=f"{self.camera.camera_id}:{epoch}:{self._seq}",
            jpeg=changes.get("jpeg") or encode_jpeg_rgb(image_rgb),
            captured_at_ns=time.time_ns() - int(age_seconds * 1e9),
            size_wh=(image_rgb.shape[1], image_rgb.shape[0]),
            max_age_ms=changes.get("max_age_ms", 5000),
            still=changes.get("still", False),
            closeup_jpeg=changes.get("closeup_jpeg"),
            closeup_size_wh=changes.get("closeup_size_wh"),
        )
        await self._producer.send_and_wait(
            FRAMES.name, frame.jpeg, partition=self.camera.partition, headers=frame.headers()
        )
        return frame

    async def show(
        self, image_rgb: NDArray[np.uint8], until_seen: Callable[[], bool], what: str, **changes: Any
    ) -> None:
        """Publish the same picture ten times a second until something has come of it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not until_seen():
            assert time.monotonic() < deadline, f"showed a picture in vain, waiting for {what}"
            await self.send(image_rgb, **changes)
            await asyncio.sleep(0.1)


@asynccontextmanager
async def listen(settings: DetectorSettings, topic: Topic, event_type: Any) -> AsyncIterator[list[Any]]:
    """Collect what is published on a topic from now on."""
    await create_topics(settings.kafka)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka.bootstrap_servers)
    await consumer.start()
    heard: list[Any] = []

    async def collect() -> None:
        async for record in consumer:
            heard.append(decode_event(record.value, event_type))  # noqa: PERF401 - it never ends

    try:
        partitions = range(topic.partitions or PARTITIONS)
        consumer.assign([TopicPartition(topic.name, partition) for partition in partitions])
        await consumer.seek_to_end()
        collecting = asyncio.create_task(collect())
        yield heard
        collecting.cancel()
    finally:
        await consumer.stop()
