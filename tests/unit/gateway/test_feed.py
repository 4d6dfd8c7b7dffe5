"""The live feed's own life, without Redis."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from mien.contracts.shared_state import Preview, TrackResult, preview_channel
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.rules import RuleStore
from mien.runtime.service import Service
from services.gateway.database import Database
from services.gateway.feed import LiveFeed
from services.gateway.hub import Hub, Viewer
from services.gateway.merge import TrackStore
from services.gateway.names import Names


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[LiveFeed]:
    """A feed whose Redis is away."""
    async with Redis.from_url("redis://127.0.0.1:1/0") as nowhere:
        registry = CameraRegistry(nowhere, partitions=1)
        yield LiveFeed(
            nowhere,
            Hub(),
            TrackStore(nowhere),
            directory=CameraDirectory(registry),
            registry=registry,
            names=Names(database, nowhere, RuleStore(nowhere)),
        )


async def test_feed_ends_while_viewers_leave(feed: LiveFeed) -> None:
    """Told to end in the very moment in which a viewer changes what it watches, the feed ends."""
    running = asyncio.create_task(feed.run(Service("gateway")))
    for _ in range(20):
        await asyncio.sleep(0)
    feed._hub.watch(Viewer(), frozenset())
    await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=5)
    assert done


async def test_what_is_known_of_a_track_is_asked_for_until_redis_answers(
    feed: LiveFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a face would have no name for as long as it stays; once answered, nobody asks again."""
    asked: list[list[str]] = []
    known = TrackResult(camera_id="door", track_id="door:1:4")

    async def load_results(track_ids: list[str]) -> list[TrackResult]:
        asked.append(track_ids)
        if len(asked) == 1:
            raise RedisTimeoutError("too slow")
        return [known]

    monkeypatch.setattr("services.gateway.feed._RECONNECT_SECONDS", 0)
    monkeypatch.setattr(feed._tracks, "load_results", load_results)
    preview = Preview(
        camera_id="door", frame_id="door:1:5", captured_at_ns=1, detected_at_ns=2, size_wh=(320, 240),
        boxes_xyxy=[(1.0, 2.0, 3.0, 4.0)], track_ids=["door:1:4"], scores=[0.9], jpeg=b"",
    )  # fmt: skip
    loading = asyncio.create_task(feed._load_tracks(Service("gateway")))
    for _ in range(20):
        feed._dispatch(preview_channel("door"), msgspec.msgpack.encode(preview))
        await asyncio.sleep(0)
    loading.cancel()
    assert asked == [["door:1:4"], ["door:1:4"]]
    assert feed._memory.results_of("door") == {"door:1:4": known}
