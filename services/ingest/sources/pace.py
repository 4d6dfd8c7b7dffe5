"""Shows what comes in bursts, from files and playlists, at the pace at which it was taken."""

import threading
import time
from typing import Final

_LATE_SECONDS: Final = 1.0
_JUMP_SECONDS: Final = 10.0


class Pace:
    """Waits until something of a timeline is due."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._started: float | None = None

    def wait_for(self, media_seconds: float) -> bool:
        """Wait until this time of the timeline; returns whether to go on, which is not when told to stop."""
        now = time.monotonic()
        if self._started is None or self._started + media_seconds - now > _JUMP_SECONDS:
            self._started = now - media_seconds  # the beginning, or a jump ahead
        ahead = self._started + media_seconds - now
        if ahead < -_LATE_SECONDS:
            self._started -= ahead  # late: go on slower rather than in bursts
        return not self._stop.wait(max(ahead, 0.0))
