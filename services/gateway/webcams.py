"""Browser webcams as cameras: registered when opened, removed when they have been gone for a while.

What a login's webcam is stands in Redis and expires unless its connection renews it. So a gateway that dies
leaves nothing behind: another one sees that the record is gone and removes the camera.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import BROWSER_SCHEME, Camera
from mien.contracts.shared_state import (
    CAMERA_STATUS_CHANNEL,
    CAMERA_STATUS_TTL_SECONDS,
    WebcamRecord,
    camera_epoch_key,
    camera_status_key,
    passed_faces_key,
    track_epoch_key,
    webcam_key,
)
from mien.errors import TransientError
from mien.runtime.cameras import CameraDirectory, CameraRegistry, CameraUnknownError
from mien.runtime.service import Service, wait_or_stop
from services.gateway.announcements import announce_camera
from services.gateway.config import GatewaySettings
from services.gateway.fitness import forget_fitness
from services.gateway.pipeline import InvalidInputError, slug_of
from services.gateway.publisher import Publisher

log = structlog.get_logger()

RENEW_SECONDS: Final = 3.0
_SWEEP_SECONDS: Final = 5.0
_STOPPED_SECONDS: Final = 15
"""Until tracks of a camera that is silent have ended, and are written down under its name."""
_RECORD = msgspec.msgpack.Decoder(WebcamRecord)


@dataclass(frozen=True)
class OpenWebcam:
    """A webcam that a connection feeds; *session* names the login it belongs to."""

    camera: Camera
    session: str
    connection_id: str
    is_resumed: bool


class Webcams:
    """Registers, renews and removes browser webcams; one per login, and so many overall."""

    def __init__(
        self,
        redis: Redis,
        registry: CameraRegistry,
        directory: CameraDirectory,
        publisher: Publisher,
        settings: GatewaySettings,
    ) -> None:
        self._redis = redis
        self._registry = registry
        self._directory = directory
        self._publisher = publisher
        self._settings = settings
        self._keep_seconds = round(settings.webcam_keep_seconds)

    async def open(self, session: str, *, name: str, emotion_purpose: str) -> OpenWebcam:
        """Take over the login's webcam, or register one; an older connection of the login loses it.

        Args:
            emotion_purpose: Why expressions are read; empty leaves them alone.

        Raises:
            InvalidInputError: As many webcams are open as may be.
            RedisError: Redis is away.
        """
        policies = {
            "emotion_policy": "per_person" if emotion_purpose else "off",
            "emotion_purpose": emotion_purpose,
            "enabled": True,
        }
        before = await self._record(session)
        camera = None
        if before is not None:
            try:
                camera = await self._registry.update(before.camera_id, policies)
            except CameraUnknownError:
                log.info("webcam.removed_meanwhile", camera_id=before.camera_id)
        is_resumed = camera is not None
        if camera is None:
            camera = await self._register(session, name, policies)
        record = WebcamRecord(camera_id=camera.camera_id, connection_id=uuid4().hex)
        await self._redis.set(webcam_key(session), msgspec.msgpack.encode(record), ex=self._keep_seconds)
        await announce_camera(self._directory, self._publisher, camera)
        return OpenWebcam(camera, session, record.connection_id, is_resumed)

    async def renew(self, webcam: OpenWebcam, status: CameraStatus) -> str:
        """Say that a webcam is alive and how it is; returns why it is over, or nothing while it isn't.

        Raises:
            RedisError: Redis is away.
        """
        record = await self._record(webcam.session)
        if record is not None and record.connection_id != webcam.connection_id:
            return "your webcam was opened in another tab"
        try:
            camera = await self._registry.get(webcam.camera.camera_id)
        except CameraUnknownError:
            return "somebody removed this webcam"
        if not camera.enabled:
            return "somebody turned this webcam off"
        record = WebcamRecord(camera_id=webcam.camera.camera_id, connection_id=webcam.connection_id)
        said = msgspec.json.encode(status)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(webcam_key(webcam.session), msgspec.msgpack.encode(record), ex=self._keep_seconds)
            pipe.set(camera_status_key(status.camera_id), said, ex=CAMERA_STATUS_TTL_SECONDS)
            pipe.publish(CAMERA_STATUS_CHANNEL, said)
            await pipe.execute()
        return ""

    async def leave(self, webcam: OpenWebcam, status: CameraStatus, *, for_good: bool) -> None:
        """Say that nobody feeds a webcam any more; it is removed later, once its tracks have ended.

        Args:
            for_good: Its owner stopped it; else it may come back for as long as webcams are kept.

        Raises:
            RedisError: Redis is away; the record expires all the same.
        """
        record = await self._record(webcam.session)
        if record is None or record.connection_id != webcam.connection_id:
            return  # another connection feeds it by now
        said = msgspec.json.encode(status)
        async with self._redis.pipeline(transaction=False) as pipe:
            if for_good:
                pipe.expire(webcam_key(webcam.session), min(_STOPPED_SECONDS, self._keep_seconds))
            pipe.set(camera_status_key(status.camera_id), said, ex=self._keep_seconds)
            pipe.publish(CAMERA_STATUS_CHANNEL, said)
            await pipe.execute()

    async def begin_epoch(self, camera_id: str) -> int:
        """Count a new opening of a camera, so that frames of an older one are dropped."""
        return int(await self._redis.incr(camera_epoch_key(camera_id)))

    async def run(self, service: Service) -> None:
        """Remove webcams that have been gone for a while, whichever gateway served them, until it is over."""
        while not service.stop.is_set():
            try:
                await self.sweep()
            except (RedisError, OSError, TransientError) as error:
                log.warning("webcams.sweep_failed", error=type(error).__name__)
            await wait_or_stop(service.stop, _SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Remove the webcams whose record has expired."""
        cameras = [camera for camera in await self._registry.list_cameras() if camera.is_browser]
        for camera, record in zip(cameras, await self._records(cameras), strict=True):
            if record is None or record.camera_id != camera.camera_id:
                await self._remove(camera.camera_id)
                log.info("webcam.removed", camera_id=camera.camera_id)

    async def _register(self, session: str, name: str, policies: Mapping[str, object]) -> Camera:
        known = await self._registry.list_cameras()
        most = self._settings.max_webcams
        if sum(camera.is_browser for camera in known) >= most:
            raise InvalidInputError(
                f"{most} webcams are open already, as many as this system takes at once; try again later"
                if most
                else "browser webcams are turned off on this system"
            )
        fields = {
            # An id is never given again, so what is said of its tracks stays true.
            "camera_id": f"{slug_of(name)[:36].strip('-')}-{uuid4().hex[:8]}",
            "name": name,
            "url": f"{BROWSER_SCHEME}://{session}",
            "partition": 0,
            "sampled_fps": self._settings.webcam_fps,
            "frame_width_px": self._settings.webcam_frame_side_px,
        }
        return await self._registry.add(msgspec.convert({**fields, **policies}, Camera))

    async def _remove(self, camera_id: str) -> None:
        try:
            camera = await self._registry.remove(camera_id)
        except CameraUnknownError:
            return
        await forget_fitness(self._redis, camera_id)
        await self._redis.delete(
            camera_status_key(camera_id),
            camera_epoch_key(camera_id),
            track_epoch_key(camera_id),
            passed_faces_key(camera_id),
        )
        await announce_camera(self._directory, self._publisher, camera, removed=True)

    async def _record(self, session: str) -> WebcamRecord | None:
        value = await self._redis.get(webcam_key(session))
        return _RECORD.decode(value) if value else None

    async def _records(self, cameras: Sequence[Camera]) -> list[WebcamRecord | None]:
        if not cameras:
            return []
        keys = [webcam_key(camera.url.partition("://")[2]) for camera in cameras]
        return [_RECORD.decode(value) if value else None for value in await self._redis.mget(keys)]


def session_name(secret: str) -> str:
    """Return a name for a login that tells nothing of its *secret* (cookie or token)."""
    return hashlib.blake2b(secret.encode(), digest_size=8, person=b"mien-webcam").hexdigest()
