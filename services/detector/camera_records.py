"""What adds up per camera in Redis: who passed, how fit that shows it to be, what its frames came to."""

import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.camera_status import CameraStatus, PassedFace
from mien.contracts.shared_state import (
    FITNESS_TTL_SECONDS,
    camera_status_key,
    fitness_key,
    passed_faces_key,
)
from mien.runtime.cameras import CameraDirectory
from mien.runtime.service import Service, wait_or_stop
from mien.runtime.work import WRITE_SECONDS, WorkLedger
from services.detector.fitness import WINDOW_TRACKS, judge_camera

log = structlog.get_logger()

_PASSED_FACE = msgspec.msgpack.Decoder(PassedFace)
_STATUS = msgspec.json.Decoder(CameraStatus)


class CameraRecords:
    """Adds to what Redis knows of each camera, every few seconds.

    All that is held is what came since the last time, of those who passed the last hundred per camera. So the
    next owner of a camera goes on where this one stops, and to forget a camera's past is to delete it there.
    """

    def __init__(self, redis: Redis, cameras: CameraDirectory) -> None:
        self._redis = redis
        self._cameras = cameras
        self._work = WorkLedger(redis)
        self._passed: defaultdict[str, deque[PassedFace]] = defaultdict(_last_hundred)

    def count(self, camera_id: str, done: Mapping[str, int]) -> None:
        """Add what was done with a frame, by :data:`~mien.contracts.shared_state.WorkStep` or reason."""
        self._work.count(camera_id, done)

    def add_passed(self, camera_id: str, passed: Sequence[PassedFace]) -> None:
        """Add who passed a camera."""
        if passed:
            self._passed[camera_id].extend(passed)

    async def run(self, service: Service) -> None:
        """Write every few seconds until the service stops; whoever uses it last writes what is left."""
        while not await wait_or_stop(service.stop, WRITE_SECONDS):
            await self.write()

    async def write(self) -> None:
        """Write what came since the last time; what Redis doesn't take is kept.

        Where a camera's records can't be read (a newer detector wrote them), its fitness stays as it is.
        """
        await self._work.write()
        while self._passed:
            camera_id, faces = self._passed.popitem()
            try:
                await self._judge(camera_id, faces)
            except (RedisError, OSError) as error:
                log.debug("camera.fitness_unwritten", camera_id=camera_id, error=str(error))
                self._passed[camera_id].extendleft(reversed(faces))
                return
            except msgspec.MsgspecError as error:
                log.warning("camera.fitness_unreadable", camera_id=camera_id, error=str(error))

    async def _judge(self, camera_id: str, passed: Iterable[PassedFace]) -> None:
        camera = self._cameras.get(camera_id)
        if camera is None:
            return
        key = passed_faces_key(camera_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(key, *map(msgspec.msgpack.encode, passed))
            pipe.ltrim(key, -WINDOW_TRACKS, -1)
            pipe.expire(key, FITNESS_TTL_SECONDS)
            pipe.lrange(key, 0, -1)
            pipe.get(camera_status_key(camera_id))
            *_, records, status = await pipe.execute()
        size_wh = _STATUS.decode(status).size_wh if status else None
        fitness = judge_camera(
            camera,
            map(_PASSED_FACE.decode, records),
            delivered_width_px=size_wh[0] if size_wh else None,
            now_ns=time.time_ns(),
        )
        await self._redis.set(fitness_key(camera_id), msgspec.json.encode(fitness), ex=FITNESS_TTL_SECONDS)


def _last_hundred() -> deque[PassedFace]:
    return deque(maxlen=WINDOW_TRACKS)
