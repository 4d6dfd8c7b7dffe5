"""The emotion worker's wiring: face shots in, smoothed emotions out, only where a camera allows it."""

import asyncio
from collections.abc import Sequence

import msgspec
import numpy as np
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.events import FaceShot
from mien.contracts.models import EMOTION_CLASSIFIER, IMAGES, PROBABILITIES
from mien.contracts.shared_state import TRACK_STATE_TTL_SECONDS, emotion_state_key
from mien.contracts.topics import EMOTION_FACES, EMOTIONS
from mien.errors import TransientError
from mien.runtime import metrics
from mien.runtime.bus import open_event_producer, publish
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.event_loop import Received, handle_events
from mien.runtime.model_watch import watch_models
from mien.runtime.redis_connection import connect_redis
from mien.runtime.service import Service, announce_presence, run_service, run_until_stopped
from mien.runtime.serving import Prediction, ServingClient
from mien.runtime.settings import settings_from_command_line
from mien.runtime.shots import align_shots
from services.emotion.config import EmotionSettings
from services.emotion.pipeline import EmotionState, Smoothing, estimated, is_allowed, smooth

_MODEL = EMOTION_CLASSIFIER


class EmotionWorker:
    """Reads the faces of a batch in one call and follows each track's expression."""

    def __init__(
        self,
        settings: EmotionSettings,
        *,
        redis: Redis,
        serving: ServingClient,
        producer: AIOKafkaProducer,
        cameras: CameraDirectory,
    ) -> None:
        self._settings = settings
        self._smoothing = Smoothing(
            settings.smoothing_seconds, settings.min_probability, settings.switch_margin
        )
        self._redis = redis
        self._serving = serving
        self._producer = producer
        self._cameras = cameras

    async def handle(self, received: Sequence[Received[FaceShot]]) -> None:
        """Work on a batch of shots; publishes before it saves, so that a replay changes nothing."""
        usable = [one for one in received if self._is_usable(one.event)]
        try:
            states = await self._load_states([one.event.track_id for one in usable])
            pending = [one for one in usable if _is_new(states, one.event)]
            for start in range(0, len(pending), self._settings.max_batch_size):
                await self._estimate(pending[start : start + self._settings.max_batch_size], states)
        except (RedisError, OSError) as error:
            raise TransientError(f"Redis: {error}") from error

    async def _estimate(self, pending: Sequence[Received[FaceShot]], states: dict[str, EmotionState]) -> None:
        prediction = await self._predict([one.event for one in pending])
        for one, probabilities in zip(pending, prediction.outputs[PROBABILITIES], strict=True):
            shot = one.event
            if not _is_new(states, shot):
                continue
            state = smooth(states.get(shot.track_id), shot, probabilities, self._smoothing)
            event = estimated(state, shot, model=_MODEL.name, model_version=prediction.version)
            await publish(self._producer, EMOTIONS, event, partition=one.partition)
            await self._redis.set(
                emotion_state_key(shot.track_id), msgspec.msgpack.encode(state), ex=TRACK_STATE_TTL_SECONDS
            )
            states[shot.track_id] = state
            metrics.EMOTIONS.labels(state.label).inc()

    async def _predict(self, shots: Sequence[FaceShot]) -> Prediction:
        images = await asyncio.to_thread(align_shots, shots, alignment=_MODEL.alignment, size=_MODEL.size)
        return await self._serving.predict(
            _MODEL.name,
            {IMAGES: np.ascontiguousarray(images)},
            timeout_seconds=self._settings.serving.timeout_seconds,
        )

    def _is_usable(self, shot: FaceShot) -> bool:
        # The detector asks the policy before it writes here; it may have changed since, or have been wrong.
        if not is_allowed(self._cameras.get(shot.camera_id)):
            metrics.DROPPED.labels("emotion", "policy").inc()
            return False
        if shot.quality.score < self._settings.min_quality:
            metrics.SKIPPED.labels("emotion", "quality").inc()
            return False
        return True

    async def _load_states(self, track_ids: Sequence[str]) -> dict[str, EmotionState]:
        unique = sorted(set(track_ids))
        values = (
            await self._redis.mget([emotion_state_key(track_id) for track_id in unique]) if unique else []
        )
        decoder = msgspec.msgpack.Decoder(EmotionState)
        return {
            track_id: decoder.decode(value) for track_id, value in zip(unique, values, strict=True) if value
        }


def _is_new(states: dict[str, EmotionState], shot: FaceShot) -> bool:
    state = states.get(shot.track_id)
    return state is None or shot.shot_number > state.shot_number


def main() -> None:
    """Run the emotion worker until it is told to stop."""
    settings = settings_from_command_line(
        EmotionSettings, "Mien emotion: face shots in, smoothed emotions out."
    )

    async def work(service: Service) -> None:
        async with (
            connect_redis(settings.redis) as redis,
            ServingClient(settings.serving.address) as serving,
            open_event_producer(settings.kafka) as producer,
        ):
            cameras = CameraDirectory(CameraRegistry(redis, partitions=settings.kafka.partitions))
            worker = EmotionWorker(settings, redis=redis, serving=serving, producer=producer, cameras=cameras)
            await cameras.wait_until_known(service)
            await run_until_stopped(
                service,
                cameras.follow(service),
                watch_models(service, serving, [_MODEL.name], meanwhile="emotions are paused"),
                handle_events(service, settings.kafka, EMOTION_FACES, FaceShot, worker.handle),
                announce_presence(service, redis),
            )

    run_service("emotion", settings, work)
