"""A running emotion worker between a real Kafka and a real Redis; the model server is a stand-in."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr
from redis.asyncio import Redis

from mien.contracts.cameras import Camera
from mien.contracts.events import FaceShot
from mien.contracts.models import (
    EMOTION_CLASSIFIER,
    EMOTION_LABELS,
    EYELIDS,
    FACE_LANDMARKS,
    IMAGES,
    POINTS,
    PROBABILITIES,
)
from mien.contracts.shared_state import emotion_state_key
from mien.contracts.topics import EMOTION_FACES
from mien.runtime.bus import create_topics, open_event_producer, publish
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.event_loop import handle_events
from mien.runtime.redis_connection import connect_redis
from mien.runtime.service import Service
from mien.runtime.serving import Prediction
from mien.runtime.settings import KafkaSettings, RedisSettings
from mien.vision.jpeg import encode_jpeg_rgb
from services.emotion.config import EmotionSettings
from services.emotion.main import EmotionWorker
from services.emotion.neighbours import Neighbours
from tests.integration.detector.harness import PARTITIONS, until
from tests.samples import face_shot

CROP_JPEG = encode_jpeg_rgb(np.full((128, 128, 3), 120, np.uint8))


@dataclass
class StandInModels:
    """Answers that every face is happy, with its eyes open; can be held up in the middle of a call."""

    asked: dict[str, int] = field(default_factory=dict)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    async def predict(
        self, name: str, inputs: Mapping[str, NDArray[Any]], *, timeout_seconds: float, **_: Any
    ) -> Prediction:
        """Answer as the named model would."""
        count = len(inputs[IMAGES])
        self.asked[name] = self.asked.get(name, 0) + count
        await self.answers.wait()
        outputs: dict[str, NDArray[np.float32]]
        if name == EMOTION_CLASSIFIER.name:
            row = [0.9 if label == "happy" else 0.02 for label in EMOTION_LABELS]
            outputs = {PROBABILITIES: np.array([row] * count, np.float32)}
        elif name == EYELIDS.name:
            lower = [[x / 8, 0.6] for x in range(9)]
            upper = [[(x + 1) / 8, 0.3] for x in range(7)]
            outputs = {POINTS: np.array([lower + upper] * count, np.float32)}
        else:
            outputs = {POINTS: np.zeros((count, FACE_LANDMARKS.points, 2), np.float32)}
        return Prediction(outputs, 1)


@dataclass(frozen=True)
class RunningWorker:
    """A worker, its neighbours, and a way to hand it shots."""

    settings: EmotionSettings
    registry: CameraRegistry
    redis: Redis
    models: StandInModels
    producer: Any

    async def add_camera(self, **fields: Any) -> Camera:
        """Register a camera of a name of its own."""
        camera_id = f"cam-{uuid4().hex[:12]}"
        return await self.registry.add(
            Camera(camera_id=camera_id, name="Door", url="rtsp://x", partition=0, **fields)
        )

    async def send(
        self, camera: Camera, number: int, *, track: int = 1, partition: int | None = None
    ) -> FaceShot:
        """Put a face straight onto the topic, whatever the camera's policy."""
        shot = face_shot(
            camera_id=camera.camera_id,
            event_id=f"{camera.camera_id}:{track}:{number}",
            track_id=f"{camera.camera_id}:1:{track}",
            shot_number=number,
            captured_at_ns=time.time_ns(),
            crop_jpeg=CROP_JPEG,
            purpose="emotion",
        )
        road = camera.partition if partition is None else partition
        await publish(self.producer, EMOTION_FACES, shot, partition=road)
        return shot

    async def catch_up(self) -> None:
        """Let the worker read all that other tests have left on the topic."""
        camera = await self.add_camera(emotion_policy="aggregate", emotion_purpose="x", context="public")
        for partition in range(PARTITIONS):
            await self.send(camera, 1, track=partition, partition=partition)
        keys = [emotion_state_key(f"{camera.camera_id}:1:{track}") for track in range(PARTITIONS)]
        async with asyncio.timeout(30):
            while await self.redis.exists(*keys) < PARTITIONS:
                await asyncio.sleep(0.05)
        await self.registry.remove(camera.camera_id)
        self.models.asked.clear()

    async def kept_of(self, camera: Camera) -> set[str]:
        """Return the kinds of keys that Redis holds of a camera's people."""
        keys = [key.decode() async for key in self.redis.scan_iter(match=f"mien:*:{camera.camera_id}:*")]
        return {key.split(":")[1] for key in keys}


def kafka_settings(kafka_bootstrap: str) -> KafkaSettings:
    """Return the settings of the broker under test."""
    return KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS)


@asynccontextmanager
async def running_worker(
    kafka_bootstrap: str, redis_url: str, **changes: Any
) -> AsyncIterator[RunningWorker]:
    """Run a worker in this process until the context is left; its errors are raised."""
    kafka = kafka_settings(kafka_bootstrap)
    await create_topics(kafka)
    settings = EmotionSettings(kafka=kafka, redis=RedisSettings(url=SecretStr(redis_url)), **changes)
    models, service = StandInModels(), Service("emotion")
    async with connect_redis(settings.redis) as redis, open_event_producer(kafka) as producer:
        registry = CameraRegistry(redis, partitions=PARTITIONS)
        cameras = CameraDirectory(registry)
        neighbours = Neighbours(
            redis,
            models,  # type: ignore[arg-type]  # all that the worker asks of it
            producer,
            cameras,
        )
        worker = EmotionWorker(settings, neighbours)
        purpose = uuid4().hex[:8]
        async with asyncio.TaskGroup() as group:
            group.create_task(worker.follow_policies(service))
            group.create_task(
                handle_events(service, kafka, EMOTION_FACES, FaceShot, worker.handle, purpose=purpose)
            )
            try:
                await until(lambda: service.health.is_ready, "the worker to be ready")
                running = RunningWorker(settings, registry, redis, models, producer)
                await running.catch_up()
                yield running
            finally:
                models.answers.set()
                service.stop.set()
