"""What is done with each camera's pictures, counted in memory and added up in Redis every few seconds.

Prometheus has the same counts over all cameras; these are per camera, for its page, over the last hour.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.shared_state import WORK_BUCKET_SECONDS, WORK_TTL_SECONDS, work_key
from mien.runtime.service import Service, wait_or_stop

log = structlog.get_logger()

WRITE_SECONDS = 5.0
HOUR_SECONDS = 3600


class WorkLedger:
    """Counts in memory until they are written; what Redis doesn't take is kept and written later.

    Several processes may count for one camera. For the event loop's thread only.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._unwritten: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def count(self, camera_id: str, done: Mapping[str, int]) -> None:
        """Add what was done, by :data:`~mien.contracts.shared_state.WorkStep` or reason."""
        self._unwritten[camera_id].update(done)

    async def write(self) -> None:
        """Add what was counted since the last time to the current five minutes."""
        unwritten, self._unwritten = self._unwritten, defaultdict(Counter)
        bucket = int(time.time()) // WORK_BUCKET_SECONDS
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                for camera_id, done in unwritten.items():
                    key = work_key(camera_id, bucket)
                    for step, count in done.items():
                        if count:
                            pipe.hincrby(key, step, count)
                    pipe.expire(key, WORK_TTL_SECONDS)
                await pipe.execute()
        except (RedisError, OSError) as error:
            for camera_id, done in unwritten.items():
                self._unwritten[camera_id].update(done)
            log.debug("work.unwritten", error=str(error))

    async def run(self, service: Service) -> None:
        """Write every few seconds until the service stops, and once more then."""
        while not service.stop.is_set():
            await wait_or_stop(service.stop, WRITE_SECONDS)
            await self.write()


async def read_work(redis: Redis, camera_id: str, *, now_seconds: float) -> tuple[int, Counter[str]]:
    """Return since when (Unix seconds) and how much was done for a camera in the last hour.

    The time is that of the oldest five minutes in which there was anything; now, when there was nothing.
    """
    newest = int(now_seconds) // WORK_BUCKET_SECONDS
    buckets = range(newest - HOUR_SECONDS // WORK_BUCKET_SECONDS, newest + 1)
    async with redis.pipeline(transaction=False) as pipe:
        for bucket in buckets:
            pipe.hgetall(work_key(camera_id, bucket))
        hashes: list[dict[bytes, bytes]] = await pipe.execute()
    done: Counter[str] = Counter()
    for counts in hashes:
        done.update({step.decode(): int(count) for step, count in counts.items()})
    began = [bucket for bucket, counts in zip(buckets, hashes, strict=True) if counts]
    return (began[0] * WORK_BUCKET_SECONDS if began else int(now_seconds)), done
