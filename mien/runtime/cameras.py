"""The camera registry in Redis: who writes it, and how workers hold it in memory.

Passwords lie there encrypted. Whoever opens cameras, or adds them, has the keys; to all others, such as
detectors, a camera has no password.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

from mien.contracts.cameras import Camera
from mien.contracts.readings import READING_STOP_KEY, ReadingStop, without_readings
from mien.contracts.shared_state import CAMERAS_GENERATION_KEY, CAMERAS_KEY
from mien.errors import MienError, TransientError
from mien.runtime.secrets import SecretBox, UndecipherableError, is_sealed
from mien.runtime.service import Service, wait_or_stop

log = structlog.get_logger()

_DECODER = msgspec.msgpack.Decoder(Camera)
_STOP_DECODER = msgspec.msgpack.Decoder(ReadingStop)
REFRESH_SECONDS = 1.0


class CameraExistsError(MienError):
    """A camera of this id is registered already."""


class CameraUnknownError(MienError):
    """No camera of this id is registered."""


class CameraRegistry:
    """Reads and writes cameras; the gateway is the only writer.

    Attributes:
        undecipherable: Cameras whose password is encrypted with none of our keys; they seem to have none.
    """

    def __init__(self, redis: Redis, *, partitions: int, secrets: SecretBox | None = None) -> None:
        self.undecipherable: set[str] = set()
        self._redis = redis
        self._partitions = partitions
        self._secrets = secrets

    async def list_cameras(self) -> list[Camera]:
        """Return all cameras, by id."""
        values: dict[bytes, bytes] = await self._redis.hgetall(CAMERAS_KEY)
        cameras = [self._unseal(_DECODER.decode(value)) for value in values.values()]
        self.undecipherable &= {camera.camera_id for camera in cameras}
        return sorted(cameras, key=lambda camera: camera.camera_id)

    async def get(self, camera_id: str) -> Camera:
        """Return one camera.

        Raises:
            CameraUnknownError: There is none of this id.
        """
        value = await self._redis.hget(CAMERAS_KEY, camera_id)
        if value is None:
            raise CameraUnknownError(f"there is no camera {camera_id!r}")
        return self._unseal(_DECODER.decode(value))

    async def generation(self) -> int:
        """Return how often the registry has changed."""
        return int(await self._redis.get(CAMERAS_GENERATION_KEY) or 0)

    async def add(self, camera: Camera) -> Camera:
        """Register a camera on the partition that has the fewest; its own *partition* is ignored.

        Raises:
            CameraExistsError: The id is taken.
        """

        def added(cameras: dict[str, Camera]) -> Camera:
            if camera.camera_id in cameras:
                raise CameraExistsError(f"there is a camera {camera.camera_id!r} already")
            partition = choose_partition([other.partition for other in cameras.values()], self._partitions)
            return msgspec.structs.replace(camera, partition=partition, revision=1)

        return await self._change(camera.camera_id, added)

    async def update(self, camera_id: str, changes: dict[str, Any]) -> Camera:
        """Change fields of a camera and count its revision.

        Raises:
            CameraUnknownError: There is none of this id.
            msgspec.ValidationError: A changed field is out of bounds.
        """

        def updated(cameras: dict[str, Camera]) -> Camera:
            if camera_id not in cameras:
                raise CameraUnknownError(f"there is no camera {camera_id!r}")
            old = cameras[camera_id]
            return msgspec.convert(
                msgspec.to_builtins(old)
                | changes
                | {"revision": old.revision + 1, "partition": old.partition},
                Camera,
            )

        return await self._change(camera_id, updated)

    async def remove(self, camera_id: str) -> Camera:
        """Remove a camera and return it.

        Raises:
            CameraUnknownError: There is none of this id.
        """
        camera = await self.get(camera_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(CAMERAS_KEY, camera_id)
            pipe.incr(CAMERAS_GENERATION_KEY)
            await pipe.execute()
        return camera

    async def reseal(self) -> int:
        """Encrypt all passwords with the newest key, also those that an earlier release left plain.

        Returns:
            How many cameras have a password now that the newest key opens.
        """
        count = 0
        for camera_id in [camera.camera_id for camera in await self.list_cameras()]:

            def resealed(cameras: dict[str, Camera], camera_id: str = camera_id) -> Camera | None:
                camera = cameras.get(camera_id)
                if camera is None or camera.password is None or self._secrets is None:
                    return None
                return msgspec.structs.replace(camera, password=self._secrets.reseal(camera.password))

            try:
                count += await self._try_change(camera_id, resealed) is not None
            except UndecipherableError as error:
                log.error("camera.password_lost", camera_id=camera_id, error=str(error))
        return count

    def _unseal(self, camera: Camera) -> Camera:
        if camera.password is None:
            self.undecipherable.discard(camera.camera_id)
            return camera
        password = None
        if self._secrets is not None:
            try:
                password = self._secrets.unseal(camera.password)
                self.undecipherable.discard(camera.camera_id)
            except UndecipherableError:
                self.undecipherable.add(camera.camera_id)
        return msgspec.structs.replace(camera, password=password)

    def _seal(self, camera: Camera) -> Camera:
        if camera.password is None or is_sealed(camera.password):
            return camera
        if self._secrets is None:
            raise ValueError("a registry without keys can't keep a password")
        return msgspec.structs.replace(camera, password=self._secrets.seal(camera.password))

    async def reading_stop(self) -> ReadingStop | None:
        """Return who has stopped all reading of emotion and tiredness; None while nobody has."""
        value = await self._redis.get(READING_STOP_KEY)
        return _STOP_DECODER.decode(value) if value else None

    async def set_reading_stop(self, stop: ReadingStop | None) -> None:
        """Stop all reading of emotion and tiredness, or let it go on as the cameras' policies say."""
        async with self._redis.pipeline(transaction=True) as pipe:
            if stop is None:
                pipe.delete(READING_STOP_KEY)
            else:
                pipe.set(READING_STOP_KEY, msgspec.msgpack.encode(stop))
            pipe.incr(CAMERAS_GENERATION_KEY)
            await pipe.execute()

    async def _change(self, camera_id: str, decide: Callable[[dict[str, Camera]], Camera]) -> Camera:
        changed = await self._try_change(camera_id, decide)
        assert changed is not None  # it decides on a camera, or raises
        return self._unseal(changed)

    async def _try_change(
        self, camera_id: str, decide: Callable[[dict[str, Camera]], Camera | None]
    ) -> Camera | None:
        async with self._redis.pipeline(transaction=True) as pipe:
            while True:
                await pipe.watch(CAMERAS_KEY)
                values: dict[bytes, bytes] = await pipe.hgetall(CAMERAS_KEY)
                camera = decide({key.decode(): _DECODER.decode(value) for key, value in values.items()})
                if camera is None:
                    return None
                camera = self._seal(camera)
                pipe.multi()
                pipe.hset(CAMERAS_KEY, camera_id, msgspec.msgpack.encode(camera))
                pipe.incr(CAMERAS_GENERATION_KEY)
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return camera


def choose_partition(taken: list[int], partitions: int) -> int:
    """Return the partition with the fewest cameras, the lowest of them."""
    load = [0] * partitions
    for partition in taken:
        if partition < partitions:
            load[partition] += 1
    return load.index(min(load))


class CameraDirectory:
    """The registry as a worker holds it: read from memory, refreshed when its generation moves.

    While all reading is stopped, its cameras' policies for emotion and tiredness are off.
    """

    def __init__(self, registry: CameraRegistry) -> None:
        self._registry = registry
        self._cameras: dict[str, Camera] = {}
        self._generation = -1
        self.changed = asyncio.Event()

    @property
    def generation(self) -> int:
        """How often the registry had changed when it was last read; -1 before that."""
        return self._generation

    def get(self, camera_id: str) -> Camera | None:
        """Return a camera, or None when it isn't registered."""
        return self._cameras.get(camera_id)

    def all(self) -> list[Camera]:
        """Return all cameras."""
        return list(self._cameras.values())

    def on_partitions(self, partitions: set[int]) -> list[Camera]:
        """Return the cameras that live on these partitions."""
        return [camera for camera in self._cameras.values() if camera.partition in partitions]

    async def refresh(self) -> None:
        """Read the registry again if it has changed.

        Raises:
            TransientError: Redis does not answer; what was known stays in use.
        """
        try:
            generation = await self._registry.generation()
            if generation != self._generation:
                cameras = await self._registry.list_cameras()
                if await self._registry.reading_stop() is not None:
                    cameras = [without_readings(camera) for camera in cameras]
                self._cameras = {camera.camera_id: camera for camera in cameras}
                self._generation = generation
                self.changed.set()
        except (RedisError, OSError) as error:
            raise TransientError(f"reading the camera registry: {error}") from error

    async def wait_until_known(self, service: Service) -> None:
        """Return once the registry has been read for the first time, or the service is told to stop."""
        while self._generation < 0 and not service.stop.is_set():
            try:
                await self.refresh()
            except TransientError as error:
                service.health.report("cameras", str(error))
                await wait_or_stop(service.stop, REFRESH_SECONDS)

    async def follow(self, service: Service) -> None:
        """Keep the directory fresh until the service stops; old entries serve while Redis is away."""
        while not service.stop.is_set():
            try:
                await self.refresh()
                service.health.resolve("cameras")
                if lost := sorted(self._registry.undecipherable):
                    service.health.report(
                        "passwords",
                        f"the passwords of these cameras are encrypted with another key: {', '.join(lost)}. "
                        "Give the key back (MIEN_SECRETS_KEYS), or enter the passwords again",
                    )
                else:
                    service.health.resolve("passwords")
            except TransientError as error:
                service.health.report("cameras", str(error))
            await wait_or_stop(service.stop, REFRESH_SECONDS)
