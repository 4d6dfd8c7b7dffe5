"""One child process: can't outlive its parent, is read line by line, is stopped within a deadline."""

import asyncio
import ctypes
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG: Final = 1  # from <sys/prctl.h>
_MAX_LINE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """What to run, and how to tell that it works.

    Attributes:
        name: Unique in the stack; replicas are numbered (``recognizer-2``).
        environment: Added to our own environment.
        port: Where it is spoken to, for people to read.
        health_port: Where it answers ``/ready``, if it does.
        check_ready: Whether it does its work now; must not raise for a process that is still starting.
        start_timeout_seconds: Longest time from the start to being ready.
        stop_timeout_seconds: Longest time from SIGTERM to the end; SIGKILL follows.
    """

    name: str
    command: tuple[str, ...]
    check_ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    port: int | None = None
    health_port: int | None = None
    start_timeout_seconds: float = 60.0
    stop_timeout_seconds: float = 12.0

    @property
    def ports(self) -> tuple[int, ...]:
        """All ports that the process must hold to be ready."""
        return tuple(port for port in (self.port, self.health_port) if port is not None)


async def spawn(spec: ProcessSpec) -> asyncio.subprocess.Process:
    """Start a process in its own session, its output on one pipe; it dies with us, however we die.

    Raises:
        OSError: The program can't be started.
    """
    return await asyncio.create_subprocess_exec(
        *spec.command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **spec.environment},
        cwd=spec.folder,
        limit=_MAX_LINE_BYTES,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )


def die_with_parent(parent_pid: int) -> None:
    """Let the kernel kill this process when its parent ends; for the moment between fork and exec.

    It gets SIGKILL rather than a polite signal, as nobody would be left to enforce a deadline. Kafka and
    Redis hand each write to the kernel before they acknowledge it, so this loses nothing.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # the parent ended before the line above
        os.kill(os.getpid(), signal.SIGKILL)


async def forward_lines(process: asyncio.subprocess.Process, write: Callable[[str], None]) -> None:
    """Hand each line of a process's output to *write* until the output ends."""
    reader = process.stdout
    if reader is None:
        raise ValueError("expected a process whose output is a pipe")
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # longer than the limit; the reader has thrown it away
            write("(a line of more than 1 MiB was left out)")
            continue
        if not line:
            return
        write(line.decode(errors="replace").rstrip())


async def stop_process(process: asyncio.subprocess.Process, *, timeout_seconds: float) -> bool:
    """End a process and all it started; returns whether it did so in time by itself."""
    _signal_group(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), timeout_seconds)
    except TimeoutError:
        _signal_group(process, signal.SIGKILL)
        await process.wait()
        return False
    _signal_group(process, signal.SIGKILL)  # what it may have left behind
    return True


def describe_exit(returncode: int) -> str:
    """Say in words how a process ended."""
    if returncode >= 0:
        return f"exit code {returncode}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-returncode).name}"
    return f"killed by signal {-returncode}"


def _signal_group(process: asyncio.subprocess.Process, signum: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signum)
