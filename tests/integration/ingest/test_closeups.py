"""A camera with a main stream: close-ups show the moment of their frame, and nothing depends on them.

The simulated scene burns its clock into both streams, which is the truth that close-ups are checked against.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import simplejpeg

from mien.contracts.camera_status import MainStreamStatus
from mien.contracts.cameras import Camera
from mien.simulator import clock_strip
from mien.simulator.scene import Scene
from mien.simulator.simulator import CameraSimulator, run_simulator
from services.ingest.config import IngestSettings
from services.ingest.main_stream import Closeup, MainStream, main_stream_of
from services.ingest.reader import CameraReader, Sample
from services.ingest.sources import decoded
from services.ingest.status import describe_main_stream
from tests.integration.ingest.harness import CREDENTIALS, SETTINGS, until

SUB_WH, MAIN_WH = (640, 360), (1920, 1080)
INTERVAL_MS = 1000 / 15


class TwoStreams:
    """A camera's two streams, read; each sample is asked for its close-up as the publisher asks."""

    def __init__(self, simulator: CameraSimulator, settings: IngestSettings) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[Sample] = asyncio.Queue()
        self.pairs: list[tuple[Sample, Closeup]] = []
        self.alone = 0
        self._waiting = waiting
        camera = Camera(
            camera_id="cam",
            name="Cam",
            url=simulator.rtsp_url("sub"),
            main_stream_url=simulator.rtsp_url("main"),
            partition=0,
            username=CREDENTIALS.username,
            password=CREDENTIALS.password,
        )
        main_camera = main_stream_of(camera)
        assert main_camera is not None
        self.stream = MainStream(main_camera, settings, on_change=lambda: None)
        self.main = self.stream.reader
        self.sub = CameraReader(
            camera,
            settings,
            deliver=lambda sample: (loop.call_soon_threadsafe(waiting.put_nowait, sample), None)[1],
            on_change=lambda: None,
        )

    async def pair(self) -> None:
        while True:
            sample = await self._waiting.get()
            closeup = await self.stream.closeup_of(sample)
            if closeup is None:
                self.alone += 1
            else:
                self.pairs.append((sample, closeup))

    async def pairs_up(self, count: int = 1) -> None:
        """Wait for so many more frames with a close-up."""
        before = len(self.pairs)
        await until(lambda: len(self.pairs) >= before + count, self.status)

    @property
    def status(self) -> MainStreamStatus:
        return describe_main_stream(self.main, frame_wh=self.sub.frame_wh)

    def milliseconds_apart(self) -> list[int]:
        """Return how much later than its frame each close-up was taken, by the clocks burned in."""
        return [
            clock_strip.age_ms(_burned_ms(frame.jpeg), _burned_ms(closeup.jpeg))
            for frame, closeup in self.pairs
        ]


def _burned_ms(jpeg: bytes) -> int:
    clock = clock_strip.read(simplejpeg.decode_jpeg(jpeg, colorspace="GRAY")[..., 0])
    assert clock is not None
    return clock


@asynccontextmanager
async def two_streams(
    clip: Path, *, main_wh: tuple[int, int] = MAIN_WH, **settings: float
) -> AsyncIterator[tuple[CameraSimulator, TwoStreams]]:
    scene = Scene(clip, {"sub": SUB_WH, "main": main_wh})
    async with run_simulator([], scenes=[scene], credentials=CREDENTIALS) as simulator:
        streams = TwoStreams(simulator, SETTINGS.model_copy(update=settings))
        pairing = asyncio.create_task(streams.pair())
        for reader in (streams.sub, streams.main):
            reader.start()
        try:
            yield simulator, streams
        finally:
            pairing.cancel()
            for reader in (streams.sub, streams.main):
                reader.stop()
                assert await asyncio.to_thread(reader.join, 10), "a reader's thread did not end"


async def test_a_closeup_is_the_very_moment_of_its_frame(wide_clip: Path) -> None:
    """By the camera's clock: of two streams encoded from the same pictures, the same picture."""
    async with two_streams(wide_clip) as (_, streams):
        streams.main.wanted = True
        await streams.pairs_up(15)
    assert {closeup.size_wh for _, closeup in streams.pairs} == {MAIN_WH}
    assert set(streams.milliseconds_apart()) == {0}


async def test_without_the_cameras_clock_a_closeup_is_a_picture_off_at_most(
    wide_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By arrival: most are the same picture, and none is further away than the next."""
    monkeypatch.setattr(decoded, "_camera_clock_ns", lambda _packet: None)
    async with two_streams(wide_clip) as (_, streams):
        streams.main.wanted = True
        await streams.pairs_up(20)
    apart = sorted(map(abs, streams.milliseconds_apart()))
    assert apart[len(apart) // 2] == 0, apart
    assert apart[-1] < 1.5 * INTERVAL_MS, apart


async def test_a_main_stream_that_nobody_wants_is_not_decoded(wide_clip: Path) -> None:
    """But for one picture, to know that it is there; then all at once, back to the last keyframe."""
    async with two_streams(wide_clip) as (_, streams):
        await until(lambda: streams.sub.pictures_seen > 60)
        assert (streams.main.pictures_seen, streams.main.ring.pictures()) == (1, [])
        assert streams.status == MainStreamStatus(
            state="streaming", since_ns=streams.status.since_ns, size_wh=MAIN_WH, codec="h264"
        )
        assert streams.alone > 10
        streams.main.wanted = True
        await streams.pairs_up()
        streams.main.wanted = False
        await until(lambda: not streams.main.ring.pictures())
        seen = streams.main.pictures_seen
        await until(lambda: streams.sub.pictures_seen > 120)
        assert streams.main.pictures_seen - seen <= 1  # one was on its way
        streams.main.wanted = True
        await streams.pairs_up()
        assert (streams.main.openings, streams.main.dropped) == (1, {})


async def test_a_main_stream_dies_and_returns_and_the_camera_goes_on(wide_clip: Path) -> None:
    """A path that is gone is told in words, and no password; the camera's own stream never stops."""
    async with two_streams(wide_clip, refused_retry_seconds=0.3) as (simulator, streams):
        streams.main.wanted = True
        await streams.pairs_up()
        main = simulator.cameras.pop("main")
        main.drop()
        await until(lambda: streams.status.state == "not_found", streams.status)
        assert streams.status.reason.startswith("the camera has no stream at this path; trying again in")
        before = streams.alone
        await until(lambda: streams.alone > before + 5)
        simulator.cameras["main"] = main
        await until(lambda: streams.status.state == "streaming", streams.status)
        await streams.pairs_up()
        assert streams.sub.openings == 1
    assert set(streams.milliseconds_apart()) == {0}


async def test_a_main_stream_that_freezes_holds_up_no_frame(wide_clip: Path) -> None:
    """Frames wait for a moment only, then go on alone until the main stream is back."""
    async with two_streams(wide_clip) as (simulator, streams):
        streams.main.wanted = True
        await streams.pairs_up()
        simulator.cameras["main"].faults.mute = True
        before = streams.alone
        await until(lambda: streams.alone > before + 10)
        simulator.cameras["main"].faults.mute = False
        await streams.pairs_up(5)
    assert set(streams.milliseconds_apart()) == {0}


async def test_memory_and_messages_are_bounded(wide_clip: Path) -> None:
    """Of a wanted main stream no more pictures are kept than its memory allows; a large JPEG isn't sent."""
    picture_bytes = MAIN_WH[0] * MAIN_WH[1] * 3 // 2
    async with two_streams(wide_clip, closeup_ring_bytes=4 * picture_bytes, closeup_max_bytes=50_000) as (
        _,
        streams,
    ):
        streams.main.wanted = True
        await until(lambda: streams.main.pictures_seen > 20)
        assert streams.main.ring.size_bytes <= 4.1 * picture_bytes
        await until(lambda: streams.alone > 25)
        assert streams.pairs == []


@pytest.mark.parametrize(
    ("main_wh", "words"),
    [((1280, 960), "another view"), ((640, 360), "hardly larger")],
    ids=["another shape", "as small"],
)
async def test_a_main_stream_of_no_use_is_told_and_left_undecoded(
    wide_clip: Path, main_wh: tuple[int, int], words: str
) -> None:
    """Another shape shows another view, and no larger picture nothing new: the status says which."""
    async with two_streams(wide_clip, main_wh=main_wh) as (_, streams):
        streams.main.wanted = True
        await until(lambda: words in streams.status.reason, streams.status)
        await until(lambda: streams.alone > 5)
        seen = streams.main.pictures_seen
        await until(lambda: streams.sub.pictures_seen > 60)
        assert streams.main.pictures_seen - seen < 5
        assert streams.pairs == []
