"""When a sample is given a close-up, and what is counted when it isn't."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from mien.contracts.cameras import Camera
from mien.runtime import metrics
from services.ingest.config import IngestSettings
from services.ingest.main_stream import Closeup, MainStream, main_stream_of
from services.ingest.picture import DamagedPictureError
from services.ingest.reader import Sample
from services.ingest.sources import VideoSource
from services.ingest.stream import ReaderReport

MS = 1_000_000
SUB_JPEG = b"\xff\xd8small"


@dataclass(frozen=True)
class LargePicture:
    """A picture of a main stream that becomes a JPEG of the given size."""

    captured_at_ns: int
    jpeg_bytes: int = 1000
    is_damaged: bool = False
    camera_clock_ns: int | None = None
    size_wh: tuple[int, int] = (1920, 1080)
    size_bytes: int = 3_110_400
    encoded_in: list[str] = field(default_factory=list)

    @property
    def media_seconds(self) -> float:
        return self.captured_at_ns / 1e9

    def coarse_luma(self) -> np.ndarray:
        raise NotImplementedError

    def to_jpeg(self, *, max_width_px: int, quality: int) -> tuple[bytes, tuple[int, int]]:
        self.encoded_in.append(threading.current_thread().name)
        if self.is_damaged:
            raise DamagedPictureError("half of it")
        return b"\xff\xd8" + bytes(self.jpeg_bytes - 2), (1920, 1080)


def never_open(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    raise AssertionError("the reader is not started")


class Rig:
    """A main stream whose reader is played by the test: streaming for a minute, and wanted."""

    def __init__(self, **settings: float) -> None:
        camera = Camera(
            camera_id="cam", name="C", url="rtsp://h/sub", main_stream_url="rtsp://h/main", partition=0
        )
        main_camera = main_stream_of(camera)
        assert main_camera is not None
        self.stream = MainStream(
            main_camera,
            IngestSettings(closeup_wait_seconds=0.05, **settings),  # type: ignore[arg-type]
            on_change=lambda: None,
            open_camera=never_open,
        )
        self.reader = self.stream.reader
        self.reader.wanted = True
        self.reports(main_wh=(1920, 1080))
        self.stream._opening, self.stream._opened_at = 1, time.monotonic() - 60
        self.before = self._counts()

    def reports(self, *, main_wh: tuple[int, int], seconds: float = 60) -> None:
        since_ns = time.time_ns() - int(seconds * 1e9)
        self.reader.report = ReaderReport("streaming", since_ns, size_wh=main_wh, codec="h264")
        self.reader.picture_at = time.monotonic()

    def keep(self, *captured_ms: int, **fields: object) -> None:
        for moment in captured_ms:
            self.reader.ring.add(LargePicture(moment * MS, **fields))  # type: ignore[arg-type]

    @property
    def outcomes(self) -> dict[str, float]:
        return {
            outcome: count - self.before.get(outcome, 0)
            for outcome, count in self._counts().items()
            if count > self.before.get(outcome, 0)
        }

    def _counts(self) -> dict[str, float]:
        return {
            one.labels["outcome"]: one.value
            for metric in metrics.CLOSEUPS.collect()
            for one in metric.samples
            if one.name.endswith("_total") and one.labels["stage"] == "ingest"
        }


def sample(captured_ms: int = 1000, **fields: object) -> Sample:
    known = {"opening": 1, "jpeg": SUB_JPEG, "size_wh": (640, 360), "captured_at_ns": captured_ms * MS}
    return Sample(**{"camera_clock_ns": None, "still": False, "max_age_ms": 1500, **known, **fields})  # type: ignore[arg-type]


async def test_the_picture_of_the_moment_is_encoded_off_the_event_loop() -> None:
    """It comes in its own size, and the loop goes on meanwhile."""
    rig = Rig()
    picture = LargePicture(1000 * MS)
    rig.keep(933)
    rig.reader.ring.add(picture)
    rig.keep(1067)
    assert await rig.stream.closeup_of(sample()) == Closeup(b"\xff\xd8" + bytes(998), (1920, 1080))
    assert rig.outcomes == {"attached": 1}
    assert picture.encoded_in != [threading.main_thread().name]


async def test_nothing_is_looked_for_that_nobody_wants() -> None:
    """Without a wish, or for a still picture that only a viewer gets: no close-up, and no count."""
    rig = Rig()
    rig.keep(1000)
    assert await rig.stream.closeup_of(sample(for_viewer=True, still=True)) is None
    rig.reader.wanted = False
    assert await rig.stream.closeup_of(sample()) is None
    assert rig.outcomes == {}


async def test_a_picture_that_is_about_to_come_is_waited_for() -> None:
    """The large one of the same moment arrives after the small one."""
    rig = Rig()
    rig.keep(867, 933)
    asking = asyncio.create_task(rig.stream.closeup_of(sample()))
    while not rig.stream._arrived._waiters:
        await asyncio.sleep(0)
    rig.keep(1000)
    rig.stream.reader._on_picture()
    assert await asking is not None


@pytest.mark.parametrize(
    ("kept", "outcome"),
    [([], "starting"), ([100, 167], "late"), ([1400, 1467], "apart"), ([967, 1967], "attached")],
)
async def test_why_there_is_none_is_counted(kept: list[int], outcome: str) -> None:
    """None is there yet, it came too late, or none is near; one that is near enough is taken at once."""
    rig = Rig()
    rig.keep(*kept)
    closeup = await rig.stream.closeup_of(sample())
    assert (closeup is not None) == (outcome == "attached")
    assert rig.outcomes == {outcome: 1}


async def test_a_connection_is_trusted_when_what_piled_up_is_read() -> None:
    """Right after either stream was opened its pictures are older than they seem."""
    rig = Rig()
    rig.keep(1000, 1067)
    rig.reports(main_wh=(1920, 1080), seconds=1)
    assert await rig.stream.closeup_of(sample()) is None
    rig.reports(main_wh=(1920, 1080))
    assert await rig.stream.closeup_of(sample(opening=2)) is None
    assert rig.outcomes == {"starting": 2}


async def test_a_connection_settles_while_nobody_wants_anything() -> None:
    """The first who passes a camera that has been open for long is not kept waiting."""
    rig = Rig()
    rig.reader.wanted = False
    await rig.stream.closeup_of(sample(opening=2))
    rig.stream._opened_at -= 60  # a minute later
    rig.reader.wanted = True
    rig.keep(1000)
    assert await rig.stream.closeup_of(sample(opening=2)) is not None


async def test_a_main_stream_that_is_away_is_not_waited_for() -> None:
    """Not connected, or silent for more than a second."""
    rig = Rig()
    rig.keep(1000)
    rig.reader.picture_at -= 2
    assert await rig.stream.closeup_of(sample()) is None
    rig.reports(main_wh=(1920, 1080))
    rig.reader.report = ReaderReport("not_found", 0, size_wh=(1920, 1080))
    assert await rig.stream.closeup_of(sample()) is None
    assert rig.outcomes == {"away": 2}


@pytest.mark.parametrize(
    ("fields", "frame_jpeg", "outcome"),
    [
        ({"is_damaged": True}, SUB_JPEG, "corrupt"),
        ({"jpeg_bytes": 60_001}, SUB_JPEG, "too_large"),
        ({"jpeg_bytes": 60_000}, SUB_JPEG, "attached"),
        ({"jpeg_bytes": 60_000}, bytes(4_100_000), "too_large"),
    ],
)
async def test_frame_and_closeup_fit_into_one_message(
    fields: dict[str, object], frame_jpeg: bytes, outcome: str
) -> None:
    """A close-up beyond its own limit, or the message's, is left out; so is a damaged one."""
    rig = Rig(closeup_max_bytes=60_000)
    rig.keep(1000, **fields)
    await rig.stream.closeup_of(sample(jpeg=frame_jpeg))
    assert rig.outcomes == {outcome: 1}


def test_a_main_stream_is_decoded_exactly() -> None:
    """Faces are cut out of it, whatever is enough to find them."""
    camera = Camera(
        camera_id="c", name="", url="rtsp://h/2", main_stream_url="rtsp://h/1", partition=0, loop_filter="off"
    )
    main = main_stream_of(camera)
    assert main is not None
    assert (main.url, main.loop_filter) == ("rtsp://h/1", "on")


async def test_a_main_stream_of_no_use_is_not_decoded() -> None:
    """Another shape is another view: known from the first picture, so no other is decoded."""
    rig = Rig()
    rig.reports(main_wh=(1280, 960))
    assert await rig.stream.closeup_of(sample()) is None
    assert (rig.outcomes, rig.reader.is_usable) == ({"other_view": 1}, False)
