"""Tells everyone when a camera's state becomes another one, and keeps that until the broker has it."""

from collections import deque
from collections.abc import Set
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer

from mien.contracts.events import CameraStateChanged, derive_event_id
from mien.contracts.topics import CAMERA_STATES
from mien.errors import TransientError
from mien.runtime import metrics
from mien.runtime.bus import open_event_producer, publish
from mien.runtime.service import Service, wait_or_stop
from mien.runtime.settings import KafkaSettings
from services.ingest.condition import Condition

log = structlog.get_logger()

_MOST_WAITING: Final = 10_000
_LOOK_SECONDS: Final = 0.2
_RETRY_SECONDS: Final = 1.0


class StateJournal:
    """Remembers what each camera's state was last, and publishes what it has become.

    Bounded: while the broker is away for very long, the oldest changes are lost, and counted.
    """

    def __init__(self, replica: str) -> None:
        self._replica = replica
        self._last: dict[str, Condition] = {}
        self._waiting: deque[tuple[CameraStateChanged, int]] = deque()

    @property
    def waiting(self) -> int:
        """How many changes the broker does not have yet."""
        return len(self._waiting)

    def note(self, camera_id: str, partition: int, condition: Condition, *, at_ns: int) -> None:
        """Take in a camera's state; the same again, whatever its details, is no change."""
        lasting = Condition(condition.state, condition.reason)
        if self._last.get(camera_id) == lasting:
            return
        self._last[camera_id] = lasting
        event = CameraStateChanged(
            camera_id=camera_id,
            event_id=derive_event_id("camera-state", camera_id, at_ns, lasting.state, lasting.reason),
            captured_at_ns=at_ns,
            state=lasting.state,
            reason=lasting.reason,
            replica=self._replica,
        )
        if len(self._waiting) >= _MOST_WAITING:
            self._waiting.popleft()
            metrics.DROPPED.labels("ingest", "state_unsent").inc()
        self._waiting.append((event, partition))

    def keep_only(self, camera_ids: Set[str]) -> None:
        """Forget all cameras but these: the others are somebody else's now, or nobody's."""
        for camera_id in self._last.keys() - camera_ids:
            del self._last[camera_id]

    async def run(self, service: Service, kafka: KafkaSettings) -> None:
        """Publish changes in their order until the service stops, and then those that are left."""
        async with open_event_producer(kafka) as producer:
            while not service.stop.is_set():
                try:
                    await self._publish_waiting(producer)
                    service.health.resolve("camera states")
                except TransientError as error:
                    service.health.report("camera states", str(error))
                    await wait_or_stop(service.stop, _RETRY_SECONDS)
                await wait_or_stop(service.stop, _LOOK_SECONDS)
            try:
                await self._publish_waiting(producer)
            except TransientError as error:
                log.warning("camera_states.unsent", count=self.waiting, error=str(error))

    async def _publish_waiting(self, producer: AIOKafkaProducer) -> None:
        while self._waiting:
            event, partition = self._waiting[0]
            await publish(producer, CAMERA_STATES, event, partition=partition)
            self._waiting.popleft()
