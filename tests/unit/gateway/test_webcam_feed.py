"""A browser sends while it has credit; the newest picture wins, and each drop is counted and told."""

import asyncio
import io
import time
from dataclasses import dataclass, field

import pytest
from PIL import Image

from mien.contracts.cameras import Camera
from mien.contracts.frames import Frame
from mien.contracts.webcam import Credit
from mien.errors import TransientError
from services.gateway.webcam_feed import FrameLimits, WebcamFeed, jpeg_size

CAMERA = Camera(camera_id="ada-1", name="Ada's webcam", url="browser://s", partition=3, max_age_ms=1500)
LIMITS = FrameLimits(max_bytes=20_000, max_side_px=640, fps=5.0, credits=2)


def jpeg(width: int = 320, height: int = 240) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(file, "JPEG")
    return file.getvalue()


@dataclass
class Clock:
    """A clock that sleeping moves on; other tasks run meanwhile."""

    now: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Outlet:
    """Takes frames, one when it is told to, or refuses them."""

    frames: list[Frame] = field(default_factory=list)
    error: TransientError | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, frame: Frame, *, partition: int) -> None:
        assert partition == CAMERA.partition
        await self.open.wait()
        if self.error:
            raise self.error
        self.frames.append(frame)


@dataclass
class Bench:
    """A feed under test with what it gave back."""

    outlet: Outlet = field(default_factory=Outlet)
    clock: Clock = field(default_factory=Clock)
    credits: list[Credit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outlet.open.set()
        self.feed = WebcamFeed(
            CAMERA, 7, LIMITS, self.outlet,
            give_credit=self.credits.append, clock=self.clock, sleep=self.clock.sleep,
        )  # fmt: skip

    async def run(self, *pictures: bytes, captured_at_ns: int | None = None) -> None:
        """Offer pictures one after the other, each as soon as the one before is done with."""
        task = asyncio.create_task(self.feed.run())
        for picture in pictures:
            done = len(self.credits)
            self.feed.offer(picture, captured_at_ns or time.time_ns())
            while len(self.credits) == done:
                await asyncio.sleep(0)
        task.cancel()


async def test_frames_follow_the_contract() -> None:
    """A picture becomes a frame of the camera's epoch and partition, with the time it arrived."""
    bench, now_ns = Bench(), time.time_ns()
    await bench.run(jpeg(), captured_at_ns=now_ns)
    [frame] = bench.outlet.frames
    assert (frame.camera_id, frame.epoch, frame.size_wh) == ("ada-1", 7, (320, 240))
    assert (frame.captured_at_ns, frame.max_age_ms) == (now_ns, 1500)
    assert bench.credits == [Credit(number=1, frame_id=frame.frame_id)]


async def test_no_more_pictures_a_second_go_on_than_are_taken() -> None:
    """Credit comes back no faster than the pace, however fast the browser is."""
    bench = Bench()
    await bench.run(*[jpeg()] * 6)
    assert sum(bench.clock.slept) == pytest.approx(5 / LIMITS.fps)


async def test_the_newest_picture_wins() -> None:
    """While the broker is slow, a waiting picture gives way to a newer one, and its credit comes back."""
    bench = Bench()
    bench.outlet.open.clear()
    task = asyncio.create_task(bench.feed.run())
    bench.feed.offer(jpeg(), time.time_ns())
    for _ in range(5):
        await asyncio.sleep(0)  # it is on its way to the broker now
    bench.feed.offer(jpeg(160, 120), time.time_ns())
    assert bench.feed.offences == 0
    bench.feed.offer(jpeg(200, 200), time.time_ns())  # no credit for this one
    assert (bench.feed.offences, bench.feed.dropped["no_credit"]) == (1, 1)
    bench.outlet.open.set()
    while bench.feed.published < 2:
        await asyncio.sleep(0)
    task.cancel()
    assert [frame.size_wh for frame in bench.outlet.frames] == [(320, 240), (160, 120)]


async def test_pictures_that_pile_up_give_their_credit_back_at_the_pace_only() -> None:
    """Before the next one is due, a flood finds no credit; of those that wait the newest goes on."""
    bench = Bench()
    for size in (100, 110, 120, 130):
        bench.feed.offer(jpeg(size, size), time.time_ns())
    assert (bench.credits, bench.feed.offences) == ([], 2)
    task = asyncio.create_task(bench.feed.run())
    while len(bench.credits) < 2:
        await asyncio.sleep(0)
    task.cancel()
    assert [(credit.number, bool(credit.dropped)) for credit in bench.credits] == [(1, True), (2, False)]
    assert [frame.size_wh for frame in bench.outlet.frames] == [(110, 110)]
    assert bench.feed.dropped == {"no_credit": 2, "replaced": 1}


@pytest.mark.parametrize(
    ("picture", "reason", "words"),
    [
        (b"no picture", "not_a_jpeg", "expected a JPEG"),
        (b"\xff\xd8" + b"\0" * 100, "not_a_jpeg", "expected a JPEG"),
        (b"\xff\xd8" + b"\0" * 20_001, "too_many_bytes", "at most 20000 bytes, got 20003"),
        (jpeg(800, 600), "wrong_size", "64 to 640 pixels, got 800x600"),
        (jpeg(40, 40), "wrong_size", "got 40x40"),
    ],
)
async def test_what_is_no_frame_is_dropped_in_words(picture: bytes, reason: str, words: str) -> None:
    """The credit comes back with the reason, and the next picture goes on."""
    bench = Bench()
    await bench.run(picture, jpeg())
    assert words in bench.credits[0].dropped
    assert bench.feed.dropped == {reason: 1}
    assert bench.credits[1].frame_id is not None


async def test_broker_away_drops_frames_and_the_feed_goes_on() -> None:
    """Live pictures are not kept for later."""
    bench = Bench()
    bench.outlet.error = TransientError("away")
    await bench.run(jpeg())
    bench.outlet.error = None
    await bench.run(jpeg())
    assert bench.feed.dropped == {"unsent": 1}
    assert len(bench.outlet.frames) == 1


async def test_picture_that_waited_for_too_long_is_stale() -> None:
    """It would be dropped by everybody after us."""
    bench = Bench()
    await bench.run(jpeg(), captured_at_ns=time.time_ns() - 2_000_000_000)
    assert bench.feed.dropped == {"stale": 1}


def test_size_is_read_from_the_header_alone() -> None:
    """A picture cut off after its header still has a size; what is no JPEG has none."""
    assert jpeg_size(jpeg(320, 200)) == (320, 200)
    png = io.BytesIO()
    Image.new("RGB", (64, 64)).save(png, "PNG")
    assert jpeg_size(png.getvalue()) is None
