"""Tiny programs and readiness checks that stand for brokers and services."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from mien.local.process import ProcessSpec

SLEEP = "import time; time.sleep(60)"
IGNORE_SIGTERM = (
    "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('deaf', flush=True)\n"
    "time.sleep(60)"
)


async def always() -> bool:
    return True


async def never() -> bool:
    return False


def file_exists(path: Path) -> Callable[[], Awaitable[bool]]:
    """A readiness check: the program has made a file."""

    async def check() -> bool:
        return path.exists()

    return check


def python_process(
    name: str,
    code: str,
    *arguments: object,
    check_ready: Callable[[], Awaitable[bool]] = always,
    port: int | None = None,
    start_timeout_seconds: float = 10.0,
    stop_timeout_seconds: float = 5.0,
) -> ProcessSpec:
    """A process that runs a line of Python."""
    return ProcessSpec(
        name=name,
        command=(sys.executable, "-S", "-c", code, *map(str, arguments)),
        check_ready=check_ready,
        port=port,
        start_timeout_seconds=start_timeout_seconds,
        stop_timeout_seconds=stop_timeout_seconds,
    )
