"""Real neighbours for tests: an address in the environment, else Docker, else a native process, else a skip.

A skipped tier fails where ``CI=true``: nobody reads the skips of a machine.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import docker  # type: ignore[import-untyped]
import pytest
from docker.errors import DockerException  # type: ignore[import-untyped]
from testcontainers.core.container import DockerContainer

from mien.contracts.topics import MAX_MESSAGE_BYTES
from mien.local.kafka import KafkaUnavailableError, copy_jars, kafka_process, prepare_storage
from mien.local.ports import choose_ports
from mien.local.process import ProcessSpec, die_with_parent
from mien.local.readiness import is_kafka_ready, is_redis_ready
from mien.local.redis_server import RedisUnavailableError, redis_process

KAFKA_IMAGE = "apache/kafka:4.4.0"
REDIS_IMAGE = "redis:7-alpine"

_T = TypeVar("_T")


def run_async(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine from synchronous code on a loop of its own, whatever loop the test has."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(asyncio.run, work).result()


async def wait_until(
    check: Callable[[], Awaitable[bool]], *, timeout_seconds: float, interval_seconds: float = 0.1
) -> bool:
    """Ask again and again until the answer is yes or the time is over; returns the last answer."""
    deadline = time.monotonic() + timeout_seconds
    while not await check():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(interval_seconds)
    return True


@contextmanager
def provide_kafka(folder: Path) -> Iterator[str]:
    """Yield the bootstrap address of a broker that ends with the context."""
    if address := os.environ.get("MIEN_TEST_KAFKA_BOOTSTRAP"):
        yield address
        return
    ports = choose_ports({"kafka": 21092, "controller": 22093}, {})
    if docker_answers():
        with _kafka_container(ports["kafka"]) as address:
            yield address
        return
    try:
        copy_jars()
        prepare_storage(folder, port=ports["kafka"], controller_port=ports["controller"])
    except KafkaUnavailableError as error:
        cannot_run(f"no Kafka: {error}")
    with run_native(kafka_process(folder, port=ports["kafka"]), log_path=folder / "kafka.log"):
        yield f"127.0.0.1:{ports['kafka']}"


@contextmanager
def provide_redis(folder: Path) -> Iterator[str]:
    """Yield the address of a Redis that ends with the context."""
    if address := os.environ.get("MIEN_TEST_REDIS_URL"):
        yield address
        return
    if docker_answers():
        with DockerContainer(REDIS_IMAGE).with_exposed_ports(6379) as container:
            url = f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"
            assert run_async(wait_until(partial(is_redis_ready, url), timeout_seconds=30))
            yield url
        return
    port = choose_ports({"redis": 23379}, {})["redis"]
    try:
        spec = redis_process(folder, port=port)
    except RedisUnavailableError as error:
        cannot_run(f"no Redis: {error}")
    with run_native(spec, log_path=folder / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def run_native(spec: ProcessSpec, *, log_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of the embedded stack until the context ends; yields it once it is ready."""
    with log_path.open("ab") as output:
        process = subprocess.Popen(
            spec.command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **spec.environment},
            cwd=spec.folder,
            preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - one system call, no locks
        )
    try:
        if not run_async(wait_until(spec.check_ready, timeout_seconds=spec.start_timeout_seconds)):
            raise TimeoutError(f"{spec.name} was not ready in time:\n{log_path.read_text()[-2000:]}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def docker_answers() -> bool:
    """Whether a Docker engine can be used; a client without an engine is common."""
    try:
        docker.from_env(timeout=2).ping()
    except DockerException:
        return False
    return True


def cannot_run(reason: str) -> NoReturn:
    """Skip where a person reads it, fail where only a machine does."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (a skip is a failure where CI=true)")
    pytest.skip(reason)


@contextmanager
def _kafka_container(port: int) -> Iterator[str]:
    # The advertised address must be known before the start, so the port is the same inside and outside.
    settings = {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://127.0.0.1:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "300",
        "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "3000",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_MESSAGE_MAX_BYTES": str(MAX_MESSAGE_BYTES),
    }
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(port, port)
    for name, value in settings.items():
        container = container.with_env(name, value)
    with container:
        assert run_async(wait_until(partial(is_kafka_ready, port), timeout_seconds=90))
        yield f"127.0.0.1:{port}"
