"""What arrives on a stream, counted: for whoever wants to know how a camera is set up."""

from collections import deque
from typing import Final

_REMEMBERED_KEYFRAMES: Final = 64
_SHORTEST_SECONDS: Final = 0.5


class Traffic:
    """Counts packets, their bytes and the keyframes among them, by the stream's own time."""

    def __init__(self) -> None:
        self._first_seconds: float | None = None
        self._last_seconds = 0.0
        self._packets = 0
        self._bytes = 0
        self._keyframes = 0
        self._keyframe_seconds: deque[float] = deque(maxlen=_REMEMBERED_KEYFRAMES)

    def note(self, size_bytes: int, media_seconds: float, *, is_keyframe: bool) -> None:
        """Count one packet. The first begins the time; what it holds came before."""
        if is_keyframe:
            self._keyframes += 1
            self._keyframe_seconds.append(media_seconds)
        if self._first_seconds is None:
            self._first_seconds = media_seconds
            return
        self._last_seconds = media_seconds
        self._packets += 1
        self._bytes += size_bytes

    @property
    def fps(self) -> float | None:
        """Pictures per second; None when the time was too short to tell."""
        seconds = self._seconds
        return self._packets / seconds if seconds else None

    @property
    def bitrate_kbps(self) -> float | None:
        """Thousands of bits per second; None when the time was too short to tell."""
        seconds = self._seconds
        return 8 * self._bytes / 1000 / seconds if seconds else None

    @property
    def keyframe_interval_seconds(self) -> float | None:
        """Mean time between keyframes; None with fewer than two, or where each picture is one."""
        times = self._keyframe_seconds
        if len(times) < 2 or self._keyframes > self._packets:
            return None
        return (times[-1] - times[0]) / (len(times) - 1)

    @property
    def _seconds(self) -> float | None:
        if self._first_seconds is None or self._last_seconds - self._first_seconds < _SHORTEST_SECONDS:
            return None
        return self._last_seconds - self._first_seconds
