"""What ingest decides about pictures and attempts: pure, without clocks, threads or I/O."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.vision.zones import Polygon, mask_zones

Gate = Literal["moved", "heartbeat", "watched", "skipped"]

LUMA_STRIDE: Final = 8
"""Motion is measured on every eighth pixel of every eighth row: 0.07 ms for 720p."""
_CLOCK_JUMP_SECONDS: Final = 10.0
# Camera clocks differ from ours by far less than a thousandth; backlogs grow much faster than that.
_CLOCK_DRIFT: Final = 0.001
_DRAIN_PATIENCE_SECONDS: Final = 3.0


class SamplingSchedule:
    """Picks pictures so that *fps* a second remain, by the time they were taken and not when they arrived."""

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._next_due: float | None = None

    def would_be_due(self, media_seconds: float) -> bool:
        """Whether a picture taken at this time would be wanted, if it came next."""
        due = self._next_due
        # Timestamps are rounded (to 1/90000 s, or a file's ticks); a picture a hair early is on time.
        return due is None or media_seconds >= due - 0.002 or self._has_jumped(media_seconds, due)

    def is_due(self, media_seconds: float) -> bool:
        """Whether the picture taken at this time is wanted."""
        if not self.would_be_due(media_seconds):
            return False
        due, interval = self._next_due, 1.0 / self.fps
        begins = due is None or self._has_jumped(media_seconds, due)
        self._next_due = (media_seconds if begins or due is None else due) + interval
        return True

    def _has_jumped(self, media_seconds: float, due: float) -> bool:
        interval = 1.0 / self.fps
        return media_seconds < due - 2 * interval or media_seconds > due + interval


class MotionGate:
    """Lets pictures through in which something has changed since the last one that counted.

    The reference stays until something moves or a heartbeat is due, so that slow motion adds up while
    the slow change of daylight does not. What changes in an ignored zone doesn't count, and neither does
    the zone's area; where all of the picture is ignored, nothing moves.
    """

    def __init__(self, *, luma_step: int, area_ratio: float, heartbeat_seconds: float) -> None:
        self._luma_step = luma_step
        self._area_ratio = area_ratio
        self._heartbeat_seconds = heartbeat_seconds
        self._reference: NDArray[np.int16] | None = None
        self._passed_at = 0.0
        self._zones: list[list[tuple[float, float]]] = []
        self._counts: NDArray[np.bool_] | None = None
        """Which pixels of the coarse picture count; None while all do, or until the mask is made."""

    def ignore(self, zones: Sequence[Polygon]) -> None:
        """Look away from these polygons from now on, and from no others."""
        if (asked := [list(zone) for zone in zones]) != self._zones:
            self._zones, self._counts = asked, None

    def decide(self, luma: NDArray[np.uint8], media_seconds: float, *, watched: bool) -> Gate:
        """Judge a coarse luma picture, shape (h, w)."""
        current = luma.astype(np.int16)
        since = media_seconds - self._passed_at
        if self._has_changed(current):
            gate: Gate = "moved"
        elif since >= self._heartbeat_seconds - 0.002 or since < 0:
            gate = "heartbeat"
        else:
            return "watched" if watched else "skipped"
        self._reference = current
        self._passed_at = media_seconds
        return gate

    def _has_changed(self, current: NDArray[np.int16]) -> bool:
        reference = self._reference
        if reference is None or reference.shape != current.shape:
            return True
        changed = np.abs(current - reference) > self._luma_step
        if self._zones:
            if self._counts is None or self._counts.shape != current.shape:
                self._counts = ~mask_zones(self._zones, (current.shape[1], current.shape[0]))
            changed = changed[self._counts]
        return changed.size > 0 and float(changed.mean()) > self._area_ratio


class LagControl:
    """Notices that reading falls behind a live camera, and skips to the present.

    Starved of processor time nothing is lost: pictures queue in the network's buffers and grow older
    without end. *Lag* is how much later than the promptest picture of this connection one arrives.
    When it exceeds *max_lag_seconds*, packets are refused (they cost next to nothing unread) until a
    keyframe arrives with less than half of it.

    A lag that does not shrink while nothing is decoded is no backlog but a camera whose clock stood
    still or was set: it becomes the new normal.
    """

    def __init__(self, max_lag_seconds: float) -> None:
        self._max_lag = max_lag_seconds
        self._promptest: float | None = None
        self._previous: tuple[float, float] | None = None
        self._skipping = False
        self._least_lag = 0.0
        self._least_lag_at = 0.0
        self.lag_seconds = 0.0

    def admits(self, media_seconds: float, arrived_seconds: float, *, is_keyframe: bool) -> bool:
        """Whether to decode the packet with this timestamp that arrived at this (monotonic) time."""
        self.lag_seconds = self._measure(media_seconds, arrived_seconds)
        if not self._skipping and self.lag_seconds > self._max_lag:
            self._skipping = True
            self._least_lag, self._least_lag_at = self.lag_seconds, arrived_seconds
        if not self._skipping:
            return True
        if self.lag_seconds < self._least_lag - 0.05:
            self._least_lag, self._least_lag_at = self.lag_seconds, arrived_seconds
        elif arrived_seconds - self._least_lag_at > _DRAIN_PATIENCE_SECONDS:
            self._promptest = arrived_seconds - media_seconds
            self.lag_seconds = 0.0
        if is_keyframe and self.lag_seconds < self._max_lag / 2:
            self._skipping = False
        return not self._skipping

    def _measure(self, media_seconds: float, arrived_seconds: float) -> float:
        delay = arrived_seconds - media_seconds
        if self._previous is not None and self._promptest is not None:
            media_step = media_seconds - self._previous[0]
            arrived_step = arrived_seconds - self._previous[1]
            jumped = media_step < -1.0 or media_step - arrived_step > _CLOCK_JUMP_SECONDS
            self._promptest = None if jumped else self._promptest + _CLOCK_DRIFT * max(arrived_step, 0.0)
        self._previous = (media_seconds, arrived_seconds)
        self._promptest = delay if self._promptest is None else min(self._promptest, delay)
        return delay - self._promptest


@dataclass
class Backoff:
    """Waits that double up to a limit and never end, spread so that cameras don't return in step.

    Attributes:
        attempts: Failures in a row; :meth:`reset` it when a picture has come.
    """

    first_seconds: float
    longest_seconds: float
    spread: Callable[[], float] = random.random
    attempts: int = 0

    def next_seconds(self) -> float:
        """Return the wait before the next attempt, a quarter more or less."""
        wait = min(self.first_seconds * 2.0 ** min(self.attempts, 32), self.longest_seconds)
        self.attempts += 1
        return self.around(wait)

    def around(self, seconds: float) -> float:
        """Return a wait near *seconds*."""
        return seconds * (0.75 + 0.5 * self.spread())

    def reset(self) -> None:
        """Begin with the first wait again."""
        self.attempts = 0
