"""What adds up per camera, in a real Redis: over detectors, outages and deletions."""

import time
from collections.abc import AsyncIterator

import msgspec
import pytest
from redis.asyncio import Redis

from mien.contracts.camera_status import CameraFitness, CameraStatus, PassedFace
from mien.contracts.cameras import Camera
from mien.contracts.shared_state import camera_status_key, fitness_key, passed_faces_key
from mien.runtime.cameras import CameraDirectory, CameraRegistry
from mien.runtime.work import WorkLedger, read_work
from services.detector.camera_records import CameraRecords
from services.detector.fitness import WINDOW_TRACKS

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url, protocol=2) as redis:
        yield redis


async def directory(redis: Redis, camera_id: str) -> CameraDirectory:
    """Register a camera; returns the registry as a detector holds it."""
    registry = CameraRegistry(redis, partitions=4)
    await registry.add(Camera(camera_id=camera_id, name=camera_id, url="rtsp://x", partition=0))
    cameras = CameraDirectory(registry)
    await cameras.refresh()
    return cameras


def passed(count: int, *, face_px: float = 100.0) -> list[PassedFace]:
    now_ns = time.time_ns()
    face = PassedFace(
        started_at_ns=now_ns - 10**9,
        ended_at_ns=now_ns,
        score=0.8,
        detection_score=0.99,
        face_px=face_px,
        sharpness=90.0,
        evenness=0.8,
        yaw=0.1,
        pitch=0.0,
        brightness=120.0,
    )
    return [face] * count


async def fitness_of(redis: Redis, camera_id: str) -> CameraFitness:
    return msgspec.json.decode(await redis.get(fitness_key(camera_id)), type=CameraFitness)


async def test_the_next_detector_goes_on_where_the_last_one_stopped(redis: Redis) -> None:
    """Six seen by one and six seen by the next are twelve, and enough for a verdict."""
    cameras = await directory(redis, "fit-takeover")
    for _ in range(2):
        records = CameraRecords(redis, cameras)
        records.add_passed("fit-takeover", passed(6))
        await records.write()
    fitness = await fitness_of(redis, "fit-takeover")
    assert (fitness.tracks, fitness.fitness) == (12, "good")
    assert await redis.ttl(fitness_key("fit-takeover")) > 0
    assert await redis.ttl(passed_faces_key("fit-takeover")) > 0


async def test_only_the_last_hundred_are_kept(redis: Redis) -> None:
    """However many pass."""
    records = CameraRecords(redis, await directory(redis, "fit-crowd"))
    records.add_passed("fit-crowd", passed(70, face_px=20.0) + passed(70))
    await records.write()
    records.add_passed("fit-crowd", passed(10))
    await records.write()
    assert await redis.llen(passed_faces_key("fit-crowd")) == WINDOW_TRACKS
    assert (await fitness_of(redis, "fit-crowd")).median_face_px == 100.0


async def test_what_is_deleted_stays_forgotten(redis: Redis) -> None:
    """After a camera was moved, those who passed before don't come back."""
    records = CameraRecords(redis, await directory(redis, "fit-moved"))
    records.add_passed("fit-moved", passed(12))
    await records.write()
    await redis.delete(fitness_key("fit-moved"), passed_faces_key("fit-moved"))
    records.add_passed("fit-moved", passed(1))
    await records.write()
    assert (await fitness_of(redis, "fit-moved")).tracks == 1


async def test_a_scaled_down_picture_is_noticed(redis: Redis) -> None:
    """The width that the camera delivers comes from ingest's status."""
    records = CameraRecords(redis, await directory(redis, "fit-scaled"))
    status = CameraStatus(camera_id="fit-scaled", state="streaming", size_wh=(2560, 1440))
    await redis.set(camera_status_key("fit-scaled"), msgspec.json.encode(status), ex=10)
    records.add_passed("fit-scaled", passed(12, face_px=30.0))
    await records.write()
    assert "from 1280 to 2560" in (await fitness_of(redis, "fit-scaled")).advice


async def test_people_of_a_camera_that_is_gone_are_dropped(redis: Redis) -> None:
    """A removed camera leaves nothing behind."""
    records = CameraRecords(redis, CameraDirectory(CameraRegistry(redis, partitions=4)))
    records.add_passed("fit-gone", passed(3))
    await records.write()
    assert await redis.exists(fitness_key("fit-gone"), passed_faces_key("fit-gone")) == 0


async def test_records_that_cannot_be_read_cost_their_camera_alone(redis: Redis) -> None:
    """A record of another kind leaves one camera's fitness as it was; the others go on."""
    cameras = await directory(redis, "fit-odd")
    await directory(redis, "fit-even")
    await cameras.refresh()
    await redis.rpush(passed_faces_key("fit-odd"), b"no record")
    records = CameraRecords(redis, cameras)
    for camera_id in ("fit-even", "fit-odd"):
        records.add_passed(camera_id, passed(12))
    await records.write()
    assert await redis.get(fitness_key("fit-odd")) is None
    assert (await fitness_of(redis, "fit-even")).tracks == 12


async def test_an_outage_of_redis_loses_nothing_and_holds_no_more_than_a_hundred(redis: Redis) -> None:
    """What can't be written waits, bounded, and is written when Redis is back."""
    cameras = await directory(redis, "fit-outage")
    async with Redis.from_url(NOBODY) as nobody:
        records = CameraRecords(nobody, cameras)
        for _ in range(3):
            records.count("fit-outage", {"looked_at": 1})
            records.add_passed("fit-outage", passed(60))
            await records.write()
        records._redis = records._work._redis = redis  # Redis is back
        await records.write()
    assert (await fitness_of(redis, "fit-outage")).tracks == WINDOW_TRACKS
    _, done = await read_work(redis, "fit-outage", now_seconds=time.time())
    assert done == {"looked_at": 3}


async def test_work_of_several_processes_adds_up_for_an_hour(redis: Redis) -> None:
    """Ingest and detector count for one camera; what is older than an hour is not in the sum."""
    for done in ({"captured": 5, "sampled": 2}, {"captured": 5, "looked_at": 1, "skipped.poor_view": 3}):
        ledger = WorkLedger(redis)
        ledger.count("work-sum", done)
        ledger.count("work-sum", {"captured": 1})
        await ledger.write()
        await ledger.write()  # nothing is counted twice
    now_seconds = time.time()
    since, done = await read_work(redis, "work-sum", now_seconds=now_seconds)
    assert done == {"captured": 12, "sampled": 2, "looked_at": 1, "skipped.poor_view": 3}
    assert now_seconds - 600 <= since <= now_seconds
    later, nothing = await read_work(redis, "work-sum", now_seconds=now_seconds + 3600 + 300)
    assert (later, nothing) == (int(now_seconds + 3600 + 300), {})
