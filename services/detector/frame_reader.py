"""Reading frames: the newest of each camera waits for the worker, everything else is dropped and counted."""

import time
from collections.abc import Iterable
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from mien.contracts.frames import Frame
from mien.errors import PermanentError, TransientError
from mien.runtime import metrics
from mien.runtime.bus import CountAssignments, commit
from mien.runtime.event_loop import DeadLetterOffice
from mien.runtime.service import Service
from services.detector.mailbox import Mailbox, WaitingFrame

log = structlog.get_logger()

GROUP = "mien.detector.frames"
_COMMIT_SECONDS = 1.0
_LETTER_SECONDS = 1.0
"""A camera whose every frame is broken fills no more of the dead letters than one a second."""


class FrameOwnership(CountAssignments):
    """Which partitions' cameras are ours.

    Nothing happens on revocation: a rebalance revokes everything, and most of it comes straight back. The
    worker ends the tracks of cameras that did not.
    """

    def __init__(self, service: Service) -> None:
        super().__init__(GROUP)
        self._service = service
        self.partitions: frozenset[int] = frozenset()
        self.generation = 0
        service.health.report("frames", "waiting to be given cameras by the consumer group")

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note what is ours from now on."""
        owned = list(assigned)
        self.partitions = frozenset(partition.partition for partition in owned)
        self.generation += 1
        self._service.health.resolve("frames")
        await super().on_partitions_assigned(owned)


class FrameReader:
    """Keeps the newest frame of each camera in the mailbox, and commits what is done with."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        *,
        ownership: FrameOwnership,
        letters: DeadLetterOffice,
        service: Service,
    ) -> None:
        self._consumer = consumer
        self._ownership = ownership
        self._mailbox = Mailbox()
        self._letters = letters
        self._service = service
        self._generation = 0
        self._next: dict[TopicPartition, int] = {}
        self._done: dict[TopicPartition, int] = {}
        self._last_letter: dict[int, float] = {}

    @property
    def partitions(self) -> frozenset[int]:
        """Whose cameras are ours."""
        return self._ownership.partitions

    async def take(self, timeout_seconds: float) -> WaitingFrame | None:
        """Return the frame of the camera whose last turn is longest ago, or None when none comes in time."""
        return await self._mailbox.take(timeout_seconds)

    def forget(self, camera_id: str) -> None:
        """Drop what is known of a camera that is gone."""
        self._mailbox.forget(camera_id)

    async def read(self) -> None:
        """Read frames until the service stops."""
        committed_at = time.monotonic()
        while not self._service.stop.is_set():
            batches = await self._consumer.getmany(timeout_ms=200)
            for partition, records in batches.items():
                for record in records:
                    self._count_gap(partition, record.offset)
                    await self._sort_in(record)
            if time.monotonic() - committed_at >= _COMMIT_SECONDS:
                committed_at = time.monotonic()
                await self.commit_done()

    def finished(self, waiting: WaitingFrame) -> None:
        """Note that a frame is done with.

        Where two cameras share a partition, the other's earlier frame may still wait: should the process
        die now, that one frame is lost, as live frames may be.
        """
        partition = TopicPartition(waiting.record.topic, waiting.partition)
        self._done[partition] = max(self._done.get(partition, 0), waiting.record.offset + 1)

    async def commit_done(self) -> None:
        """Commit what is done with on the partitions that are ours."""
        owned = self._consumer.assignment()
        done = {partition: offset for partition, offset in self._done.items() if partition in owned}
        self._done = {}
        if done:
            await commit(self._consumer, done)

    async def refuse(self, waiting: WaitingFrame, error: PermanentError) -> None:
        """Write a dead letter about a frame that can't be worked on."""
        await self._file(waiting.record, error, camera_id=waiting.frame.camera_id)

    async def _sort_in(self, record: Any) -> None:
        try:
            frame = Frame.from_record(record.headers, record.value)
        except PermanentError as error:
            await self._file(record, error)
            return
        waiting = WaitingFrame(frame, record)
        if (reason := self._mailbox.put(waiting, now_ns=time.time_ns())) is not None:
            metrics.DROPPED.labels("detector", reason).inc()
            self.finished(waiting)

    async def _file(self, record: Any, error: PermanentError, *, camera_id: str = "") -> None:
        metrics.DROPPED.labels("detector", "malformed").inc()
        partition = record.partition
        if time.monotonic() - self._last_letter.get(partition, -_LETTER_SECONDS) < _LETTER_SECONDS:
            return
        self._last_letter[partition] = time.monotonic()
        try:
            await self._letters.file(record, error, camera_id=camera_id)
        except TransientError as failure:
            log.warning("detector.letter_lost", error=str(failure))

    def _count_gap(self, partition: TopicPartition, offset: int) -> None:
        if self._generation != self._ownership.generation:
            # What somebody else worked on meanwhile is no gap.
            self._generation = self._ownership.generation
            self._next.clear()
        expected = self._next.get(partition, offset)
        if offset > expected:
            metrics.DROPPED.labels("detector", "offset_gap").inc(offset - expected)
        self._next[partition] = offset + 1
