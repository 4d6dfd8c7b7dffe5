"""The whole service between a real Kafka and a real Redis, alone and as replicas."""

import asyncio
import signal
import subprocess
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import simplejpeg
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr
from redis.asyncio import Redis

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import Camera
from mien.contracts.events import CameraChanged
from mien.contracts.frames import Frame
from mien.contracts.shared_state import CAMERAS_KEY, camera_status_key, closeup_key, watch_key
from mien.contracts.topics import CAMERAS, FRAMES
from mien.runtime.bus import create_topics, open_event_producer, publish
from mien.runtime.cameras import CameraRegistry
from mien.runtime.redis_connection import connect_redis
from mien.runtime.secrets import SecretBox
from mien.runtime.settings import KafkaSettings, RedisSettings
from mien.simulator.camera import ClipSource, SimulatedCamera
from mien.simulator.clips import load_clip
from mien.simulator.simulator import CameraSimulator, run_simulator
from tests.integration.ingest.harness import CREDENTIALS, SECRET_KEY, start_ingest, until, write_clip

PARTITIONS = 4
IDS = ("one", "two", "three", "four")


class Bench:
    """A registry to write, cameras to read, and all frames that come out."""

    def __init__(
        self, kafka: KafkaSettings, redis_url: str, redis: Redis, simulator: CameraSimulator, logs: Path
    ) -> None:
        self.redis = redis
        self.simulator = simulator
        self.registry = CameraRegistry(redis, partitions=PARTITIONS, secrets=SecretBox([SECRET_KEY]))
        self.frames: defaultdict[str, list[Frame]] = defaultdict(list)
        self.partitions: defaultdict[str, set[int]] = defaultdict(set)
        self.replicas: list[subprocess.Popen[bytes]] = []
        self.kafka = kafka
        self._redis_url, self._logs = redis_url, logs

    async def add(self, camera_id: str, **fields: Any) -> Camera:
        """Register a simulated camera."""
        known = {"url": self.simulator.rtsp_url(camera_id), "name": camera_id}
        secrets = {"username": CREDENTIALS.username, "password": CREDENTIALS.password}
        return await self.registry.add(
            Camera(camera_id=camera_id, partition=0, **{**known, **secrets, **fields})
        )

    def start_replica(self, **settings: str) -> subprocess.Popen[bytes]:
        """Start one more ingest process."""
        process = start_ingest(
            self.kafka.bootstrap_servers,
            self._redis_url,
            partitions=PARTITIONS,
            log_path=self.log_path,
            **settings,
        )
        self.replicas.append(process)
        return process

    @property
    def log_path(self) -> Path:
        """Where all replicas log."""
        return self._logs / "ingest.log"

    async def status(self, camera_id: str) -> CameraStatus | None:
        """Return what was last said of a camera."""
        value = await self.redis.get(camera_status_key(camera_id))
        return None if value is None else msgspec.json.decode(value, type=CameraStatus)

    async def reaches(self, camera_id: str, accept: Callable[[CameraStatus], bool]) -> CameraStatus:
        """Wait for a camera's status to be as wanted."""
        async with asyncio.timeout(40):
            while True:
                status = await self.status(camera_id)
                if status is not None and accept(status):
                    return status
                await asyncio.sleep(0.1)

    async def delivers(self, *camera_ids: str) -> None:
        """Wait for three more frames of each of these cameras."""
        before = {camera_id: len(self.frames[camera_id]) for camera_id in camera_ids}
        await until(
            lambda: all(len(self.frames[camera_id]) >= count + 3 for camera_id, count in before.items()),
            {camera_id: len(frames) for camera_id, frames in self.frames.items()},
        )

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Collect frames for ever."""
        async for record in consumer:
            frame = Frame.from_record(record.headers, record.value)
            self.frames[frame.camera_id].append(frame)
            self.partitions[frame.camera_id].add(record.partition)


@pytest.fixture
async def bench(kafka_bootstrap: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    """Four simulated cameras, an empty registry, no ingest yet; what was started is stopped afterwards."""
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS)
    await create_topics(kafka)
    clip = load_clip(write_clip(tmp_path / "clip.mp4"))
    cameras = [SimulatedCamera(camera_id, ClipSource(clip)) for camera_id in IDS]
    async with (
        connect_redis(RedisSettings(url=SecretStr(redis_url))) as redis,
        run_simulator(cameras, credentials=CREDENTIALS) as simulator,
        _listening(kafka) as consumer,
    ):
        await redis.delete(CAMERAS_KEY, *map(camera_status_key, IDS))
        bench = Bench(kafka, redis_url, redis, simulator, tmp_path)
        listening = asyncio.create_task(bench.listen(consumer))
        yield bench
        for process in bench.replicas:
            process.kill()
            await asyncio.to_thread(process.wait)
        listening.cancel()
        await redis.delete(CAMERAS_KEY, *map(camera_status_key, IDS))


@asynccontextmanager
async def _listening(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        FRAMES.name, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="latest"
    )
    await consumer.start()
    await consumer.seek_to_end()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def test_frames_of_a_registered_camera_arrive_on_its_partition(bench: Bench) -> None:
    """Camera, registry, group, reader, broker: a frame is a JPEG with all its headers, where it belongs."""
    process = bench.start_replica()
    camera = await bench.add("one", max_age_ms=900)
    await bench.delivers("one")
    frame = bench.frames["one"][-1]
    assert simplejpeg.decode_jpeg(frame.jpeg).shape == (180, 320, 3)
    assert (frame.size_wh, frame.max_age_ms) == ((320, 180), 900)
    assert bench.partitions["one"] == {camera.partition}
    status = await bench.reaches(
        "one", lambda status: status.state == "streaming" and status.captured_fps > 10
    )
    assert (status.size_wh, status.codec, status.reason) == ((320, 180), "h264", "")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 15) == 0
    assert CREDENTIALS.password not in bench.log_path.read_text()


async def test_edits_take_effect_without_a_restart(bench: Bench) -> None:
    """A new rate keeps the connection; a new password, the switch and removal act on it."""
    bench.start_replica()
    await bench.add("one")
    await bench.delivers("one")
    epoch = bench.frames["one"][-1].epoch
    await bench.registry.update("one", {"frame_width_px": 160})
    await until(lambda: bench.frames["one"][-1].size_wh == (160, 90))
    assert bench.frames["one"][-1].epoch == epoch

    await bench.registry.update("one", {"password": "wrong"})
    status = await bench.reaches("one", lambda status: status.state == "auth_failed")
    assert status.reason.startswith("wrong user name or password")
    await bench.registry.update("one", {"password": CREDENTIALS.password})
    await bench.reaches("one", lambda status: status.state == "streaming")
    await bench.delivers("one")
    assert bench.frames["one"][-1].epoch > epoch

    await bench.registry.update("one", {"enabled": False})
    await bench.reaches("one", lambda status: status.state == "stopped")
    await until(lambda: not bench.simulator.cameras["one"].viewers)
    await bench.registry.remove("one")
    async with asyncio.timeout(30):
        while await bench.status("one") is not None:
            await asyncio.sleep(0.2)


async def test_a_change_is_announced_on_the_bus_and_read_at_once(bench: Bench) -> None:
    """A notice on the cameras topic is understood; what it announces is opened."""
    bench.start_replica()
    await bench.add("one")
    await bench.delivers("one")
    camera = await bench.add("two")
    notice = CameraChanged(camera_id="two", event_id="e", captured_at_ns=0, revision=camera.revision)
    async with open_event_producer(bench.kafka) as producer:
        await publish(producer, CAMERAS, notice, partition=camera.partition)
    await bench.delivers("two")


async def test_a_viewer_gets_every_sampled_frame_of_a_still_camera(bench: Bench, tmp_path: Path) -> None:
    """Nothing moves, so frames come marked still; while somebody watches, at the sampled rate."""
    still = tmp_path / "still.jpg"
    still.write_bytes(simplejpeg.encode_jpeg(np.full((180, 320, 3), 90, np.uint8)))
    bench.simulator.cameras["one"].source = ClipSource(load_clip(still))
    bench.start_replica(MIEN_INGEST_HEARTBEAT_SECONDS="60")
    await bench.add("one")
    await bench.reaches("one", lambda status: status.state == "streaming" and status.published_fps == 0)
    await bench.redis.set(watch_key("one"), b"1", ex=60)
    status = await bench.reaches("one", lambda status: status.published_fps > 4)
    assert status.state == "streaming"
    await bench.delivers("one")
    assert bench.frames["one"][-1].still
    await bench.redis.delete(watch_key("one"))


async def test_frames_bring_closeups_while_a_detector_wishes_for_them(bench: Bench, tmp_path: Path) -> None:
    """A mark in Redis, and frames carry their main stream's picture; the status says how that stream is."""
    large = write_clip(tmp_path / "large.mp4", size_wh=(960, 540))
    bench.simulator.cameras["two"].source = ClipSource(load_clip(large))
    bench.start_replica()
    await bench.add("one", main_stream_url=bench.simulator.rtsp_url("two"))
    await bench.delivers("one")
    assert all(frame.closeup_jpeg is None for frame in bench.frames["one"])
    status = await bench.reaches(
        "one", lambda status: status.main_stream is not None and status.main_stream.state == "streaming"
    )
    assert status.main_stream is not None
    assert (status.main_stream.size_wh, status.main_stream.wanted) == ((960, 540), False)

    await bench.redis.set(closeup_key("one"), b"1", ex=60)
    await until(lambda: bench.frames["one"][-1].closeup_jpeg is not None)
    frame = bench.frames["one"][-1]
    assert frame.closeup_jpeg is not None
    assert simplejpeg.decode_jpeg(frame.closeup_jpeg).shape == (540, 960, 3)
    assert frame.closeup_size_wh == (960, 540)
    await bench.redis.delete(closeup_key("one"))
    await until(lambda: bench.frames["one"][-1].closeup_jpeg is None)


async def test_a_zone_takes_effect_without_a_new_connection(bench: Bench) -> None:
    """All of a moving picture ignored: only the heartbeat is left, marked still, in the same epoch."""
    bench.start_replica()
    await bench.add("one")
    await bench.delivers("one")
    epoch = bench.frames["one"][-1].epoch
    everywhere = {"points_xy": [[0, 0], [1, 0], [1, 1], [0, 1]], "ignores": "movement"}
    await bench.registry.update("one", {"ignored_zones": [everywhere]})
    await until(lambda: bench.frames["one"][-1].still)
    await bench.registry.update("one", {"ignored_zones": []})
    await until(lambda: not bench.frames["one"][-1].still)
    assert bench.frames["one"][-1].epoch == epoch
