"""Events at least once: commit after the work, bury poison, rewind and retry what may yet succeed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalStateError

from mien.contracts.events import DeadLetter, decode_event, derive_event_id
from mien.contracts.topics import DEAD_LETTERS, Topic
from mien.errors import PermanentError, TransientError
from mien.runtime import metrics
from mien.runtime.bus import RETRY_SECONDS, commit, open_consumer, open_event_producer, publish
from mien.runtime.service import Service, wait_or_stop
from mien.runtime.settings import KafkaSettings

log = structlog.get_logger()

EventT = TypeVar("EventT")


@dataclass(frozen=True)
class Received(Generic[EventT]):
    """An event with the place it was read from."""

    event: EventT
    partition: int
    offset: int


async def handle_events(
    service: Service,
    settings: KafkaSettings,
    topic: Topic,
    event_type: Any,
    handle: Callable[[Sequence[Received[Any]]], Awaitable[None]],
    *,
    purpose: str | None = None,
    max_records: int = 64,
    offset_reset: str = "earliest",
) -> None:
    """Hand the events of a topic to *handle*, in order and in batches, until the service is told to stop.

    *handle* returns when all of its events are done; then they are committed. When it raises
    TransientError, the whole batch is read again a little later. When it raises PermanentError, its
    events are handed over one by one and the bad ones go to the dead letters.

    Args:
        event_type: What the topic carries; a union of tagged types is fine.
        purpose: Tells two groups of one service on one topic apart.
    """
    group = f"mien.{service.name}" if purpose is None else f"mien.{service.name}.{purpose}"
    group = f"{group}.{topic.name}"
    async with (
        open_event_producer(settings) as dead_letters,
        open_consumer(settings, topic, group, offset_reset=offset_reset) as consumer,
    ):
        letters = DeadLetterOffice(service.name, dead_letters)
        service.health.started()
        while not service.stop.is_set():
            batches = await consumer.getmany(timeout_ms=settings.fetch_max_wait_ms, max_records=max_records)
            for partition, records in batches.items():
                if not await _handle_records(
                    service, consumer, letters, topic, partition, records, event_type, handle
                ):
                    break


class DeadLetterOffice:
    """Writes down, without pixels, what could not be worked on."""

    def __init__(self, service_name: str, producer: AIOKafkaProducer) -> None:
        self._service_name = service_name
        self._producer = producer

    async def file(self, record: Any, error: Exception, *, camera_id: str = "") -> None:
        """Publish a dead letter about a Kafka record and count it."""
        metrics.DEAD_LETTERS.labels(record.topic).inc()
        log.warning(
            "bus.message_refused",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=str(error),
        )
        letter = DeadLetter(
            camera_id=camera_id,
            event_id=derive_event_id(self._service_name, record.topic, record.partition, record.offset),
            captured_at_ns=int(record.timestamp) * 1_000_000,
            service=self._service_name,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=str(error)[:500],
            value_bytes=len(record.value or b""),
        )
        await publish(self._producer, DEAD_LETTERS, letter, partition=0)


async def _handle_records(
    service: Service,
    consumer: AIOKafkaConsumer,
    letters: DeadLetterOffice,
    topic: Topic,
    partition: TopicPartition,
    records: Sequence[Any],
    event_type: Any,
    handle: Callable[[Sequence[Received[Any]]], Awaitable[None]],
) -> bool:
    """Work on one partition's records and commit; returns False when they were rewound."""
    try:
        received = []
        for record in records:
            try:
                received.append(
                    Received(decode_event(record.value, event_type), record.partition, record.offset)
                )
            except PermanentError as error:
                await letters.file(record, error)
        await _handle_or_bury(received, records, letters, handle)
    except TransientError as error:
        service.health.report(topic.name, str(error))
        metrics.EVENTS.labels(topic.name, "retried").inc(len(records))
        log.warning("bus.batch_rewound", topic=topic.name, partition=partition.partition, error=str(error))
        _rewind(consumer, partition, records[0].offset)
        await wait_or_stop(service.stop, RETRY_SECONDS)
        return False
    service.health.resolve(topic.name)
    metrics.EVENTS.labels(topic.name, "handled").inc(len(records))
    await commit(consumer, {partition: records[-1].offset + 1})
    return True


async def _handle_or_bury(
    received: Sequence[Received[Any]],
    records: Sequence[Any],
    letters: DeadLetterOffice,
    handle: Callable[[Sequence[Received[Any]]], Awaitable[None]],
) -> None:
    if not received:
        return
    try:
        await handle(received)
    except PermanentError as error:
        if len(received) == 1:
            record = next(record for record in records if record.offset == received[0].offset)
            await letters.file(record, error, camera_id=received[0].event.camera_id)
            return
        for one in received:
            await _handle_or_bury([one], records, letters, handle)


def _rewind(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
    try:
        consumer.seek(partition, offset)
    except IllegalStateError:
        # Given to another member meanwhile, who starts from the committed offset.
        log.info("bus.partition_lost", topic=partition.topic, partition=partition.partition)
