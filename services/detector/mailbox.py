"""Frames that wait for the detector: the newest of each camera, no more.

A queue would show people what was; here a frame that comes before the last one was looked at takes its
place, and its turn. Memory is bounded by the number of cameras.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from mien.contracts.frames import Frame

DropReason = Literal["stale", "old_epoch", "out_of_order", "superseded"]

# An epoch or a time stamp that is older by more than this is no straggler: Redis has lost its counters,
# or a clock was set back. What comes now is then what counts.
_STRAGGLER_NS = 10_000_000_000


@dataclass(frozen=True)
class WaitingFrame:
    """A frame with the Kafka record it came in."""

    frame: Frame
    record: Any  # aiokafka ships no types

    @property
    def partition(self) -> int:
        """The camera's partition, the same number on every topic."""
        return int(self.record.partition)


class Mailbox:
    """One place per camera; the one whose last turn is longest ago is next.

    In the order of waiting it would not be fair: where frames come faster than they are looked at, a camera
    whose next frame comes right after its turn queues again at once, and gets more turns than one whose
    frames come later.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, WaitingFrame] = {}
        self._newest: dict[str, tuple[int, int]] = {}
        self._turns: dict[str, int] = {}
        self._turn = 0
        self._filled = asyncio.Event()

    def put(self, waiting: WaitingFrame, *, now_ns: int) -> DropReason | None:
        """Take a frame in; returns why a frame (this one, or the one it replaces) is dropped."""
        frame = waiting.frame
        if frame.is_stale(now_ns):
            return "stale"
        epoch, captured_at_ns = self._newest.get(frame.camera_id, (frame.epoch, 0))
        if frame.captured_at_ns > captured_at_ns - _STRAGGLER_NS:
            is_recent = frame.captured_at_ns < captured_at_ns + _STRAGGLER_NS
            if frame.epoch < epoch and is_recent:
                return "old_epoch"
            if frame.captured_at_ns <= captured_at_ns:
                return "out_of_order"
        self._newest[frame.camera_id] = (frame.epoch, frame.captured_at_ns)
        replaced = frame.camera_id in self._waiting
        self._waiting[frame.camera_id] = waiting
        self._filled.set()
        return "superseded" if replaced else None

    async def take(self, timeout_seconds: float) -> WaitingFrame | None:
        """Return the frame of the camera whose last turn is longest ago, or None when none comes in time."""
        if not self._waiting:
            self._filled.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_seconds):
                    await self._filled.wait()
        if not self._waiting:
            return None
        camera_id = min(self._waiting, key=lambda waiting_id: self._turns.get(waiting_id, 0))
        self._turn += 1
        self._turns[camera_id] = self._turn
        return self._waiting.pop(camera_id)

    def forget(self, camera_id: str) -> None:
        """Drop what is known of a camera that is gone."""
        self._newest.pop(camera_id, None)
        self._turns.pop(camera_id, None)
        self._waiting.pop(camera_id, None)
