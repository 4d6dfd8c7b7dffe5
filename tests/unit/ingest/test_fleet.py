"""Which cameras are open: what the registry, the group and the watchdog ask for."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from mien.contracts.cameras import Camera, OpenHours, Schedule, Weekday
from mien.runtime import metrics
from mien.runtime.service import Service
from services.ingest.config import IngestSettings
from services.ingest.fleet import CameraFleet
from services.ingest.sources.source import SourceBase
from services.ingest.state_events import StateJournal

DEADLINE_SECONDS = 5
MAIN = "main-stream-"
_DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_AFTER_TOMORROW = _DAYS[(datetime.now(UTC).weekday() + 2) % 7]
SETTINGS = IngestSettings(drain_timeout_seconds=1)
# Less patience than settings may have: tests of what hangs wait for it in earnest.
IMPATIENT = SETTINGS.model_copy(update={"hang_timeout_seconds": 0.3})


@pytest.fixture(autouse=True)
def quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.fleet._TICK_SECONDS", 0.02)


@dataclass
class FakeDirectory:
    """A registry in memory."""

    cameras: dict[str, Camera] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def on_partitions(self, partitions: set[int]) -> list[Camera]:
        return [camera for camera in self.cameras.values() if camera.partition in partitions]

    def put(self, *cameras: Camera) -> None:
        self.cameras |= {camera.camera_id: camera for camera in cameras}
        self.changed.set()


class SilentSource(SourceBase):
    """Gives nothing until it is told to stop, or for ever when it hangs."""

    def __init__(self, stop: threading.Event, release: threading.Event, *, hangs: bool) -> None:
        super().__init__("h264")
        self.stop, self.release, self.hangs = stop, release, hangs

    def pictures(self) -> Iterator[None]:
        while not self.release.is_set() and (self.hangs or not self.stop.is_set()):
            self.release.wait(0.005)
            if not self.hangs:
                yield None

    def close(self) -> None:
        """Nothing to close."""


class Rig:
    def __init__(self, settings: IngestSettings = SETTINGS) -> None:
        self.directory = FakeDirectory()
        self.service = Service("ingest")
        self.service.health.started()
        self.opened: list[Camera] = []
        self.release = threading.Event()
        self.journal = StateJournal("replica")
        self.hanging: set[str] = set()
        self.hanging_urls: set[str] = set()
        self.fleet = CameraFleet(
            self.service,
            settings,
            None,  # Redis is for statuses and epochs, which these tests leave alone
            self.directory,  # type: ignore[arg-type]
            send=self._send,
            journal=self.journal,
            open_camera=self._open,
        )

    async def _send(self, frame: object, partition: int) -> None:
        """Take anything."""

    def _open(self, camera: Camera, settings: IngestSettings, stop: threading.Event) -> SilentSource:
        self.opened.append(camera)
        return SilentSource(
            stop, self.release, hangs=camera.camera_id in self.hanging or camera.url in self.hanging_urls
        )

    def reading(self, prefix: str = "camera-") -> set[str]:
        return {
            thread.name.removeprefix(prefix)
            for thread in threading.enumerate()
            if thread.name.startswith(prefix)
        }

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, (self.opened, self.reading())
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*cameras: Camera, settings: IngestSettings = SETTINGS) -> AsyncIterator[Rig]:
    rig = Rig(settings)
    rig.directory.put(*cameras)
    task = asyncio.create_task(rig.fleet.run())
    try:
        yield rig
    finally:
        rig.service.stop.set()
        rig.directory.changed.set()
        rig.release.set()
        await task
        await rig.until(lambda: not rig.reading() and not rig.reading(MAIN))


def camera(camera_id: str, partition: int = 0, **fields: Any) -> Camera:
    return Camera(camera_id=camera_id, name=camera_id, url="rtsp://h/a", partition=partition, **fields)


async def test_only_cameras_of_owned_partitions_are_read() -> None:
    """What others own is left alone; after a rebalance the lost is closed and the gained opened."""
    async with running(camera("a", 0), camera("b", 1), camera("c", 2)) as rig:
        rig.fleet.assign({0, 1})
        await rig.until(lambda: rig.reading() == {"a", "b"})
        rig.fleet.pause()
        assert rig.reading() == {"a", "b"}
        rig.fleet.assign({1, 2})
        await rig.until(lambda: rig.reading() == {"b", "c"})
        assert [opened.camera_id for opened in rig.opened].count("b") == 1


async def test_a_browsers_webcam_is_left_to_the_gateway() -> None:
    """It is neither opened nor spoken of, switched on or off."""
    webcam = msgspec.structs.replace(camera("w"), url="browser://s")
    off = msgspec.structs.replace(webcam, camera_id="o", enabled=False)
    async with running(webcam, off, camera("a")) as rig:
        rig.fleet.assign({0})
        await rig.until(lambda: len(rig.opened) == 1)
        assert rig.reading() == {"a"}
        assert rig.opened[0].camera_id == "a"
        assert {status.camera_id for status in rig.fleet._statuses()} == {"a"}


async def test_only_a_new_source_is_opened_again() -> None:
    """Another rate keeps the connection; another password does not; switched off is closed."""
    async with running(camera("a")) as rig:
        rig.fleet.assign({0})
        await rig.until(lambda: len(rig.opened) == 1)
        rig.directory.put(msgspec.structs.replace(camera("a"), sampled_fps=1.0, revision=2))
        await asyncio.sleep(0)
        rig.directory.put(msgspec.structs.replace(camera("a"), password="new", username="u", revision=3))
        await rig.until(lambda: len(rig.opened) == 2)
        assert rig.opened[1].password == "new"
        rig.directory.put(msgspec.structs.replace(camera("a"), enabled=False, revision=4))
        await rig.until(lambda: not rig.reading())
        assert len(rig.opened) == 2


async def test_a_reader_that_hangs_is_left_behind_and_replaced() -> None:
    """The loop goes on, the camera gets a new thread, and it is counted and told."""
    stuck = metrics.CAMERA_RECONNECTS.labels("hangs", "stuck")
    before = stuck._value.get()
    async with running(settings=IMPATIENT) as rig:
        rig.hanging.add("hangs")
        rig.directory.put(camera("hangs"))
        rig.fleet.assign({0})
        await rig.until(lambda: len(rig.opened) == 1)
        rig.hanging.clear()
        await rig.until(lambda: len(rig.opened) == 2)
        assert stuck._value.get() == before + 1
        await rig.until(lambda: rig.service.health.problems == ["1 camera threads hang in native code"])
        rig.release.set()
        await rig.until(lambda: rig.service.health.is_ready)


async def test_too_many_threads_left_behind_end_the_process() -> None:
    """A thread can't be killed: with more than twenty of them only a new process helps."""
    rig = Rig(IMPATIENT)
    rig.directory.put(*(camera(f"hangs-{number}") for number in range(21)))
    rig.hanging |= set(rig.directory.cameras)
    rig.fleet.assign({0})
    running = asyncio.create_task(rig.fleet.run())
    try:
        with pytest.raises(RuntimeError, match=r"\d+ camera threads hang in native code"):
            async with asyncio.timeout(DEADLINE_SECONDS):
                await running
    finally:
        rig.release.set()
        await rig.fleet._close_all()
    await rig.until(lambda: not rig.reading())


async def test_a_schedule_and_a_browser_close_a_camera_to_ingest() -> None:
    """Outside its hours it is closed and says until when; a browser's pictures are published by others."""
    never = Schedule(
        time_zone="UTC", hours=[OpenHours(days=[_DAY_AFTER_TOMORROW], start="00:00", end="00:01")]
    )
    async with running(
        camera("open"), camera("closed", schedule=never), camera("ada", kind="browser")
    ) as rig:
        rig.fleet.assign({0})
        await rig.until(lambda: rig.reading() == {"open"})
        statuses = {status.camera_id: status for status in rig.fleet._statuses()}
        assert statuses.keys() == {"open", "closed"}
        assert statuses["closed"].reason.startswith("outside its schedule until")
        assert statuses["closed"].opens_at_ns is not None
        assert rig.journal.waiting == 2
        rig.directory.put(camera("closed"))
        await rig.until(lambda: rig.reading() == {"open", "closed"})


async def test_a_main_stream_comes_and_goes_without_the_camera() -> None:
    """Named, it is opened; another address opens it anew; taken away it is closed: the camera stays open."""
    async with running(camera("a", main_stream_url="rtsp://h/main")) as rig:
        rig.fleet.assign({0})
        await rig.until(lambda: rig.reading(MAIN) == {"a"})
        rig.directory.put(camera("a", main_stream_url="rtsp://h/other"))
        await rig.until(lambda: len(rig.opened) == 3)
        rig.directory.put(camera("a"))
        await rig.until(lambda: not rig.reading(MAIN))
        assert rig.reading() == {"a"}
        urls = [opened.url for opened in rig.opened]
        assert sorted(urls) == ["rtsp://h/a", "rtsp://h/main", "rtsp://h/other"]


async def test_new_credentials_are_for_both_streams() -> None:
    """A changed password opens the camera and its main stream again; switched off, both are closed."""
    async with running(camera("a", main_stream_url="rtsp://h/main")) as rig:
        rig.fleet.assign({0})
        await rig.until(lambda: len(rig.opened) == 2)
        rig.directory.put(camera("a", main_stream_url="rtsp://h/main", username="u", password="new"))
        await rig.until(lambda: len(rig.opened) == 4)
        assert [opened.password for opened in rig.opened] == [None, None, "new", "new"]
        rig.directory.put(camera("a", main_stream_url="rtsp://h/main", enabled=False))
        await rig.until(lambda: not rig.reading() and not rig.reading(MAIN))


async def test_a_main_stream_that_hangs_is_replaced_and_the_camera_stays() -> None:
    """Stuck in native code, its thread is left behind; the camera's own goes on."""
    stuck = metrics.CAMERA_RECONNECTS.labels("a", "main_stream_stuck")
    before = stuck._value.get()
    async with running(settings=IMPATIENT) as rig:
        rig.hanging_urls.add("rtsp://h/main")
        rig.directory.put(camera("a", main_stream_url="rtsp://h/main"))
        rig.fleet.assign({0})
        await rig.until(lambda: len(rig.opened) == 2)
        rig.hanging_urls.clear()
        await rig.until(lambda: len(rig.opened) == 3)
        assert stuck._value.get() == before + 1
        assert [opened.url for opened in rig.opened].count("rtsp://h/a") == 1
