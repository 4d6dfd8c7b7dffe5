"""The broker that `mien up` starts is a real Kafka, and keeps what it acknowledged."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from mien.contracts.topics import MAX_MESSAGE_BYTES, TOPICS
from mien.local.kafka import KafkaUnavailableError, copy_jars, kafka_process, prepare_storage
from mien.local.ports import choose_ports
from mien.local.process import spawn
from mien.local.redis_server import redis_process
from mien.runtime.bus import create_topics, open_event_producer
from mien.runtime.settings import KafkaSettings
from tests.stack import cannot_run, run_native, wait_until


@asynccontextmanager
async def _running(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    spec = kafka_process(folder, port=port)
    process = await spawn(spec)
    try:
        assert await wait_until(spec.check_ready, timeout_seconds=60)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


def _prepare(folder: Path, **known: int) -> dict[str, int]:
    ports = choose_ports({"kafka": 24092, "controller": 25093}, known)
    try:
        copy_jars()
        prepare_storage(folder, port=ports["kafka"], controller_port=ports["controller"])
    except KafkaUnavailableError as error:
        cannot_run(f"no Kafka: {error}")
    return ports


async def test_all_topics_are_created_once_with_their_settings(kafka_bootstrap: str) -> None:
    """Creating the topics twice changes nothing, and each has its partitions and retention."""
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=6)
    await create_topics(settings)
    assert await create_topics(settings) == []
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    described = {topic["topic"]: topic for topic in await admin.describe_topics([t.name for t in TOPICS])}
    await admin.close()
    for topic in TOPICS:
        assert len(described[topic.name]["partitions"]) == (
            topic.partitions or len(described[TOPICS[0].name]["partitions"])
        )


async def test_the_largest_message_passes_and_no_unknown_topic_appears(kafka_bootstrap: str) -> None:
    """A message of nearly the stated size is accepted; a mistyped topic is not created."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics(
        [NewTopic("largest", 1, 1, topic_configs={"max.message.bytes": str(MAX_MESSAGE_BYTES)})]
    )
    async with open_event_producer(KafkaSettings(bootstrap_servers=kafka_bootstrap)) as producer:
        await producer.send_and_wait("largest", bytes(MAX_MESSAGE_BYTES - 1024), partition=0)
    assert "no-such-topic" not in await admin.list_topics()
    await admin.close()


async def test_what_was_acknowledged_survives_sigkill_and_clients_come_back(tmp_path: Path) -> None:
    """After SIGKILL and a restart, the same producer and consumer go on and nothing acknowledged is lost."""
    ports = _prepare(tmp_path)
    bootstrap = f"127.0.0.1:{ports['kafka']}"
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id="g",
        auto_offset_reset="earliest",
        session_timeout_ms=6000,
        heartbeat_interval_ms=1500,
        metadata_max_age_ms=2000,
        retry_backoff_ms=100,
    )
    consumer.subscribe(["numbers"])
    received: list[int] = []

    async def produce(first: int) -> None:
        async with open_event_producer(KafkaSettings(bootstrap_servers=bootstrap)) as producer:
            for number in range(first, first + 50):
                await producer.send_and_wait("numbers", str(number).encode(), partition=number % 4)

    async def consume(until: int) -> None:
        while len(set(received)) < until:
            for messages in (await consumer.getmany(timeout_ms=200)).values():
                received.extend(int(message.value) for message in messages)

    async with _running(tmp_path, ports["kafka"]) as process:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("numbers", 4, 1)])
        await admin.close()
        await produce(0)
        await consumer.start()
        await asyncio.wait_for(consume(50), 30)
        process.kill()
    async with _running(tmp_path, ports["kafka"]):
        await produce(50)
        await asyncio.wait_for(consume(100), 60)
        await consumer.stop()
    assert set(received) == set(range(100))


async def test_the_ports_may_change_between_two_starts(tmp_path: Path) -> None:
    """Data written under one port is read under another."""
    ports = _prepare(tmp_path)
    async with _running(tmp_path, ports["kafka"]):
        await create_topics(KafkaSettings(bootstrap_servers=f"127.0.0.1:{ports['kafka']}", partitions=2))
    other = _prepare(tmp_path, kafka=ports["kafka"] + 7, controller=ports["controller"] + 7)
    assert other["kafka"] != ports["kafka"]
    async with _running(tmp_path, other["kafka"]):
        assert (
            await create_topics(KafkaSettings(bootstrap_servers=f"127.0.0.1:{other['kafka']}", partitions=2))
            == []
        )


def test_redis_keeps_what_it_was_told_after_sigkill(tmp_path: Path) -> None:
    """Redis writes an append-only file: a value set before SIGKILL is there after the next start."""
    redis = pytest.importorskip("redis")
    port = choose_ports({"redis": 26379}, {})["redis"]
    spec = redis_process(tmp_path, port=port)
    with run_native(spec, log_path=tmp_path / "redis.log") as process:
        redis.Redis(port=port).set("kept", "yes")
        process.kill()
        process.wait()
    with run_native(spec, log_path=tmp_path / "redis.log"):
        assert redis.Redis(port=port).get("kept") == b"yes"


async def test_the_topic_file_creates_the_same_topics_and_can_be_run_again(kafka_bootstrap: str) -> None:
    """The job of the compose file leaves nothing for the services to create."""
    script = Path(__file__).resolve().parents[3] / "deploy" / "kafka" / "create_topics.py"
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(sys.executable, str(script), kafka_bootstrap, "6")
        assert await process.wait() == 0
    assert await create_topics(KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=6)) == []
