"""Starts processes in order, restarts what dies, stops everything in reverse order."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from mien.local.process import ProcessSpec, describe_exit, forward_lines, spawn, stop_process
from mien.local.readiness import listens_on

State = Literal["starting", "ready", "not ready", "restarting", "stopping", "stopped"]
WriteLine = Callable[[str, str], None]

_BACKOFF_SECONDS: Final = 0.5
_MAX_BACKOFF_SECONDS: Final = 30.0
_STABLE_SECONDS: Final = 30.0
# The exit code that services use for wrong settings: starting again can't help.
_SETTINGS_EXIT_CODE: Final = 2


class StartError(Exception):
    """A process of the stack did not become ready; the message says which and why."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the next start of a process that keeps dying."""

    first_seconds: float = _BACKOFF_SECONDS
    longest_seconds: float = _MAX_BACKOFF_SECONDS

    def delay(self, failures_in_a_row: int) -> float:
        """Return a random time between half and all of an exponentially growing one."""
        ceiling = min(self.first_seconds * 2.0 ** min(failures_in_a_row, 30), self.longest_seconds)
        return random.uniform(ceiling / 2, ceiling)  # noqa: S311 - jitter, not a secret


class SupervisedProcess:
    """One process that is kept running until it is told to stop."""

    def __init__(
        self,
        spec: ProcessSpec,
        *,
        write: WriteLine,
        backoff: Backoff,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.spec = spec
        self.state: State = "stopped"
        self.pid: int | None = None
        self.restarts = 0
        self._write = write
        self._backoff = backoff
        self._on_change = on_change
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()
        self._last_exit: int | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep the process running."""
        self._task = asyncio.create_task(self._keep_running(), name=self.spec.name)

    async def wait_until_ready(self) -> None:
        """Wait until the process does its work for the first time.

        Raises:
            StartError: It took too long, or ended in a way that a restart can't mend.
        """
        if self._task is None:
            raise StartError(f"{self.spec.name} was never started")
        ready = asyncio.create_task(self._ready.wait())
        done, _ = await asyncio.wait(
            {ready, self._task},
            timeout=self.spec.start_timeout_seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
        ready.cancel()
        if self._task in done:
            self._task.result()
            raise StartError(f"{self.spec.name} ended while it was starting")
        if not self._ready.is_set():
            ended = f"; its last {describe_exit(self._last_exit)}" if self._last_exit is not None else ""
            raise StartError(
                f"{self.spec.name} was not ready within {self.spec.start_timeout_seconds:.0f} s{ended}"
            )

    async def stop(self) -> None:
        """End the process, politely first."""
        self._stopping.set()
        if self._task is not None:
            with suppress(StartError):
                await self._task

    async def _keep_running(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._change("starting" if not self.restarts else "restarting", None)
            began = time.monotonic()
            ended = await self._run_once()
            if self._stopping.is_set():
                break
            if self._last_exit == _SETTINGS_EXIT_CODE and not self._ready.is_set():
                raise StartError(f"{self.spec.name} refused its settings (see its lines above)")
            failures = 0 if time.monotonic() - began > _STABLE_SECONDS else failures
            delay = self._backoff.delay(failures)
            failures += 1
            self.restarts += 1
            self._change("restarting", None)
            self._write("mien", f"{self.spec.name} ended ({ended}); starting it again in {delay:.1f} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
        self._change("stopped", None)

    async def _run_once(self) -> str:
        try:
            process = await spawn(self.spec)
        except OSError as error:
            return f"could not be started: {error}"
        self._change(self.state, process.pid)
        reading = asyncio.create_task(forward_lines(process, lambda line: self._write(self.spec.name, line)))
        watching = asyncio.create_task(self._watch_readiness(process.pid))
        stopping = asyncio.create_task(self._stopping.wait())
        ending = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            stopping.cancel()
            if not ending.done():
                self._change("stopping", process.pid)
            in_time = await stop_process(process, timeout_seconds=self.spec.stop_timeout_seconds)
            if not in_time:
                self._write("mien", f"{self.spec.name} did not stop in time and was killed")
            await reading
        self._last_exit = await ending
        return describe_exit(self._last_exit)

    async def _watch_readiness(self, pid: int) -> None:
        while True:
            is_ready = await self.spec.check_ready() and listens_on(pid, self.spec.ports)
            if is_ready:
                self._ready.set()
                self._change("ready", self.pid)
            elif self.state == "ready":
                self._change("not ready", self.pid)
            await asyncio.sleep(5.0 if is_ready else 0.2)

    def _change(self, state: State, pid: int | None) -> None:
        if (state, pid) != (self.state, self.pid):
            self.state, self.pid = state, pid
            self._on_change()


class Supervisor:
    """All processes of a stack, in the stages in which they were started."""

    def __init__(
        self,
        write: WriteLine,
        *,
        backoff: Backoff | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._stages: list[list[SupervisedProcess]] = []
        self._write = write
        self._backoff = backoff or Backoff()
        self._on_change = on_change

    @property
    def processes(self) -> list[SupervisedProcess]:
        """Every process, in order of start."""
        return [process for stage in self._stages for process in stage]

    async def start(self, specs: Iterable[ProcessSpec]) -> None:
        """Start the processes of a stage together and wait until all are ready.

        Raises:
            StartError: One did not become ready; the others go on until :meth:`stop`.
        """
        stage = [
            SupervisedProcess(spec, write=self._write, backoff=self._backoff, on_change=self._on_change)
            for spec in specs
        ]
        self._stages.append(stage)
        for process in stage:
            process.start()
        waiting = [asyncio.create_task(process.wait_until_ready()) for process in stage]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in waiting:
                task.cancel()

    async def stop(self) -> None:
        """Stop everything: the last stage first, the processes of a stage together."""
        for stage in reversed(self._stages):
            await asyncio.gather(*(process.stop() for process in stage))
