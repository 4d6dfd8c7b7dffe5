"""A reader of a replicated hash misses nothing and fetches only what has changed."""

from collections.abc import AsyncIterator

import fakeredis
import pytest

from mien.runtime import replicated_hash
from mien.runtime.replicated_hash import ReplicatedHash


@pytest.fixture
async def redis() -> AsyncIterator[fakeredis.FakeAsyncRedis]:
    async with fakeredis.FakeAsyncRedis() as redis:
        yield redis


async def test_first_read_is_complete_and_the_next_holds_only_changes(
    redis: fakeredis.FakeAsyncRedis,
) -> None:
    """After the first read only what was put or deleted since is told."""
    shared = ReplicatedHash(redis, "h")
    await shared.write({"a": b"1", "b": b"2"})
    first = await shared.read()
    assert (first.generation, first.is_complete, first.values) == (1, True, {"a": b"1", "b": b"2"})
    await shared.write({"c": b"3"}, ["a"])
    second = await shared.read(first.generation)
    assert (second.generation, second.is_complete, second.values) == (2, False, {"a": None, "c": b"3"})
    assert (await shared.read(2)).values == {}


async def test_hash_of_before_generations_were_counted_is_read_whole(
    redis: fakeredis.FakeAsyncRedis,
) -> None:
    """Data of an earlier release is there from the start."""
    await redis.hset("h", "old", b"1")
    assert (await ReplicatedHash(redis, "h").read()).values == {"old": b"1"}


async def test_only_the_first_of_two_who_looked_at_the_same_time_may_write(
    redis: fakeredis.FakeAsyncRedis,
) -> None:
    """The second is told, and nothing of it is written."""
    shared = ReplicatedHash(redis, "h")
    assert await shared.write({"a": b"1"}, expected_generation=0)
    assert not await shared.write({"a": b"2"}, expected_generation=0)
    assert (await shared.read()).values == {"a": b"1"}


async def test_reader_whose_redis_lost_its_data_reads_everything(redis: fakeredis.FakeAsyncRedis) -> None:
    """A generation from the future means that the past is gone."""
    shared = ReplicatedHash(redis, "h")
    await shared.write({"a": b"1"})
    changes = await shared.read(since=7)
    assert (changes.generation, changes.is_complete, changes.values) == (1, True, {"a": b"1"})


async def test_reader_that_fell_far_behind_reads_everything(
    redis: fakeredis.FakeAsyncRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes are not remembered for ever; whoever missed some is not left with half of them."""
    monkeypatch.setattr(replicated_hash, "_REMEMBERED_GENERATIONS", 2)
    shared = ReplicatedHash(redis, "h")
    for number in range(5):
        await shared.write({"a": str(number).encode()})
    assert (await shared.read(since=1)).is_complete
    assert not (await shared.read(since=3)).is_complete
    assert await redis.zcard("h:changed") == 1


async def test_hash_lives_as_long_after_its_last_write_as_it_was_told(
    redis: fakeredis.FakeAsyncRedis,
) -> None:
    """What nobody writes any more goes by itself."""
    await ReplicatedHash(redis, "h").write({"a": b"1"}, ttl_seconds=60)
    assert 0 < await redis.ttl("h") <= 60
