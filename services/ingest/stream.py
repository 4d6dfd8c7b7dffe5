"""Reads one stream in one thread, for as long as it is wanted: opens, reads, loses, waits, opens again."""

import threading
import time
import traceback
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import av
import structlog

from mien.contracts.cameras import Camera, CameraState
from mien.errors import MienError
from mien.runtime import metrics
from services.ingest.address import redact
from services.ingest.certificates import UntrustedError
from services.ingest.config import IngestSettings
from services.ingest.failures import (
    ENDED,
    Failure,
    FailureError,
    UnsupportedError,
    explain,
    explain_silence,
)
from services.ingest.picture import Picture
from services.ingest.pipeline import Backoff
from services.ingest.sources import OpenSource, VideoSource, open_source

log = structlog.get_logger()

# Clocks are read by the jitter of networks and decoders; the mean of about a minute is steady.
_SKEW_WEIGHT: Final = 0.002


@dataclass(frozen=True)
class ReaderReport:
    """How a reader is doing; replaced as a whole, so that any thread may look at it."""

    state: CameraState
    since_ns: int
    failure: Failure | None = None
    retry_at_ns: int | None = None
    size_wh: tuple[int, int] | None = None
    codec: str | None = None
    stated_fps: float | None = None


class StreamReader(ABC):
    """The thread of one stream and what others may know of it. What its pictures are for, subclasses say.

    Attributes:
        kind: What logs and metrics call such a stream.
        settings: As they are for all streams.
        camera: May be replaced by a revision of the same source while the thread runs.
        report: What the stream is doing.
        progress_at: Monotonic time of the last sign of life of the thread.
        picture_at: Monotonic time of the last picture.
        pictures_seen: How many there have been.
        arrivals: How often something has come, be it decoded or not.
        keyframes_only: Whether nothing but keyframes is decoded now.
        clock_skew_seconds: How far the camera's clock is ahead of ours; None where it doesn't tell.
    """

    kind: ClassVar[str]

    def __init__(
        self,
        camera: Camera,
        settings: IngestSettings,
        *,
        on_change: Callable[[], None],
        open_camera: OpenSource = open_source,
    ) -> None:
        self.camera = camera
        self.report = ReaderReport("connecting", time.time_ns())
        self.progress_at = time.monotonic()
        self.picture_at = self.progress_at
        self.pictures_seen = 0
        self.arrivals = 0
        self.keyframes_only = False
        self.clock_skew_seconds: float | None = None
        self.openings = 0
        self.dropped: Counter[str] = Counter()
        self.settings = settings
        self._on_change = on_change
        self._open = open_camera
        self._stop = threading.Event()
        self._backoff = Backoff(settings.first_retry_seconds, settings.longest_retry_seconds)
        self._told = ""
        # A thread stuck in a native call must not keep the process from ending.
        name = f"{self.kind.replace('_', '-')}-{camera.camera_id}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; from now on nothing is delivered."""
        self._stop.set()

    def join(self, seconds: float) -> bool:
        """Wait for the thread; returns whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def is_stuck(self, now: float) -> bool:
        """Whether the thread has shown no sign of life for too long, in spite of all time limits."""
        return now - self.progress_at > self.settings.hang_timeout_seconds

    def tell_stuck(self, now: float) -> None:
        """Log and count that the thread is stuck and will be replaced."""
        seconds = round(now - self.progress_at)
        log.error(f"{self.kind}.reader_stuck", camera_id=self.camera.camera_id, seconds=seconds)
        self._count_reconnect("stuck")

    @abstractmethod
    def _begin(self) -> None:
        """Forget the connection before: a new one is open."""

    @abstractmethod
    def _take(self, picture: Picture, source: VideoSource) -> None:
        """Do with a picture what it is for."""

    def _steer(self, source: VideoSource) -> None:
        """Tell the source whether its next pictures are wanted, with each packet that arrives."""
        source.is_wanted = True

    def _run(self) -> None:
        while not self._stop.is_set():
            failure = self._read_until_failure()
            if self._stop.is_set():
                return
            self._wait_after(failure)

    def _read_until_failure(self) -> Failure:
        self.openings += 1
        self._set_report(ReaderReport("connecting", time.time_ns(), failure=self.report.failure))
        opened = False
        self.progress_at = time.monotonic()
        seen_before = self.pictures_seen
        try:
            with closing(self._open(self.camera, self.settings, self._stop)) as source:
                opened = True
                self._read(source)
        # A defect that one camera's stream brings out must not take the other cameras with it.
        except Exception as error:
            expected = (av.FFmpegError, OSError, MienError, UnsupportedError, FailureError, UntrustedError)
            known = isinstance(error, expected)
            if not known:
                # No traceback of values: they may hold the camera's password.
                where = traceback.format_tb(error.__traceback__)[-1].strip()
                message = redact(f"{type(error).__name__}: {error}", self.camera)
                log.error(
                    f"{self.kind}.reading_failed",
                    camera_id=self.camera.camera_id,
                    error=message,
                    where=where,
                )
            return explain(
                error,
                self.camera,
                opened=opened,
                had_picture=self.pictures_seen > seen_before,
                waited_out=isinstance(error, av.FFmpegError | OSError)
                and self._has_waited_out(opened=opened),
            )
        if self._has_waited_out(opened=opened):
            return explain_silence(opened=True, had_picture=self.pictures_seen > seen_before)
        return ENDED

    def _has_waited_out(self, *, opened: bool) -> bool:
        settings = self.settings
        limit = settings.stall_timeout_seconds / 2 if opened else settings.open_timeout_seconds
        return time.monotonic() - self.progress_at > 0.8 * limit

    def _read(self, source: VideoSource) -> None:
        self._begin()
        self.clock_skew_seconds = None
        counted: Counter[str] = Counter()
        self._steer(source)
        for picture in source.pictures():
            self.progress_at = time.monotonic()
            self.arrivals += 1
            self.keyframes_only = source.keyframes_only
            if self._stop.is_set():
                return
            for reason, count in (source.dropped - counted).items():
                self._count_dropped(reason, count)
            counted = source.dropped.copy()
            if picture is not None:
                self._note(picture, source)
                self._take(picture, source)
            self._steer(source)

    def _note(self, picture: Picture, source: VideoSource) -> None:
        self.pictures_seen += 1
        self.picture_at = self.progress_at
        if picture.camera_clock_ns is not None:
            self._note_clock((picture.camera_clock_ns - picture.captured_at_ns) / 1e9)
        if self.report.state != "streaming" or self.report.size_wh != picture.size_wh:
            self._backoff.reset()
            self._told = ""
            since_ns = self.report.since_ns if self.report.state == "streaming" else time.time_ns()
            report = ReaderReport("streaming", since_ns, size_wh=picture.size_wh, codec=source.codec)
            self._set_report(replace(report, stated_fps=source.stated_fps))

    def _note_clock(self, skew_seconds: float) -> None:
        known = self.clock_skew_seconds
        if known is None or abs(skew_seconds - known) > 1:  # the first, or the clock was set
            self.clock_skew_seconds = skew_seconds
        else:
            self.clock_skew_seconds = known + _SKEW_WEIGHT * (skew_seconds - known)

    def _wait_after(self, failure: Failure) -> None:
        if failure.is_refusal:
            wait = self._backoff.around(self.settings.refused_retry_seconds)
        else:
            wait = self._backoff.next_seconds()
        now_ns = time.time_ns()
        if failure.key != self._told:  # a stream that stays away is told of once
            self._told = failure.key
            log.info(f"{self.kind}.lost", camera_id=self.camera.camera_id, reason=failure.words)
        self._count_reconnect(failure.key)
        report = ReaderReport(failure.state, now_ns, failure=failure, retry_at_ns=now_ns + round(wait * 1e9))
        self._set_report(replace(report, size_wh=self.report.size_wh, codec=self.report.codec))
        until = time.monotonic() + wait
        while not self._stop.is_set() and (remaining := until - time.monotonic()) > 0:
            self.progress_at = time.monotonic()
            self._stop.wait(min(remaining, 1.0))

    def _set_report(self, report: ReaderReport) -> None:
        previous, self.report = self.report, report
        if report.state == "streaming" and previous.state != "streaming":
            log.info(
                f"{self.kind}.connected",
                camera_id=self.camera.camera_id,
                size_wh=report.size_wh,
                codec=report.codec,
            )
        if not self._stop.is_set():
            self._on_change()

    def _count_dropped(self, reason: str, count: int) -> None:
        self.dropped[reason] += count
        metrics.DROPPED.labels("ingest", reason).inc(count)

    def _count_reconnect(self, reason: str) -> None:
        metrics.CAMERA_RECONNECTS.labels(self.camera.camera_id, reason).inc()
