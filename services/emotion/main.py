"""The emotion worker's wiring: face shots in, emotions and tiredness out, only where a camera allows it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from redis.exceptions import RedisError

from mien.contracts.cameras import Camera, EmotionPolicy
from mien.contracts.events import FaceShot
from mien.contracts.models import EMOTION_CLASSIFIER, EYELIDS, FACE_LANDMARKS
from mien.contracts.readings import emotion_allowed, tiredness_allowed
from mien.contracts.topics import EMOTION_FACES
from mien.errors import TransientError
from mien.runtime import metrics
from mien.runtime.bus import open_event_producer
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.event_loop import Received, handle_events
from mien.runtime.model_watch import watch_models
from mien.runtime.readings import forget_emotion, forget_tiredness
from mien.runtime.redis_connection import connect_redis
from mien.runtime.service import Service, announce_presence, run_service, run_until_stopped, wait_or_stop
from mien.runtime.serving import ServingClient
from mien.runtime.settings import settings_from_command_line
from services.emotion.config import EmotionSettings
from services.emotion.emotion_reader import EmotionReader
from services.emotion.neighbours import Neighbours
from services.emotion.tiredness_reader import TirednessReader

log = structlog.get_logger()

_POLICY_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class _Policies:
    """What may be read on a camera."""

    emotion: EmotionPolicy
    tiredness: bool

    @classmethod
    def of(cls, camera: Camera | None) -> "_Policies":
        """Return what a camera really allows: a policy that lacks its purpose allows nothing."""
        emotion = camera.emotion_policy if camera is not None and emotion_allowed(camera) else "off"
        return cls(emotion, tiredness_allowed(camera))


class EmotionWorker:
    """Hands each shot to what its camera allows, and forgets what a camera no longer allows."""

    def __init__(self, settings: EmotionSettings, neighbours: Neighbours) -> None:
        self._emotions = EmotionReader(settings, neighbours)
        self._tiredness = TirednessReader(settings, neighbours)
        self._redis = neighbours.redis
        self._cameras = neighbours.cameras
        self._policies: dict[str, _Policies] = {}
        self._policies_generation = -1
        self._working = asyncio.Lock()

    async def handle(self, received: Sequence[Received[FaceShot]]) -> None:
        """Work on a batch of shots.

        The detector asks the policy before it writes here; it may have changed since, or have been wrong.
        """
        try:
            async with self._working:
                await self._notice_policies()
                allowed = [one for one in received if self._is_allowed(one.event)]
                tired = await self._emotions.read(allowed)
                await self._tiredness.read(allowed, tired)
        except (RedisError, OSError) as error:
            raise TransientError(f"Redis does not answer: {error}") from error

    async def follow_policies(self, service: Service) -> None:
        """Keep knowing the policies, and forget what is no longer allowed, until the service stops."""
        while not service.stop.is_set():
            try:
                async with self._working:
                    await self._notice_policies()
                service.health.resolve("cameras")
            except (TransientError, RedisError, OSError) as error:
                service.health.report("cameras", str(error))
            await wait_or_stop(service.stop, _POLICY_POLL_SECONDS)

    async def _notice_policies(self) -> None:
        """Read the policies, and delete from Redis what was read under one that has been changed.

        No batch is under way meanwhile, so nothing is written after it was deleted. What was read while only
        sums were allowed goes, too, when people are allowed: it was not read to be told of them.
        """
        await self._cameras.refresh()
        if self._policies_generation == self._cameras.generation:
            return
        now = {camera.camera_id: _Policies.of(camera) for camera in self._cameras.all()}
        for camera_id, before in self._policies.items():
            after = now.get(camera_id, _Policies.of(None))
            if before.emotion not in ("off", after.emotion):
                await forget_emotion(self._redis, camera_id, of_tracks_only=after.emotion != "off")
                log.info("emotion.forgotten", camera_id=camera_id, policy=after.emotion)
            if before.tiredness and not after.tiredness:
                await forget_tiredness(self._redis, camera_id)
                log.info("tiredness.forgotten", camera_id=camera_id)
        self._policies, self._policies_generation = now, self._cameras.generation

    def _is_allowed(self, shot: FaceShot) -> bool:
        camera = self._cameras.get(shot.camera_id)
        if emotion_allowed(camera) or tiredness_allowed(camera):
            return True
        metrics.DROPPED.labels("emotion", "policy").inc()
        return False


def main() -> None:
    """Run the emotion worker until it is told to stop."""
    settings = settings_from_command_line(
        EmotionSettings, "Mien emotion: face shots in, emotions and tiredness out."
    )

    async def work(service: Service) -> None:
        async with (
            connect_redis(settings.redis) as redis,
            ServingClient(settings.serving.address) as serving,
            open_event_producer(settings.kafka) as producer,
        ):
            cameras = CameraDirectory(CameraRegistry(redis, partitions=settings.kafka.partitions))
            worker = EmotionWorker(settings, Neighbours(redis, serving, producer, cameras))
            models = [model.name for model in (EMOTION_CLASSIFIER, EYELIDS, FACE_LANDMARKS)]
            await cameras.wait_until_known(service)
            await run_until_stopped(
                service,
                worker.follow_policies(service),
                watch_models(service, serving, models, meanwhile="emotions and tiredness are paused"),
                handle_events(service, settings.kafka, EMOTION_FACES, FaceShot, worker.handle),
                announce_presence(service, redis),
            )

    run_service("emotion", settings, work)
