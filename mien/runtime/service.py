"""The life of a service: start, say so, work until told to stop, finish what is in hand, leave."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.shared_state import PRESENCE_TTL_SECONDS, Presence, presence_key
from mien.runtime.health import Health, serve_health
from mien.runtime.log import configure_logging
from mien.runtime.settings import ServiceSettings

log = structlog.get_logger()

_CANCEL_SECONDS = 3.0


@dataclass(frozen=True)
class Service:
    """A running process, as its own work sees it.

    Attributes:
        name: ``detector``, ``gateway``, …
        instance: Tells replicas apart in logs, presence and camera ownership.
        stop: Set when the process is told to end; work in hand is finished, nothing new is begun.
        health: Where the work reports what is wrong.
    """

    name: str
    instance: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    health: Health = field(default_factory=Health)
    started_at_ns: int = field(default_factory=time.time_ns)


def run_service(name: str, settings: ServiceSettings, work: Callable[[Service], Awaitable[None]]) -> None:
    """Run *work* as a process: logging, health port, signals, draining, exit code.

    SIGTERM and SIGINT set ``service.stop``; *work* has ``drain_timeout_seconds`` to return. Exits with
    0 when it did, 1 when it had to be cancelled or had not begun; an error in *work* ends the process with
    its traceback.
    """
    sys.exit(asyncio.run(_run(name, settings, work)))


async def _run(name: str, settings: ServiceSettings, work: Callable[[Service], Awaitable[None]]) -> int:
    service = Service(name)
    configure_logging(settings.log, service=name, instance=service.instance)
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, service.stop.set)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(
            serve_health(service.health, host=settings.health_host, port=settings.health_port)
        )
        log.info("service.started", service_name=name, health_port=port)
        working = asyncio.ensure_future(work(service))
        stopping = asyncio.ensure_future(service.stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not working.done():
            # A process that never began has nothing in hand to finish.
            patience_seconds = 0 if service.health.is_starting else settings.drain_timeout_seconds
            service.health.report("stopping", "told to stop")
            await asyncio.wait({working}, timeout=patience_seconds)
        if not working.done():
            if not service.health.is_starting:
                log.error("service.drain_timed_out", service_name=name, seconds=patience_seconds)
            working.cancel()
            await asyncio.wait({working}, timeout=_CANCEL_SECONDS)
            if not working.done():
                os._exit(1)  # whatever refuses to be cancelled would keep the process for ever
            return 1
        working.result()
        log.info("service.stopped", service_name=name)
        return 0


async def announce_presence(service: Service, redis: Redis) -> None:
    """Tell everyone every two seconds that this process lives and what troubles it, until it stops."""
    key = presence_key(service.name, service.instance)
    while not service.stop.is_set():
        health = service.health
        presence = Presence(
            service=service.name,
            instance=service.instance,
            started_at_ns=service.started_at_ns,
            state=health.state,
            problems=health.problems,
        )
        try:
            await redis.set(key, msgspec.json.encode(presence), ex=PRESENCE_TTL_SECONDS)
            health.resolve("redis")
        except (RedisError, OSError) as error:
            health.report("redis", f"Redis does not answer: {type(error).__name__}")
        await wait_or_stop(service.stop, PRESENCE_TTL_SECONDS / 3)
    with suppress(RedisError, OSError):
        await redis.delete(key)


async def wait_or_stop(stop: asyncio.Event, seconds: float) -> bool:
    """Wait, but no longer than until *stop* is set; returns whether it is set."""
    # Not asyncio.wait_for: before Python 3.12 it can swallow a cancellation (python/cpython issue 86296).
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()


async def run_until_stopped(service: Service, *tasks: Awaitable[None]) -> None:
    """Run endless tasks side by side until all return; the first error stops the others and is raised.

    Each task is expected to return soon after ``service.stop`` is set.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(_as_coroutine(task))
    except BaseExceptionGroup as errors:
        service.stop.set()
        for error in errors.exceptions:
            log.error("service.failed", service_name=service.name, error=f"{type(error).__name__}: {error}")
        raise


async def _as_coroutine(task: Awaitable[None]) -> None:
    await task
