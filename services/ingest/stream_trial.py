"""Opening an address once, to say how it is: for whoever is about to add it as a camera."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import av
import msgspec

from mien.contracts.camera_requests import StreamReport, StreamTest, TestStep
from mien.contracts.camera_status import ShownCertificate
from mien.contracts.cameras import Camera
from mien.errors import MienError
from mien.runtime.networks import ForbiddenAddressError
from services.ingest.address import AddressError
from services.ingest.advice import advice_for, warnings_for
from services.ingest.certificates import UntrustedError
from services.ingest.config import IngestSettings
from services.ingest.failures import (
    Failure,
    FailureError,
    UnsupportedError,
    explain,
    explain_silence,
)
from services.ingest.picture import DamagedPictureError, Picture
from services.ingest.sources import OpenSource, VideoSource, open_source

_SNAPSHOT_WIDTH_PX: Final = 1280
# Cameras with a keyframe every ten seconds exist.
_FIRST_PICTURE_SECONDS: Final = 12.0


@dataclass(frozen=True)
class TrialResult:
    """How a test ended; *reason* is empty when all is well."""

    ok: bool
    explanation: str
    reason: str = ""
    advice: str = ""
    snapshot_jpeg: bytes | None = None
    report: StreamReport | None = None
    certificate: ShownCertificate | None = None


def try_stream(
    request: StreamTest,
    settings: IngestSettings,
    tell: Callable[[TestStep], None],
    *,
    stop: threading.Event,
    open_camera: OpenSource = open_source,
) -> TrialResult:
    """Open a camera, watch it for a while, and say how it is. Blocks; time limits bound it.

    Args:
        tell: Hears of each step, in this thread.
        stop: Set it to end the test before its time, with what is known by then.
    """
    attempt = _Attempt(request, settings, tell, stop)
    try:
        tell("connecting")
        with closing(open_camera(request.camera, settings, stop)) as source:
            attempt.watch(source)
    except (av.FFmpegError, OSError, MienError, UnsupportedError, FailureError, UntrustedError) as error:
        if attempt.jpeg is None:
            return _failed(attempt.explain(error))
    if attempt.jpeg is None:
        return _failed(attempt.explain_end())
    return attempt.result()


class _Attempt:
    def __init__(
        self,
        request: StreamTest,
        settings: IngestSettings,
        tell: Callable[[TestStep], None],
        stop: threading.Event,
    ) -> None:
        self.jpeg: bytes | None = None
        self._request = request
        self._settings = settings
        self._tell = tell
        self._stop = stop
        self._source: VideoSource | None = None
        self._size_wh = (0, 0)
        self._clock_skew_seconds: float | None = None
        self._changed_at = time.monotonic()

    @property
    def _camera(self) -> Camera:
        return self._request.camera

    def watch(self, source: VideoSource) -> None:
        """Look at pictures until there is one and the time to measure is over."""
        self._source = source
        self._changed_at = time.monotonic()
        self._tell("connected")
        until = self._changed_at + _FIRST_PICTURE_SECONDS
        for picture in source.pictures():
            if picture is not None:
                had_one = self.jpeg is not None
                self._take(picture)
                if not had_one and self.jpeg is not None:
                    self._tell("measuring")
                    until = time.monotonic() + self._request.measure_seconds
            if time.monotonic() >= until or self._stop.is_set():
                return

    def result(self) -> TrialResult:
        """Return what was seen."""
        assert self._source is not None
        traffic = self._source.traffic
        report = StreamReport(
            codec=self._source.codec,
            size_wh=self._size_wh,
            measured_fps=_rounded(traffic.fps, 1),
            keyframe_interval_seconds=_rounded(traffic.keyframe_interval_seconds, 2),
            bitrate_kbps=_rounded(traffic.bitrate_kbps, 0),
            clock_skew_seconds=_rounded(self._clock_skew_seconds, 1),
        )
        report = msgspec.structs.replace(report, warnings=warnings_for(report))
        width, height = self._size_wh
        words = f"streams {report.codec.upper()}, {width} × {height}"
        if report.measured_fps is not None:
            words += f", {report.measured_fps:.0f} pictures per second"
        return TrialResult(True, words, snapshot_jpeg=self.jpeg, report=report)

    def explain(self, error: Exception) -> Failure:
        """Say what an error means."""
        if isinstance(error, ForbiddenAddressError):
            return Failure("unsupported", "forbidden", str(error))
        if isinstance(error, AddressError):
            return Failure("unsupported", "no_address", str(error))
        opened = self._source is not None
        limit = self._settings.stall_timeout_seconds / 2 if opened else self._settings.open_timeout_seconds
        return explain(
            error,
            self._camera,
            opened=opened,
            had_picture=False,
            waited_out=isinstance(error, av.FFmpegError | OSError)
            and time.monotonic() - self._changed_at > 0.8 * limit,
        )

    def explain_end(self) -> Failure:
        """Say what it means that the source has ended without a picture."""
        return explain_silence(opened=True, had_picture=False)

    def _take(self, picture: Picture) -> None:
        if picture.camera_clock_ns is not None:
            self._clock_skew_seconds = (picture.camera_clock_ns - picture.captured_at_ns) / 1e9
        if self.jpeg is None:
            try:
                self.jpeg, _ = picture.to_jpeg(
                    max_width_px=_SNAPSHOT_WIDTH_PX, quality=self._settings.jpeg_quality
                )
            except DamagedPictureError:
                return
            self._size_wh = picture.size_wh


def _failed(failure: Failure) -> TrialResult:
    return TrialResult(
        False, failure.words, failure.key, advice_for(failure.key), certificate=failure.certificate
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits) + 0.0  # no "-0.0"
