"""Replicas of ingest share cameras: one that dies is replaced, one that joins takes its share."""

import asyncio
import subprocess
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from mien.simulator.simulator import CameraSimulator
from tests.integration.ingest.harness import SETTINGS
from tests.integration.ingest.test_service import IDS, Bench
from tests.integration.ingest.test_service import bench as bench  # noqa: PLC0414 - a fixture

SESSION_SECONDS = 6.0
CONNECT_SECONDS = SETTINGS.open_timeout_seconds
# Against hanging, not for speed: three processes, a broker and the cameras share the machine.
SLACK_SECONDS = 25.0
_LOOK_SECONDS = 0.02


@dataclass
class Readers:
    """Who reads the simulated cameras, as the cameras see it.

    Attributes:
        most: Connections of a camera at a time.
        twice_seconds: Longest time for which a camera had more than one.
        unread_seconds: Longest time for which it had none, since it had its first.
    """

    most: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    twice_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    unread_seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    async def watch(self, simulator: CameraSimulator) -> None:
        """Count for ever."""
        single_at = dict.fromkeys(simulator.cameras, time.monotonic())
        read_at: dict[str, float] = {}
        while True:
            now = time.monotonic()
            for name, camera in simulator.cameras.items():
                count = len(camera.viewers)
                self.most[name] = max(self.most[name], count)
                if count < 2:
                    single_at[name] = now
                if count:
                    read_at[name] = now
                self.twice_seconds[name] = max(self.twice_seconds[name], now - single_at[name])
                self.unread_seconds[name] = max(self.unread_seconds[name], now - read_at.get(name, now))
            await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def counted(bench: Bench) -> AsyncIterator[Readers]:
    """Count who reads the cameras while the context is open."""
    readers = Readers()
    watching = asyncio.create_task(readers.watch(bench.simulator))
    yield readers
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def read_by(bench: Bench, process: subprocess.Popen[bytes]) -> set[str]:
    """Return the cameras that a replica reads."""
    statuses = [await bench.status(camera_id) for camera_id in IDS]
    return {
        status.camera_id
        for status in statuses
        if status and status.state == "streaming" and status.replica.endswith(f"-{process.pid}")
    }


async def is_shared(bench: Bench, shares: dict[subprocess.Popen[bytes], int]) -> None:
    """Wait until each replica reads so many cameras."""
    async with asyncio.timeout(60):
        while [len(await read_by(bench, process)) for process in shares] != [*shares.values()]:
            await asyncio.sleep(0.2)


async def test_a_replica_that_is_killed_loses_no_camera_for_longer_than_it_takes(bench: Bench) -> None:
    """Its cameras stream from another within session timeout and connecting; the others notice nothing."""
    for camera_id in IDS:
        await bench.add(camera_id)
    first, second = bench.start_replica(), bench.start_replica()
    await is_shared(bench, {first: 2, second: 2})
    await bench.delivers(*IDS)
    lost = await read_by(bench, first)
    epochs = {camera_id: bench.frames[camera_id][-1].epoch for camera_id in IDS}
    async with counted(bench) as readers:
        first.kill()
        for camera_id in lost:
            await bench.reaches(camera_id, lambda status: status.replica.endswith(f"-{second.pid}"))
        await bench.delivers(*IDS)
    for camera_id in IDS:
        is_lost = camera_id in lost
        assert (bench.frames[camera_id][-1].epoch > epochs[camera_id]) == is_lost
        assert readers.most[camera_id] == 1
        most = SESSION_SECONDS + CONNECT_SECONDS + SLACK_SECONDS if is_lost else SLACK_SECONDS
        assert readers.unread_seconds[camera_id] < most


async def test_replicas_that_join_take_their_share_without_a_gap_for_the_rest(bench: Bench) -> None:
    """One, two, three: cameras that stay keep connection and epoch; none is read twice, or forgotten."""
    for camera_id in IDS:
        await bench.add(camera_id)
    first = bench.start_replica()
    await bench.delivers(*IDS)
    epochs = {camera_id: bench.frames[camera_id][-1].epoch for camera_id in IDS}
    async with counted(bench) as readers:
        second = bench.start_replica()
        await is_shared(bench, {first: 2, second: 2})
        await bench.delivers(*IDS)
        for camera_id in await read_by(bench, first):
            assert bench.frames[camera_id][-1].epoch == epochs[camera_id]
        third = bench.start_replica()
        await _all_have_some(bench, first, second, third)
        await bench.delivers(*IDS)
    for camera_id in IDS:
        # Closing a camera that has moved takes a read that ends by its time limit, at the longest.
        assert readers.twice_seconds[camera_id] < SESSION_SECONDS + SLACK_SECONDS
        assert readers.unread_seconds[camera_id] < CONNECT_SECONDS + SLACK_SECONDS
        assert len(bench.simulator.cameras[camera_id].viewers) == 1


async def _all_have_some(bench: Bench, *processes: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(60):
        while True:
            shares = [await read_by(bench, process) for process in processes]
            if all(shares) and sorted(camera_id for share in shares for camera_id in share) == sorted(IDS):
                return
            await asyncio.sleep(0.2)
