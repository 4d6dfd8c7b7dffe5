"""Cameras spread over partitions, and workers keep what they know while Redis is away."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError

from mien.contracts.cameras import Camera
from mien.contracts.shared_state import CAMERAS_GENERATION_KEY, CAMERAS_KEY
from mien.errors import TransientError
from mien.runtime.cameras import CameraDirectory, CameraRegistry, choose_partition
from tests.fakes import FakeRedis


@given(cameras=st.integers(0, 60), partitions=st.integers(1, 24))
def test_partitions_fill_evenly(cameras: int, partitions: int) -> None:
    """Whatever their number, no partition has two cameras more than another."""
    taken: list[int] = []
    for _ in range(cameras):
        taken.append(choose_partition(taken, partitions))
    load = [taken.count(partition) for partition in range(partitions)]
    assert max(load) - min(load) <= 1


def test_partitions_beyond_the_present_number_are_ignored() -> None:
    """A registry written with more partitions still takes new cameras."""
    assert choose_partition([0, 17, 23], 2) == 1


@pytest.fixture
def redis() -> FakeRedis:
    return FakeRedis()


def register(redis: FakeRedis, camera_id: str, partition: int) -> None:
    camera = Camera(camera_id=camera_id, name=camera_id, url="rtsp://camera", partition=partition)
    redis.hset(CAMERAS_KEY, camera_id, msgspec.msgpack.encode(camera))
    redis.incr(CAMERAS_GENERATION_KEY)


async def test_directory_follows_the_registry(redis: FakeRedis) -> None:
    """A camera added or removed is known after the next look."""
    directory = CameraDirectory(CameraRegistry(redis, partitions=4))
    register(redis, "door", 1)
    register(redis, "yard", 2)
    await directory.refresh()
    assert [camera.camera_id for camera in directory.on_partitions({1})] == ["door"]
    del redis.hashes[CAMERAS_KEY]["door"]
    redis.incr(CAMERAS_GENERATION_KEY)
    await directory.refresh()
    assert directory.get("door") is None


async def test_directory_keeps_what_it_knows_while_redis_is_away(redis: FakeRedis) -> None:
    """Cameras go on without the registry."""
    directory = CameraDirectory(CameraRegistry(redis, partitions=4))
    register(redis, "door", 1)
    await directory.refresh()
    redis.error = RedisConnectionError("gone")
    with pytest.raises(TransientError):
        await directory.refresh()
    assert directory.get("door") is not None


def test_camera_does_not_show_its_password() -> None:
    """A camera may appear in a log."""
    camera = Camera(camera_id="door", name="Door", url="rtsp://camera", partition=0, password="hunter2")
    assert "hunter2" not in repr(camera)
