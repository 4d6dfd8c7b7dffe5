"""The state machine of a camera as people see it: from what its reader knows to a state with its reason.

Pure: no clocks, no I/O. States, and what leads to them, are a table in the README.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.contracts.cameras import CameraState, SourceKind
from services.ingest.failures import STALLED, Failure

SILENCE_SHOWN_AFTER_SECONDS: Final = 2.0
# Pieces of a playlist come every few seconds, and seldom on time.
_PIECES_SHOWN_AFTER_SECONDS: Final = 10.0
_UNREADABLE_AFTER_SECONDS: Final = 10.0
# What one picture may differ from the next without anything having changed: nothing but what the encoder
# makes of the very same picture. A sensor's noise is more, even of a dark and empty room.
_SAME_LUMA: Final = 3
_SAME_SHARE: Final = 0.0005
# A camera that was slowed down on purpose is called slow no longer than about an hour.
_FORGET_SECONDS: Final = 3600.0


@dataclass(frozen=True)
class View:
    """What is known of a stream at a moment.

    Attributes:
        state: What its reader is doing.
        failure: Why it isn't streaming, or wasn't at the last attempt.
        retry_in_seconds: When the next attempt is due.
        silent_seconds: Since anything came.
        pictureless_seconds: Since a whole picture came.
        unchanged_seconds: For how long it has been the same picture.
        fps: Pictures per second that it delivers, None while that isn't measured.
        expected_fps: What it should deliver, by what it says and has done before; None if that isn't known.
        is_unwanted: Nobody wants its pictures now, so that none is decoded.
    """

    state: CameraState
    failure: Failure | None = None
    retry_in_seconds: float | None = None
    silent_seconds: float = 0.0
    pictureless_seconds: float = 0.0
    unchanged_seconds: float = 0.0
    fps: float | None = None
    expected_fps: float | None = None
    kind: SourceKind | None = "rtsp"
    is_unwanted: bool = False


@dataclass(frozen=True)
class Limits:
    """From where on something is called by its name; zero is never.

    Attributes:
        frozen_seconds: For so long nothing but the same picture.
        slow_share: Less than this share of the pictures that should come.
    """

    frozen_seconds: float
    slow_share: float


@dataclass(frozen=True)
class Condition:
    """A camera's state.

    Attributes:
        reason: In words, the same for as long as nothing changes; empty while all is well.
        detail: What changes by the second, to be shown behind the reason.
    """

    state: CameraState
    reason: str = ""
    detail: str = ""

    @property
    def words(self) -> str:
        """All there is to say."""
        return self.reason + self.detail


def judge(view: View, limits: Limits) -> Condition:
    """Say in which state a stream is."""
    if view.state == "streaming":
        return _judge_streaming(view, limits)
    if view.failure is None:
        return Condition(view.state)
    reason = view.failure.words
    detail = ""
    if view.failure is STALLED:
        reason, detail = "stopped sending pictures", f" {view.silent_seconds:.0f} s ago"
    if view.retry_in_seconds is not None:
        detail += f"; trying again in {max(view.retry_in_seconds, 0):.0f} s"
    return Condition(view.state, reason, detail)


def lasting(view: View, condition: Condition) -> Condition:
    """Return what a camera's history says: an attempt that has not succeeded yet changes nothing."""
    if view.state == "connecting" and view.failure is not None:
        return Condition(view.failure.state, view.failure.words)
    return condition


def _judge_streaming(view: View, limits: Limits) -> Condition:
    patience = _PIECES_SHOWN_AFTER_SECONDS if view.kind == "hls" else SILENCE_SHOWN_AFTER_SECONDS
    if view.silent_seconds > patience:
        return Condition("stalled", "stopped sending pictures", f" {view.silent_seconds:.0f} s ago")
    if view.is_unwanted:
        return Condition("streaming")
    is_asked = view.kind == "snapshot"
    unchanged = max(view.unchanged_seconds, view.pictureless_seconds if is_asked else 0.0)
    # What a file shows was chosen; it may stand still.
    if limits.frozen_seconds and view.kind != "file" and unchanged >= limits.frozen_seconds:
        return Condition("frozen", "sends the same picture again and again", f", for {_span(unchanged)}")
    if not is_asked and view.pictureless_seconds > _UNREADABLE_AFTER_SECONDS:
        seconds = f", for {_span(view.pictureless_seconds)}"
        return Condition("stalled", "sends data, but no picture that is whole", seconds)
    expected = 0.0 if is_asked or view.expected_fps is None else limits.slow_share * view.expected_fps
    if view.fps is not None and view.fps < expected:
        detail = f": {view.fps:.1f} a second instead of {view.expected_fps:.0f}"
        return Condition("slow", "sends far fewer pictures than it should", detail)
    return Condition("streaming")


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


class StillnessWatch:
    """Notices a picture that is the same again and again."""

    def __init__(self) -> None:
        self._reference: NDArray[np.int16] | None = None
        self._since = 0.0
        self._last = 0.0

    @property
    def unchanged_seconds(self) -> float:
        """For how long the picture has been the same, at the last one seen."""
        return self._last - self._since

    def note(self, luma: NDArray[np.uint8], seconds: float) -> None:
        """Take in a coarse picture, shape (h, w), and when it came, on a clock that never goes back."""
        current = luma.astype(np.int16)
        reference = self._reference
        is_same = reference is not None and reference.shape == current.shape and _is_same(reference, current)
        self._last = seconds
        if not is_same:
            self._reference, self._since = current, seconds


def _is_same(one: NDArray[np.int16], other: NDArray[np.int16]) -> bool:
    return float((np.abs(one - other) > _SAME_LUMA).mean()) <= _SAME_SHARE


class RateWatch:
    """Compares how many pictures come with how many should, by what the stream says and has done before."""

    def __init__(self, window_seconds: float) -> None:
        self._window = window_seconds
        self._looks: deque[tuple[float, int]] = deque()
        self._usual: float | None = None
        self._connection = -1

    def look(self, now: float, *, count: int, connection: int) -> float | None:
        """Take in how many have come by now; returns pictures per second, None until the window is full.

        Args:
            connection: Number of the connection they came by; each is measured for itself.
        """
        if connection != self._connection:
            self._connection = connection
            self._looks.clear()
        self._looks.append((now, count))
        while len(self._looks) > 2 and now - self._looks[1][0] >= self._window:
            self._looks.popleft()
        seconds = now - self._looks[0][0]
        if seconds < self._window:
            return None
        fps = (count - self._looks[0][1]) / seconds
        step = min((now - self._looks[-2][0]) / _FORGET_SECONDS, 1.0)
        usual = fps if self._usual is None else self._usual + (fps - self._usual) * step
        self._usual = max(fps, usual)
        return fps

    def expected(self, stated_fps: float | None) -> float | None:
        """Return what should come: what the stream says, or the most that has come within an hour or so."""
        return max((rate for rate in (self._usual, stated_fps) if rate is not None), default=None)
