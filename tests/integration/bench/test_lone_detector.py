"""A detector under load, as ``mien bench detector-scale`` measures it: real Kafka, Redis and MTCNN."""

import asyncio
from pathlib import Path

import pytest

from mien.bench.crowds import CROWD_SIZE_WH, MOST_FACES, crowd_jpegs
from mien.bench.lone_detector import Feed, Shown, running_detector
from mien.bench.scrape import total
from mien.contracts.cameras import Camera
from mien.local.kafka import KafkaUnavailableError, copy_jars, find_java
from mien.local.redis_server import RedisUnavailableError, find_redis_server
from tests.stack import cannot_run

DEADLINE_SECONDS = 30.0


@pytest.fixture(autouse=True)
def _neighbours_can_run() -> None:
    try:
        find_java()
        copy_jars()
        find_redis_server()
    except (KafkaUnavailableError, RedisUnavailableError) as error:
        cannot_run(str(error))


def feed(camera_id: str, faces: int) -> Feed:
    """Return a camera that shows so many faces."""
    camera = Camera(camera_id=camera_id, name=camera_id, url="rtsp://127.0.0.1/never-opened", partition=0)
    return Feed(camera, crowd_jpegs(faces, frames=4), CROWD_SIZE_WH)


async def until_shown(shown: Shown, frames: int) -> None:
    """Wait until viewers have seen so many frames."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while len(shown.ages_ms) < frames:
            await asyncio.sleep(0.05)


async def test_viewers_see_every_face_of_every_camera(tmp_path: Path) -> None:
    """The load is what it claims to be: so many faces, all of them found, and counted as frames looked at."""
    async with running_detector(tmp_path) as detector:
        few, many = await detector.register([feed("few", 1), feed("many", MOST_FACES)])
        assert few.camera.partition != many.camera.partition
        async with detector.playing([few], fps=5) as shown:
            await until_shown(shown, 5)
        assert set(shown.faces) == {1}
        assert all(age_ms > 0 for age_ms in shown.ages_ms)
        async with detector.playing([few, many], fps=5) as both:
            await until_shown(both, 10)
        assert set(both.faces) == {1, MOST_FACES}
        metrics = detector.metrics()
        looked_at = {name: total(metrics, "mien_frames_total", camera_id=name) for name in ("few", "many")}
        assert sum(looked_at.values()) >= len(shown.ages_ms) + len(both.ages_ms)
        assert min(looked_at.values()) >= 1
        assert detector.cpu_seconds() > 0
