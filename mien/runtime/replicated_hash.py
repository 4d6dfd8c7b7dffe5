"""A hash in Redis that several processes hold in memory: readers fetch only what has changed.

Beside the hash lie a generation, which counts its changes, and a sorted set of field → the generation that
changed it last. A reader that has fallen far behind, or whose Redis has lost its data, reads everything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

# How many generations back a reader may be without reading everything again.
_REMEMBERED_GENERATIONS: Final = 100_000
_FETCHED_AT_ONCE: Final = 2_000

# Puts and deletes fields in one step. ARGV: expected generation or '', seconds to live or '', generations
# to remember, number of fields to put, then each name and value, then the names to delete. Returns the new
# generation, or -1 when somebody else was first.
_WRITE_LUA: Final = """
local hash, counter, changed = KEYS[1], KEYS[2], KEYS[3]
if ARGV[1] ~= '' and tonumber(redis.call('GET', counter) or '0') ~= tonumber(ARGV[1]) then return -1 end
local generation = redis.call('INCR', counter)
local first_deleted = 5 + 2 * tonumber(ARGV[4])
for i = 5, first_deleted - 1, 2 do
  redis.call('HSET', hash, ARGV[i], ARGV[i + 1])
  redis.call('ZADD', changed, generation, ARGV[i])
end
for i = first_deleted, #ARGV do
  redis.call('HDEL', hash, ARGV[i])
  redis.call('ZADD', changed, generation, ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', changed, '-inf', generation - tonumber(ARGV[3]))
if ARGV[2] ~= '' then redis.call('EXPIRE', hash, ARGV[2]) end
return generation
"""


@dataclass(frozen=True)
class Changes:
    """What a reader has missed.

    Attributes:
        generation: State of the hash that this leads to.
        values: New values by field; None where the field is gone.
        is_complete: The values are all there is: what the reader has besides is gone.
    """

    generation: int
    values: Mapping[str, bytes | None]
    is_complete: bool


class ReplicatedHash:
    """Reads and writes one such hash."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key
        self._generation_key = f"{key}:generation"
        self._changed_key = f"{key}:changed"
        self._write = redis.register_script(_WRITE_LUA)

    async def generation(self) -> int:
        """Return how often the hash has changed."""
        return int(await self._redis.get(self._generation_key) or 0)

    async def read(self, since: int = -1) -> Changes:
        """Return what has changed since a generation; everything where that can't be told.

        What changes while this reads may already be in it, and is then returned again by the next read.
        """
        generation = await self.generation()
        if since == generation:
            return Changes(generation, {}, is_complete=False)
        if since < 0 or since > generation or since < generation - _REMEMBERED_GENERATIONS:
            # In pieces: one answer of 70 MB keeps Redis from everybody else, and outlasts a timeout.
            found = {
                name.decode(): value
                async for name, value in self._redis.hscan_iter(self._key, count=_FETCHED_AT_ONCE)
            }
            return Changes(generation, found, is_complete=True)
        names: list[bytes] = await self._redis.zrangebyscore(self._changed_key, f"({since}", "+inf")
        values: dict[str, bytes | None] = {}
        for start in range(0, len(names), _FETCHED_AT_ONCE):
            chunk = names[start : start + _FETCHED_AT_ONCE]
            fetched = await self._redis.hmget(self._key, chunk)
            values |= {name.decode(): value for name, value in zip(chunk, fetched, strict=True)}
        return Changes(generation, values, is_complete=False)

    async def write(
        self,
        put: Mapping[str, bytes],
        delete: Collection[str] = (),
        *,
        expected_generation: int | None = None,
        ttl_seconds: float | None = None,
    ) -> bool:
        """Put and delete fields in one step; readers see it with their next look.

        Args:
            expected_generation: Write only if nobody has written since.
            ttl_seconds: How long the whole hash lives from now on; None leaves that as it is.

        Returns:
            False when somebody else was first, and nothing was written.
        """
        generation = await self._write(
            keys=self._keys(), args=self._arguments(put, delete, expected_generation, ttl_seconds)
        )
        return int(generation) >= 0

    async def queue_write(
        self, pipeline: Pipeline, put: Mapping[str, bytes], delete: Collection[str] = ()
    ) -> None:
        """Put and delete fields as part of a transaction, with whatever else stands in it."""
        await self._write(keys=self._keys(), args=self._arguments(put, delete), client=pipeline)

    def _keys(self) -> list[str]:
        return [self._key, self._generation_key, self._changed_key]

    @staticmethod
    def _arguments(
        put: Mapping[str, bytes],
        delete: Collection[str],
        expected_generation: int | None = None,
        ttl_seconds: float | None = None,
    ) -> list[str | int | bytes]:
        fields = [part for name, value in put.items() for part in (name, value)]
        expected = "" if expected_generation is None else expected_generation
        ttl = "" if ttl_seconds is None else max(int(ttl_seconds), 1)
        return [expected, ttl, _REMEMBERED_GENERATIONS, len(put), *fields, *delete]
