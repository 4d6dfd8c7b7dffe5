"""Reads one camera in one thread, for as long as it is wanted: opens, samples, loses, waits, opens again."""

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final

import av
import structlog

from mien.contracts.cameras import Camera, CameraState
from mien.errors import MienError
from mien.runtime import metrics
from services.ingest.address import redact
from services.ingest.config import IngestSettings
from services.ingest.failures import ENDED, Failure, UnsupportedError, explain, explain_silence
from services.ingest.picture import DamagedPictureError, Picture
from services.ingest.pipeline import Backoff, MotionGate, SamplingSchedule
from services.ingest.sources import VideoSource, open_source

log = structlog.get_logger()

OpenSource = Callable[[Camera, IngestSettings, threading.Event], VideoSource]
_LAG_SHOWN_EVERY: Final = 15


@dataclass(frozen=True)
class Sample:
    """A picture that goes on to detection.

    Attributes:
        opening: Counts the openings of this reader; each is an epoch of the camera.
    """

    opening: int
    jpeg: bytes
    size_wh: tuple[int, int]
    captured_at_ns: int
    camera_clock_ns: int | None
    still: bool
    max_age_ms: int


@dataclass(frozen=True)
class ReaderReport:
    """How a reader is doing; replaced as a whole, so that any thread may look at it."""

    state: CameraState
    since_ns: int
    failure: Failure | None = None
    retry_at_ns: int | None = None
    size_wh: tuple[int, int] | None = None
    codec: str | None = None


class CameraReader:
    """The thread of one camera and what others may know of it.

    Attributes:
        camera: May be replaced by a revision of the same source while the thread runs.
        watched: Whether somebody watches: then still pictures go on, too.
        report: What the camera is doing.
        progress_at: Monotonic time of the last sign of life of the thread.
        picture_at: Monotonic time of the last picture.
    """

    def __init__(
        self,
        camera: Camera,
        settings: IngestSettings,
        *,
        deliver: Callable[[Sample], None],
        on_change: Callable[[], None],
        open_camera: OpenSource = open_source,
    ) -> None:
        self.camera = camera
        self.watched = False
        self.report = ReaderReport("connecting", time.time_ns())
        self.progress_at = time.monotonic()
        self.picture_at = self.progress_at
        self.pictures_seen = 0
        self.pictures_sampled = 0
        self.pictures_unchanged = 0
        self.openings = 0
        self.dropped: Counter[str] = Counter()
        self._settings = settings
        self._deliver = deliver
        self._on_change = on_change
        self._open = open_camera
        self._stop = threading.Event()
        self._backoff = Backoff(settings.first_retry_seconds, settings.longest_retry_seconds)
        self._told = ""
        self._gate = self._new_gate()
        self._schedule = SamplingSchedule(camera.sampled_fps)
        # A thread stuck in a native call must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera.camera_id}", daemon=True)

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
        return now - self.progress_at > self._settings.hang_timeout_seconds

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
            with closing(self._open(self.camera, self._settings, self._stop)) as source:
                opened = True
                self._read(source)
        # A defect that one camera's stream brings out must not take the other cameras with it.
        except Exception as error:
            known = isinstance(error, (av.FFmpegError, OSError, MienError, UnsupportedError))
            if not known:
                # No traceback of values: they may hold the camera's password.
                where = traceback.format_tb(error.__traceback__)[-1].strip()
                message = redact(f"{type(error).__name__}: {error}", self.camera)
                log.error(
                    "camera.reading_failed", camera_id=self.camera.camera_id, error=message, where=where
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
        settings = self._settings
        limit = settings.stall_timeout_seconds / 2 if opened else settings.open_timeout_seconds
        return time.monotonic() - self.progress_at > 0.8 * limit

    def _read(self, source: VideoSource) -> None:
        self._gate = self._new_gate()
        self._schedule = SamplingSchedule(self.camera.sampled_fps)
        counted: Counter[str] = Counter()
        for picture in source.pictures():
            self.progress_at = time.monotonic()
            if self._stop.is_set():
                return
            for reason, count in (source.dropped - counted).items():
                self._count_dropped(reason, count)
            counted = source.dropped.copy()
            if picture is not None:
                self._on_picture(picture, source)

    def _on_picture(self, picture: Picture, source: VideoSource) -> None:
        self.pictures_seen += 1
        self.picture_at = self.progress_at
        if self.report.state != "streaming" or self.report.size_wh != picture.size_wh:
            self._backoff.reset()
            self._told = ""
            since_ns = self.report.since_ns if self.report.state == "streaming" else time.time_ns()
            self._set_report(ReaderReport("streaming", since_ns, size_wh=picture.size_wh, codec=source.codec))
        if self.pictures_seen % _LAG_SHOWN_EVERY == 0:
            metrics.CAMERA_LAG_SECONDS.labels(self.camera.camera_id).set(source.lag_seconds)
        camera = self.camera
        self._schedule.fps = camera.sampled_fps
        if self._schedule.is_due(picture.media_seconds):
            self.pictures_sampled += 1
            self._sample(picture, camera)

    def _sample(self, picture: Picture, camera: Camera) -> None:
        try:
            gate = self._gate.decide(picture.coarse_luma(), picture.media_seconds, watched=self.watched)
            if gate == "skipped":
                self.pictures_unchanged += 1
                metrics.SKIPPED.labels("ingest", "still").inc()
                return
            jpeg, size_wh = picture.to_jpeg(
                max_width_px=camera.frame_width_px, quality=self._settings.jpeg_quality
            )
        except DamagedPictureError:
            self._count_dropped("corrupt", 1)
            return
        if not self._stop.is_set():
            self._deliver(
                Sample(
                    opening=self.openings,
                    jpeg=jpeg,
                    size_wh=size_wh,
                    captured_at_ns=picture.captured_at_ns,
                    camera_clock_ns=picture.camera_clock_ns,
                    still=gate != "moved",
                    max_age_ms=camera.max_age_ms,
                )
            )

    def _wait_after(self, failure: Failure) -> None:
        if failure.is_refusal:
            wait = self._backoff.around(self._settings.refused_retry_seconds)
        else:
            wait = self._backoff.next_seconds()
        now_ns = time.time_ns()
        if failure.key != self._told:  # a camera that stays away is told of once
            self._told = failure.key
            log.info("camera.lost", camera_id=self.camera.camera_id, reason=failure.words)
        metrics.CAMERA_RECONNECTS.labels(self.camera.camera_id, failure.key).inc()
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
                "camera.connected",
                camera_id=self.camera.camera_id,
                size_wh=report.size_wh,
                codec=report.codec,
            )
        if not self._stop.is_set():
            self._on_change()

    def _count_dropped(self, reason: str, count: int) -> None:
        self.dropped[reason] += count
        metrics.DROPPED.labels("ingest", reason).inc(count)

    def _new_gate(self) -> MotionGate:
        settings = self._settings
        return MotionGate(
            luma_step=settings.motion_luma_step,
            area_ratio=settings.motion_area_ratio,
            heartbeat_seconds=settings.heartbeat_seconds,
        )
