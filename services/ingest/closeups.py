"""Which of a main stream's last pictures shows the moment of a frame. No clocks, no I/O."""

import statistics
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, Protocol

from services.ingest.picture import Picture

# A camera whose two sessions tell times this much further apart than their arrivals keeps no common clock.
# Less would be mistaken for it on a busy machine, where reading itself is up to a second behind.
_SAME_CLOCK_SECONDS: Final = 2.0
# What is left of errors when times are right: jitter of the network and of a busy machine.
_SLACK_SECONDS: Final = 0.01
# A walking head moves its own width in about a tenth of a second.
_MOST_APART_SECONDS: Final = 0.1
_USUAL_INTERVAL_SECONDS: Final = 1 / 15
_LEAST_GAIN: Final = 1.2
_LIKE_SHAPES: Final = 0.03

Unusable = Literal["other_view", "no_gain"]


class Timed(Protocol):
    """What has a time by our clock and, where the camera tells it, by the camera's."""

    @property
    def captured_at_ns(self) -> int:
        """By our clock."""

    @property
    def camera_clock_ns(self) -> int | None:
        """By the camera's."""


@dataclass(frozen=True)
class Match:
    """The picture of a moment.

    Attributes:
        picture: None when none is near enough.
        is_final: Whether no later picture can be nearer.
    """

    picture: Picture | None
    is_final: bool


class PictureRing:
    """The last pictures of a stream, bounded in number and bytes: the oldest goes first.

    One thread adds, any may look; whoever takes a picture out of it is the only one to work on it.
    """

    def __init__(self, *, max_pictures: int, max_bytes: int) -> None:
        self._max_pictures = max_pictures
        self._max_bytes = max_bytes
        self._pictures: deque[tuple[Picture, int]] = deque()
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        """How much memory the pictures take."""
        with self._lock:
            return sum(size for _, size in self._pictures)

    def pictures(self) -> list[Picture]:
        """Return the pictures, oldest first."""
        with self._lock:
            return [picture for picture, _ in self._pictures]

    def add(self, picture: Picture) -> None:
        """Take in the newest picture."""
        with self._lock:
            kept = self._pictures
            # Asked for once, while no other thread has it: a decoded picture is for one thread at a time.
            kept.append((picture, picture.size_bytes))
            total = sum(size for _, size in kept)
            while len(kept) > 1 and (len(kept) > self._max_pictures or total > self._max_bytes):
                total -= kept.popleft()[1]

    def clear(self) -> None:
        """Let go of all pictures."""
        with self._lock:
            self._pictures.clear()


def find_same_time(pictures: Sequence[Picture], moment: Timed) -> Match:
    """Return the picture nearest in time to a moment.

    Near enough is half the pictures' interval, because then none can be nearer, but never more than a
    tenth of a second.

    Args:
        pictures: Of one stream, oldest first.
    """
    if not pictures:
        return Match(None, is_final=False)
    interval = _interval_seconds(pictures)
    later = [seconds_between(moment, picture) for picture in pictures]
    nearest = min(range(len(later)), key=lambda index: abs(later[index]))
    is_near = abs(later[nearest]) <= min(interval / 2, _MOST_APART_SECONDS) + _SLACK_SECONDS
    return Match(pictures[nearest] if is_near else None, is_final=later[-1] >= -interval / 2)


def seconds_between(one: Timed, other: Timed) -> float:
    """Return how much later *other* was taken than *one*.

    By the camera's clock where both have it: two sessions of one camera share it, while the ways of a
    small and of a large picture differ. By our clock where they don't, or where the camera gives each of
    its sessions a clock of its own, which shows in how far it strays from the arrivals.
    """
    by_arrival = (other.captured_at_ns - one.captured_at_ns) / 1e9
    if one.camera_clock_ns is None or other.camera_clock_ns is None:
        return by_arrival
    by_camera = (other.camera_clock_ns - one.camera_clock_ns) / 1e9
    return by_camera if abs(by_camera - by_arrival) < _SAME_CLOCK_SECONDS else by_arrival


def why_unusable(frame_wh: tuple[int, int], main_wh: tuple[int, int]) -> Unusable | None:
    """Return why a main stream of this size is of no use to frames of that size, or None.

    Another shape is another field of view, in which a face is not where its box says; a picture that is
    hardly larger than the frame shows nothing new.
    """
    width_ratio, height_ratio = main_wh[0] / frame_wh[0], main_wh[1] / frame_wh[1]
    if abs(width_ratio / height_ratio - 1) > _LIKE_SHAPES:
        return "other_view"
    return "no_gain" if width_ratio < _LEAST_GAIN else None


def _interval_seconds(pictures: Sequence[Picture]) -> float:
    steps = [following.media_seconds - picture.media_seconds for picture, following in pairwise(pictures)]
    return statistics.median(steps) if steps else _USUAL_INTERVAL_SECONDS
