"""Events at least once: commit after the work, bury poison, rewind and retry what may yet succeed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
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

    A batch holds what all partitions had ready, so that work on many cameras shares one call. *handle*
    returns when all of its events are done; then they are committed. When it raises TransientError, the
    whole batch is read again a little later. When it raises PermanentError, its events are handed over one
    by one and the bad ones go to the dead letters.

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
            if batches:
                await _handle_batches(service, consumer, letters, topic, batches, event_type, handle)


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


async def _handle_batches(
    service: Service,
    consumer: AIOKafkaConsumer,
    letters: DeadLetterOffice,
    topic: Topic,
    batches: Mapping[TopicPartition, Sequence[Any]],
    event_type: Any,
    handle: Callable[[Sequence[Received[Any]]], Awaitable[None]],
) -> None:
    """Work on what was fetched, all partitions at once, and commit it or rewind all of it."""
    records = [record for batch in batches.values() for record in batch]
    try:
        decoded = await _decode_or_bury(records, event_type, letters)
        await _handle_or_bury(decoded, letters, handle)
    except TransientError as error:
        service.health.report(topic.name, str(error))
        metrics.EVENTS.labels(topic.name, "retried").inc(len(records))
        log.warning("bus.batch_rewound", topic=topic.name, events=len(records), error=str(error))
        for partition, batch in batches.items():
            _rewind(consumer, partition, batch[0].offset)
        await wait_or_stop(service.stop, RETRY_SECONDS)
        return
    service.health.resolve(topic.name)
    metrics.EVENTS.labels(topic.name, "handled").inc(len(records))
    await commit(consumer, {partition: batch[-1].offset + 1 for partition, batch in batches.items()})


async def _decode_or_bury(
    records: Sequence[Any], event_type: Any, letters: DeadLetterOffice
) -> list[tuple[Any, Received[Any]]]:
    decoded = []
    for record in records:
        try:
            event = decode_event(record.value, event_type)
        except PermanentError as error:
            await letters.file(record, error)
        else:
            decoded.append((record, Received(event, record.partition, record.offset)))
    return decoded


async def _handle_or_bury(
    decoded: Sequence[tuple[Any, Received[Any]]],
    letters: DeadLetterOffice,
    handle: Callable[[Sequence[Received[Any]]], Awaitable[None]],
) -> None:
    if not decoded:
        return
    try:
        await handle([received for _, received in decoded])
    except PermanentError as error:
        if len(decoded) == 1:
            record, received = decoded[0]
            await letters.file(record, error, camera_id=received.event.camera_id)
            return
        for one in decoded:
            await _handle_or_bury([one], letters, handle)


def _rewind(consumer: AIOKafkaConsumer, partition: TopicPartition, offset: int) -> None:
    try:
        consumer.seek(partition, offset)
    except IllegalStateError:
        # Given to another member meanwhile, who starts from the committed offset.
        log.info("bus.partition_lost", topic=partition.topic, partition=partition.partition)
