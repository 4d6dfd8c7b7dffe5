"""Every fault of the camera simulator, over RTSP and MJPEG, against one ingest process.

All cameras go wrong at the same time and are healed one by one as soon as the fault has been told; each is
then a camera like any other again. What is judged are the events and statuses of ingest and their own clocks.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

import av
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr
from redis.asyncio import Redis

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import Camera, CameraState
from mien.contracts.events import CameraStateChanged, decode_event
from mien.contracts.shared_state import CAMERAS_KEY, camera_status_key
from mien.contracts.topics import CAMERA_STATES
from mien.runtime.bus import create_topics
from mien.runtime.cameras import CameraRegistry
from mien.runtime.redis_connection import connect_redis
from mien.runtime.secrets import SecretBox
from mien.runtime.settings import KafkaSettings, RedisSettings
from mien.simulator.camera import ClipSource, SimulatedCamera
from mien.simulator.clips import load_clip
from mien.simulator.faults import Faults
from mien.simulator.simulator import CameraSimulator, run_simulator
from tests.integration.ingest.harness import CREDENTIALS, SECRET_KEY, start_ingest, write_clip
from tests.stack import run_async

PARTITIONS = 4
SIDES = ("rtsp", "mjpeg")
LIMITS = {
    "open_timeout": 2.0,
    "stall_timeout": 3.0,
    "frozen": 2.0,
    "slow": 3.0,
}
# Ingest looks at its cameras each two seconds; the rest is for a machine that is busy with something else.
SLACK_SECONDS = 15.0
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True)
class Case:
    """A fault and what ingest says of it.

    Attributes:
        faults: As on the command line, ``NAME[=VALUE]``.
        act: What else happens to the camera: ``drop``, or the source that it shows.
        states: In one of which it is told, by these words; none where it goes on and something else tells.
        within_seconds: From ingest's settings.
        shows: Which status tells it, where it is no state.
    """

    name: str
    faults: tuple[str, ...] = ()
    _: KW_ONLY
    act: str = ""
    states: tuple[CameraState, ...] = ()
    words: str = ""
    within_seconds: float = 0.0
    shows: Callable[[CameraStatus], bool] = lambda _: True
    sides: tuple[str, ...] = SIDES


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


@dataclass
class Outcome:
    """What became of one camera.

    Attributes:
        error: What was waited for in vain.
    """

    told: CameraStateChanged | None = None
    broken_at_ns: int = 0
    healthy: CameraStatus | None = None
    status: CameraStatus | None = None
    recovered: CameraStatus | None = None
    error: str = ""


@dataclass
class Watchtower:
    """Registers cameras, breaks and heals them, and hears what ingest says."""

    redis: Redis
    registry: CameraRegistry
    simulator: CameraSimulator
    sources: dict[str, ClipSource]
    heard: defaultdict[str, list[CameraStateChanged]] = field(default_factory=lambda: defaultdict(list))

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        """Collect changes of states for ever."""
        async for record in consumer:
            event = decode_event(record.value, CameraStateChanged)
            self.heard[event.camera_id].append(event)

    async def run(self, case: Case, side: str) -> Outcome:
        """Let one camera go wrong, and heal it once that has been told."""
        name = f"{case.name}-{side}"
        outcome = Outcome()
        try:
            outcome.healthy = await self._status(name, _is_known)
            await self._go_wrong(name, case, outcome)
            outcome.status = await self._status(name, case.shows)
            camera = self.simulator.cameras[name]
            camera.faults.heal()
            if case.act in self.sources:
                camera.change_source(self.sources["usual"].copy_from(0))
            outcome.recovered = await self._status(name, _is_well)
        except TimeoutError:
            known = await self.redis.get(camera_status_key(name))
            outcome.error = f"in vain: {self.heard[name]}, {known!r}"
        return outcome

    async def _go_wrong(self, name: str, case: Case, outcome: Outcome) -> None:
        camera = self.simulator.cameras[name]
        outcome.broken_at_ns = time.time_ns()
        for fault in case.faults:
            kind, equals, value = fault.partition("=")
            camera.faults.set(kind, value if equals else None)
        if case.act == "drop":
            camera.drop()
        elif case.act:
            camera.change_source(self.sources[case.act].copy_from(0))
        if not case.states:
            return
        async with asyncio.timeout(DEADLINE_SECONDS):
            while outcome.told is None:
                outcome.told = next(
                    (
                        event
                        for event in self.heard[name]
                        if event.state in case.states
                        and case.words in event.reason
                        and event.captured_at_ns >= outcome.broken_at_ns
                    ),
                    None,
                )
                await asyncio.sleep(0.05)

    async def _status(self, name: str, accept: Callable[[CameraStatus], bool]) -> CameraStatus:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                value = await self.redis.get(camera_status_key(name))
                if value is not None:
                    status = msgspec.json.decode(value, type=CameraStatus)
                    if accept(status):
                        return status
                await asyncio.sleep(0.1)


def _is_known(status: CameraStatus) -> bool:
    """Whether a camera has streamed for so long that ingest knows how many pictures it sends."""
    known_at_ns = status.since_ns + round((LIMITS["slow"] + 4) * 1e9)
    return status.state == "streaming" and status.captured_fps > 10 and time.time_ns() > known_at_ns


def _is_well(status: CameraStatus) -> bool:
    return status.state == "streaming" and status.size_wh == (320, 180) and status.codec in ("h264", "mjpeg")


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
