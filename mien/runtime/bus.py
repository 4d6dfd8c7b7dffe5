"""Kafka as Mien uses it: two kinds of producer and one kind of consumer."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, TopicAlreadyExistsError

from mien.contracts.events import Event, encode_event
from mien.contracts.topics import MAX_MESSAGE_BYTES, TOPICS, Topic
from mien.errors import TransientError
from mien.runtime import metrics
from mien.runtime.settings import KafkaSettings

log = structlog.get_logger()

RETRY_SECONDS = 1.0
# A consumer that retries or catches up keeps polling; this only bounds a handler that hangs.
_MAX_POLL_INTERVAL_MS = 300_000


async def create_topics(settings: KafkaSettings) -> list[str]:
    """Create the topics that don't exist yet; returns their names.

    Raises:
        TransientError: The broker does not answer.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.bootstrap_servers, request_timeout_ms=20_000)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        missing = [topic for topic in TOPICS if topic.name not in existing]
        if missing:
            await admin.create_topics(
                [
                    NewTopic(
                        topic.name, topic.partitions or settings.partitions, 1, topic_configs=topic.configs
                    )
                    for topic in missing
                ]
            )
    except TopicAlreadyExistsError:
        return []
    except (KafkaError, OSError) as error:
        raise TransientError(f"creating topics at {settings.bootstrap_servers}: {error}") from error
    else:
        return [topic.name for topic in missing]
    finally:
        await admin.close()


@asynccontextmanager
async def open_event_producer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Open a producer for what must not be lost: idempotent, acknowledged by all replicas."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_MESSAGE_BYTES,
        max_batch_size=512 * 1024,
        request_timeout_ms=20_000,
    )
    async with _started(producer):
        yield producer


@asynccontextmanager
async def open_frame_producer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Open a producer for live frames: what can't be sent soon expires.

    Not idempotent on purpose: an idempotent producer never expires a batch and would replay minutes of
    dead frames after an outage.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers,
        acks=1,
        enable_idempotence=False,
        max_request_size=MAX_MESSAGE_BYTES,
        max_batch_size=1024 * 1024,
        request_timeout_ms=3000,
        metadata_max_age_ms=30_000,
    )
    async with _started(producer):
        yield producer


@asynccontextmanager
async def _started(client: Any) -> AsyncIterator[None]:
    try:
        # A broker that is still starting, or gone for a while, is no reason to end a process.
        while True:
            try:
                await client.start()
                break
            except (KafkaError, OSError) as error:
                log.warning("bus.connect_failed", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
        yield
    finally:
        await client.stop()


def new_consumer(
    settings: KafkaSettings, group: str, *, offset_reset: str, max_partition_fetch_bytes: int
) -> AIOKafkaConsumer:
    """Return a consumer of *group* that commits by hand; subscribe and start it yourself."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset=offset_reset,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.heartbeat_interval_ms,
        rebalance_timeout_ms=settings.session_timeout_ms,
        max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        max_partition_fetch_bytes=max_partition_fetch_bytes,
        metadata_max_age_ms=30_000,
        retry_backoff_ms=200,
    )


@asynccontextmanager
async def open_consumer(
    settings: KafkaSettings,
    topic: Topic,
    group: str,
    *,
    listener: ConsumerRebalanceListener | None = None,
    offset_reset: str = "earliest",
    max_partition_fetch_bytes: int = MAX_MESSAGE_BYTES,
) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a started consumer of one topic; leaving the context leaves the group at once."""
    consumer = new_consumer(
        settings, group, offset_reset=offset_reset, max_partition_fetch_bytes=max_partition_fetch_bytes
    )
    consumer.subscribe([topic.name], listener=listener or CountAssignments(group))
    async with _started(consumer):
        yield consumer


class CountAssignments(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Counts rebalances and shows how many partitions this process owns."""

    def __init__(self, group: str) -> None:
        self._group = group

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Partitions are about to be given away; commits of work in hand may fail from here on."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The group has settled on who owns what."""
        metrics.REBALANCES.labels(self._group).inc()
        metrics.ASSIGNED_PARTITIONS.labels(self._group).set(len(list(assigned)))


async def publish(producer: AIOKafkaProducer, topic: Topic, event: Event, *, partition: int) -> None:
    """Send one event and wait until the broker has it.

    Raises:
        TransientError: The broker did not acknowledge it.
    """
    try:
        await producer.send_and_wait(
            topic.name, encode_event(event), key=event.camera_id.encode() or None, partition=partition
        )
    except (KafkaError, OSError) as error:
        raise TransientError(f"publishing to {topic.name}: {error}") from error


async def commit(consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
    """Commit offsets; where the partitions have a new owner, it repeats the work and merges to the same."""
    try:
        await consumer.commit(offsets)
    except (CommitFailedError, IllegalStateError) as error:
        log.info("bus.commit_superseded", error=str(error))
    except KafkaError as error:
        log.warning("bus.commit_failed", error=str(error))
