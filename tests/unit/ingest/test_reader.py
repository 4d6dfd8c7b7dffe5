"""The state machine of a camera's reader, with cameras that do as they are told."""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
import numpy as np
import pytest

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import Camera
from services.ingest.condition import judge
from services.ingest.config import IngestSettings
from services.ingest.reader import CameraReader, Sample
from services.ingest.sources.source import SourceBase
from services.ingest.status import describe_camera, limits_of, look_at

SETTINGS = IngestSettings(
    open_timeout_seconds=1, stall_timeout_seconds=1, first_retry_seconds=0.01, longest_retry_seconds=0.02
)
DEADLINE_SECONDS = 5


@dataclass(frozen=True)
class FakePicture:
    media_seconds: float
    captured_at_ns: int = 1
    camera_clock_ns: int | None = None
    size_wh: tuple[int, int] = (640, 360)
    size_bytes: int = 345_600

    def coarse_luma(self) -> np.ndarray:
        return np.full((2, 2), int(self.media_seconds * 1000) % 256, np.uint8)

    def to_jpeg(self, *, max_width_px: int, quality: int) -> tuple[bytes, tuple[int, int]]:
        return b"\xff\xd8%d" % int(self.media_seconds * 1000), self.size_wh


class FakeSource(SourceBase):
    """Yields what is put into its script: pictures, None, an exception to raise, or ... to end."""

    def __init__(self, script: "queue.Queue[object]") -> None:
        super().__init__("h264")
        self.script = script
        self.closed_in = ""

    def pictures(self) -> Iterator[FakePicture | None]:
        while (item := self.script.get(timeout=DEADLINE_SECONDS)) is not ...:
            if isinstance(item, Exception):
                raise item
            assert item is None or isinstance(item, FakePicture)
            yield item

    def close(self) -> None:
        self.closed_in = threading.current_thread().name


class Rig:
    """A reader, the sources it is given one after the other, and what it said and delivered."""

    def __init__(self, openings: list[FakeSource | Exception], settings: IngestSettings = SETTINGS) -> None:
        self.samples: queue.Queue[Sample] = queue.Queue()
        self.states: list[tuple[str, str | None]] = []
        self.openings = list(openings)
        self.opened: list[FakeSource] = []
        camera = Camera(
            camera_id="cam", name="C", url="rtsp://h/a", partition=0, username="u", password="secret"
        )
        self.reader = CameraReader(
            camera, settings, deliver=self.samples.put, on_change=self._note, open_camera=self._open
        )

    def _open(self, camera: Camera, settings: IngestSettings, stop: threading.Event) -> FakeSource:
        item = self.openings.pop(0) if self.openings else FakeSource(queue.Queue())
        if isinstance(item, Exception):
            raise item
        self.opened.append(item)
        return item

    def end(self) -> None:
        self.reader.stop()
        for source in self.opened:
            source.script.put(...)
        assert self.reader.join(DEADLINE_SECONDS)

    def _note(self) -> None:
        report = self.reader.report
        self.states.append((report.state, report.failure.key if report.failure else None))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.states
            time.sleep(0.005)


def source(*items: object) -> FakeSource:
    script: queue.Queue[object] = queue.Queue()
    for item in items:
        script.put(item)
    return FakeSource(script)


def status_of(rig: Rig) -> CameraStatus:
    condition = judge(look_at(rig.reader), limits_of(rig.reader))
    return describe_camera(rig.reader, Counter(), condition, captured_fps=15, published_fps=5, replica="r")


@pytest.fixture
def run() -> Iterator[Callable[..., Rig]]:
    """Start readers, and end their threads after the test."""
    rigs: list[Rig] = []

    def start(*openings: FakeSource | Exception, settings: IngestSettings = SETTINGS) -> Rig:
        rig = Rig(list(openings), settings)
        rigs.append(rig)
        rig.reader.start()
        return rig

    yield start
    for rig in rigs:
        rig.end()


def test_streaming_begins_with_the_first_picture(run: Callable[..., Rig]) -> None:
    """An open connection that has given no picture yet is still connecting (traps 5 and 7)."""
    camera = source(None, None)
    rig = run(camera)
    rig.until(camera.script.empty)
    assert rig.reader.report.state == "connecting"
    camera.script.put(FakePicture(0.0))
    rig.until(lambda: rig.reader.report.state == "streaming")
    assert rig.reader.report.size_wh == (640, 360)
    assert rig.samples.get(timeout=DEADLINE_SECONDS).opening == 1


def test_the_end_of_a_stream_is_a_loss_and_a_new_opening(run: Callable[..., Rig]) -> None:
    """A live source that ends without an error is opened again, and its samples say so (trap 6)."""
    first, second = source(FakePicture(0.0), ...), source(FakePicture(5.0))
    rig = run(first, second)
    assert [rig.samples.get(timeout=DEADLINE_SECONDS).opening for _ in range(2)] == [1, 2]
    rig.until(lambda: rig.reader.report.state == "streaming")
    assert rig.states == [
        ("connecting", None),
        ("streaming", None),
        ("backoff", "ended"),
        ("connecting", "ended"),
        ("streaming", None),
    ]


def test_a_source_is_closed_by_the_thread_that_read_it(run: Callable[..., Rig]) -> None:
    """Another thread's close while a read blocks ends the process with a segmentation fault (trap 1)."""
    camera = source(FakePicture(0.0), ...)
    rig = run(camera)
    rig.until(lambda: camera.closed_in != "")
    assert camera.closed_in == "camera-cam"


def test_a_wrong_password_is_retried_slowly(run: Callable[..., Rig]) -> None:
    """Cameras lock accounts, so the next attempt is a minute away, not a second (trap 10)."""
    rig = run(av.HTTPUnauthorizedError(401, "Unauthorized"))
    rig.until(lambda: rig.reader.report.state == "auth_failed")
    report = rig.reader.report
    assert report.retry_at_ns is not None
    assert report.retry_at_ns - report.since_ns >= 45e9
    assert rig.reader.openings == 1


def test_attempts_go_on_for_ever(run: Callable[..., Rig]) -> None:
    """A camera that is back after many failures streams again."""
    rig = run(*[ConnectionRefusedError(111, "refused") for _ in range(20)], source(FakePicture(0.0)))
    rig.until(lambda: rig.reader.report.state == "streaming")
    assert rig.reader.openings == 21
    assert rig.reader.report.failure is None


def test_a_defect_in_one_stream_is_a_state_and_not_the_end(run: Callable[..., Rig]) -> None:
    """An error nobody expected is reported, without the password, and the camera is tried again."""
    rig = run(source(RuntimeError("odd rtsp://u:secret@h/a")), source(FakePicture(0.0)))
    rig.until(lambda: rig.reader.report.state == "streaming")
    assert ("backoff", "failed") in rig.states


def test_an_error_in_the_middle_of_the_stream_says_no_secret(run: Callable[..., Rig]) -> None:
    """What FFmpeg says holds the address with the password; what people read does not (trap 3)."""
    rig = run(source(OSError(71, "protocol error: 'rtsp://u:secret@h/a'")), settings=IngestSettings())
    rig.until(lambda: rig.reader.report.state == "backoff")
    failure = rig.reader.report.failure
    assert failure is not None
    assert "secret" not in failure.words
    assert "***" in failure.words


def test_another_resolution_goes_on_with_the_new_size(run: Callable[..., Rig]) -> None:
    """A camera that changes its size keeps its connection, and frames carry the size they have."""
    rig = run(source(FakePicture(0.0), FakePicture(1.0, size_wh=(320, 240))))
    sizes = [rig.samples.get(timeout=DEADLINE_SECONDS).size_wh for _ in range(2)]
    assert sizes == [(640, 360), (320, 240)]
    rig.until(lambda: rig.reader.report.size_wh == (320, 240))
    assert rig.reader.openings == 1


def test_a_stopped_reader_delivers_nothing_and_ends(run: Callable[..., Rig]) -> None:
    """After stop no sample comes, and the thread ends with the next thing that arrives."""
    camera = source(FakePicture(0.0))
    rig = run(camera)
    rig.samples.get(timeout=DEADLINE_SECONDS)
    rig.reader.stop()
    camera.script.put(FakePicture(1.0))
    assert rig.reader.join(DEADLINE_SECONDS)
    assert rig.samples.empty()
    assert camera.closed_in == "camera-cam"


def test_a_reader_that_waits_ends_at_once(run: Callable[..., Rig]) -> None:
    """The long wait after a refusal does not hold up a stop."""
    rig = run(av.HTTPNotFoundError(404, "Not Found"))
    rig.until(lambda: rig.reader.report.state == "not_found")
    rig.reader.stop()
    assert rig.reader.join(DEADLINE_SECONDS)


def test_a_thread_that_shows_no_sign_of_life_is_stuck(run: Callable[..., Rig]) -> None:
    """A native call that never returns is told by the watchdog; a thread that waits is not stuck."""
    rig = run(source(FakePicture(0.0)))
    rig.until(lambda: rig.reader.report.state == "streaming")
    now = rig.reader.progress_at
    assert not rig.reader.is_stuck(now + SETTINGS.hang_timeout_seconds - 1)
    assert rig.reader.is_stuck(now + SETTINGS.hang_timeout_seconds + 1)


def test_silence_is_told_in_words_while_the_connection_is_open(run: Callable[..., Rig]) -> None:
    """A camera that has sent nothing for six seconds is stalled, and its status says since when."""
    rig = run(source(FakePicture(0.0)))
    rig.until(lambda: rig.reader.report.state == "streaming")
    rig.reader.progress_at -= 6
    status = status_of(rig)
    assert (status.state, status.reason) == ("stalled", "stopped sending pictures 6 s ago")
    assert status.captured_fps == 0


def test_a_status_says_when_the_next_attempt_is_due(run: Callable[..., Rig]) -> None:
    """People read why a camera is away and how long until it is tried again."""
    rig = run(av.HTTPUnauthorizedError(401, "no"))
    rig.until(lambda: rig.reader.report.state == "auth_failed")
    status = status_of(rig)
    words, _, retry = status.reason.partition("; trying again in ")
    assert words == "wrong user name or password"
    assert 40 <= int(retry.removesuffix(" s")) <= 75
