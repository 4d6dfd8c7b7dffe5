"""Breaks simulated cameras, heals them, and hears what ingest says of it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

import msgspec
from aiokafka import AIOKafkaConsumer
from redis.asyncio import Redis

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import CameraState
from mien.contracts.events import CameraStateChanged, decode_event
from mien.contracts.shared_state import camera_status_key
from mien.runtime.cameras import CameraRegistry
from mien.simulator.camera import ClipSource
from mien.simulator.simulator import CameraSimulator

SIDES = ("rtsp", "mjpeg")
LIMITS = {
    "open_timeout": 2.0,
    "stall_timeout": 3.0,
    "frozen": 2.0,
    "slow": 3.0,
}
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
