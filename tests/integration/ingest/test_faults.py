"""Every fault of the camera simulator, over RTSP and MJPEG, against one ingest process.

All cameras go wrong at the same time and are healed one by one as soon as the fault has been told; each is
then a camera like any other again. What is judged are the events and statuses of ingest and their own clocks.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr
from redis.asyncio import Redis

from mien.contracts.cameras import Camera
from mien.contracts.shared_state import CAMERAS_KEY
from mien.contracts.topics import CAMERA_STATES
from mien.runtime.bus import create_topics
from mien.runtime.cameras import CameraRegistry
from mien.runtime.redis_connection import connect_redis
from mien.runtime.secrets import SecretBox
from mien.runtime.settings import KafkaSettings, RedisSettings
from mien.simulator.camera import ClipSource, SimulatedCamera
from mien.simulator.clips import load_clip
from mien.simulator.faults import Faults
from mien.simulator.simulator import run_simulator
from tests.integration.ingest.harness import CREDENTIALS, SECRET_KEY, start_ingest, write_clip
from tests.integration.ingest.watchtower import LIMITS, Case, Outcome, Watchtower
from tests.stack import run_async

PARTITIONS = 4
# Ingest looks at its cameras each two seconds; the rest is for a machine that is busy with something else.
SLACK_SECONDS = 15.0

CASES = (
    Case(
        "freeze",
        ("freeze",),
        states=("frozen",),
        words="sends the same picture again and again",
        within_seconds=LIMITS["frozen"] + 1,
    ),
    Case(
        "mute",
        ("mute",),
        states=("stalled", "backoff"),
        words="stopped sending pictures",
        within_seconds=LIMITS["stall_timeout"],
    ),
    Case(
        "half-open",
        ("half_open",),
        states=("stalled", "backoff"),
        words="stopped sending pictures",
        within_seconds=LIMITS["stall_timeout"],
    ),
    Case("drop", act="drop", states=("backoff",), words="the camera closed the connection"),
    Case(
        "garbage",
        ("garbage",),
        states=("stalled",),
        words="sends data, but no picture that is whole",
        within_seconds=10.0,
    ),
    Case("reject", ("reject",), act="drop", states=("auth_failed",), words="wrong user name or password"),
    Case(
        "slow-start",
        ("slow_start=600",),
        act="drop",
        states=("backoff",),
        words="accepts the connection but sends no pictures",
        within_seconds=LIMITS["stall_timeout"] + 1,
    ),
    Case(
        "rate",
        ("rate=0.15",),
        states=("slow",),
        words="sends far fewer pictures than it should",
        within_seconds=LIMITS["slow"],
    ),
    Case(
        "slow-network",
        ("slow_network=6",),
        states=("slow",),
        words="sends far fewer pictures than it should",
        within_seconds=LIMITS["slow"],
        sides=("mjpeg",),
    ),
    Case(
        "slow-network",
        ("slow_network=6",),
        shows=lambda status: status.dropped.get("lag", 0) > 0 or status.state == "slow",
        sides=("rtsp",),
    ),
    Case("loss", ("loss=0.1",), shows=lambda status: status.dropped.get("corrupt", 0) > 0, sides=("rtsp",)),
    Case(
        "clock",
        ("clock=3600",),
        shows=lambda status: abs((status.clock_skew_seconds or 0) - 3600) < 10,
        sides=("rtsp",),
    ),
    Case("size", act="wide", shows=lambda status: status.size_wh == (640, 360)),
    Case("codec", act="hevc", shows=lambda status: status.codec == "hevc", sides=("rtsp",)),
)
RUNS = [(case, side) for case in CASES for side in case.sides]


def test_every_fault_of_the_kit_is_tried() -> None:
    """Of ONVIF alone is a host that leads nowhere: see ``test_answering.py``."""
    tried = {fault.partition("=")[0] for case in CASES for fault in case.faults}
    assert tried == set(vars(Faults())) - {"wrong_host"}


@pytest.fixture(scope="module")
def outcomes(
    kafka_bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Outcome]:
    """Break every camera in its own way, all at once."""
    return run_async(_run_all(kafka_bootstrap, redis_url, tmp_path_factory.mktemp("faults")))


async def _run_all(kafka_bootstrap: str, redis_url: str, folder: Path) -> dict[tuple[str, str], Outcome]:
    kafka = KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=PARTITIONS)
    await create_topics(kafka)
    async with connect_redis(RedisSettings(url=SecretStr(redis_url))) as redis:
        await redis.delete(CAMERAS_KEY)
        registry = CameraRegistry(redis, partitions=PARTITIONS, secrets=SecretBox([SECRET_KEY]))
        async with _watchtower(kafka, redis, registry, folder) as tower:
            for case, side in RUNS:
                name = f"{case.name}-{side}"
                await registry.add(_camera(name, tower.simulator.addresses(name)[side]))
            process = start_ingest(
                kafka_bootstrap,
                redis_url,
                partitions=PARTITIONS,
                log_path=folder / "ingest.log",
                MIEN_INGEST_OPEN_TIMEOUT_SECONDS=str(LIMITS["open_timeout"]),
                MIEN_INGEST_STALL_TIMEOUT_SECONDS=str(LIMITS["stall_timeout"]),
                MIEN_INGEST_FROZEN_SECONDS=str(LIMITS["frozen"]),
                MIEN_INGEST_SLOW_SECONDS=str(LIMITS["slow"]),
                MIEN_INGEST_LONGEST_RETRY_SECONDS="1",
                MIEN_INGEST_REFUSED_RETRY_SECONDS="1",
            )
            try:
                results = await asyncio.gather(*(tower.run(case, side) for case, side in RUNS))
            finally:
                process.kill()
                await asyncio.to_thread(process.wait)
        await redis.delete(CAMERAS_KEY)
    return {(case.name, side): result for (case, side), result in zip(RUNS, results, strict=True)}


def _camera(name: str, url: str) -> Camera:
    return Camera(
        camera_id=name,
        name=name,
        url=url,
        partition=0,
        username=CREDENTIALS.username,
        password=CREDENTIALS.password,
        # Every picture counts here, not only keyframes.
        decode="all",
    )


@asynccontextmanager
async def _watchtower(
    kafka: KafkaSettings, redis: Redis, registry: CameraRegistry, folder: Path
) -> AsyncIterator[Watchtower]:
    usual = ClipSource(load_clip(write_clip(folder / "usual.mp4")), with_jpegs=True)
    wide = write_clip(folder / "wide.mp4", size_wh=(640, 360))
    sources = {
        "usual": usual,
        "wide": ClipSource(load_clip(wide), with_jpegs=True),
        "hevc": ClipSource(load_clip(_to_hevc(wide, folder / "hevc.mp4"))),
    }
    cameras = [
        SimulatedCamera(f"{case.name}-{side}", usual.copy_from(number / len(RUNS)))
        for number, (case, side) in enumerate(RUNS)
    ]
    consumer = AIOKafkaConsumer(
        CAMERA_STATES.name, bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="latest"
    )
    await consumer.start()
    await consumer.seek_to_end()
    try:
        async with run_simulator(cameras, mjpeg_port=0, credentials=CREDENTIALS) as simulator:
            tower = Watchtower(redis, registry, simulator, sources)
            listening = asyncio.create_task(tower.listen(consumer))
            yield tower
            listening.cancel()
    finally:
        await consumer.stop()


def _to_hevc(clip: Path, path: Path) -> Path:
    options = {"preset": "ultrafast", "x265-params": "bframes=0:keyint=7:min-keyint=7:log-level=none"}
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx265", rate=15, options=options)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for picture in source.decode(video=0):
            target.mux(stream.encode(picture))
        target.mux(stream.encode())
    return path


def _ids(run: tuple[Case, str]) -> str:
    return f"{run[0].name} over {run[1]}"


@pytest.mark.parametrize("run", RUNS, ids=_ids)
def test_a_fault_is_told_in_time_and_mended_by_itself(
    outcomes: dict[tuple[str, str], Outcome], run: tuple[Case, str]
) -> None:
    """State and words are right, not later than the settings say, and the camera streams again after it."""
    case, side = run
    outcome = outcomes[case.name, side]
    assert not outcome.error
    if case.states:
        assert outcome.told is not None
        seconds = (outcome.told.captured_at_ns - outcome.broken_at_ns) / 1e9
        assert seconds < case.within_seconds + SLACK_SECONDS
    assert outcome.recovered is not None


def test_faults_that_need_no_new_connection_cost_none(outcomes: dict[tuple[str, str], Outcome]) -> None:
    """Frozen, slow, lossy, another size, another time: the connection stays, and so does the epoch."""
    kept = ["freeze", "rate", "loss", "clock", "size"]
    for (name, side), outcome in outcomes.items():
        if name in kept:
            assert outcome.healthy is not None
            assert outcome.recovered is not None
            assert outcome.recovered.reconnects == outcome.healthy.reconnects, (name, side)
