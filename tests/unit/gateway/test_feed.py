"""The live feed's own life, without Redis."""

import asyncio

from redis.asyncio import Redis

from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.rules import RuleStore
from mien.runtime.service import Service
from services.gateway.database import Database
from services.gateway.feed import LiveFeed
from services.gateway.hub import Hub, Viewer
from services.gateway.merge import TrackStore
from services.gateway.names import Names


async def test_feed_ends_while_viewers_leave(database: Database) -> None:
    """Told to end in the very moment in which a viewer changes what it watches, the feed ends."""
    async with Redis.from_url("redis://127.0.0.1:1/0") as nowhere:
        registry, hub, viewer = CameraRegistry(nowhere, partitions=1), Hub(), Viewer()
        feed = LiveFeed(
            nowhere,
            hub,
            TrackStore(nowhere),
            directory=CameraDirectory(registry),
            registry=registry,
            names=Names(database, nowhere, RuleStore(nowhere)),
        )
        running = asyncio.create_task(feed.run(Service("gateway")))
        for _ in range(20):
            await asyncio.sleep(0)
        hub.watch(viewer, frozenset())
        await asyncio.sleep(0)
        running.cancel()
        done, _ = await asyncio.wait({running}, timeout=5)
        assert done
