"""The supervisor keeps processes running, in order, and leaves none behind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from mien.local.supervisor import Backoff, StartError, Supervisor
from tests.unit.local.fakes import IGNORE_SIGTERM, SLEEP, file_exists, never, python_process

QUICK = Backoff(first_seconds=0.01, longest_seconds=0.02)
APPEND_NAME = (
    "import sys, time\n"
    "with open(sys.argv[1], 'a') as file: file.write(sys.argv[2] + '\\n')\n"
    "open(sys.argv[1] + '-' + sys.argv[2], 'w').close()\n"
    "time.sleep(60)"
)
SAY_WHEN_STOPPED = (
    "import signal, sys, time\n"
    "def end(*_):\n open(sys.argv[1], 'a').write(sys.argv[2] + '\\n'); sys.exit()\n"
    "signal.signal(signal.SIGTERM, end)\n"
    "open(sys.argv[1] + sys.argv[2], 'w').close()\n"
    "time.sleep(60)"
)


@pytest.fixture
def lines() -> list[tuple[str, str]]:
    return []


@pytest.fixture
async def supervisor(lines: list[tuple[str, str]]) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(lambda name, line: lines.append((name, line)), backoff=QUICK)
    yield supervisor
    await supervisor.stop()


async def until(condition: Callable[[], bool], *, timeout_seconds: float = 10.0) -> None:
    """Poll to a deadline: processes of the operating system are outside the loop's knowledge."""
    async with asyncio.timeout(timeout_seconds):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_process_that_is_killed_is_started_again_and_the_reason_is_said(
    supervisor: Supervisor, lines: list[tuple[str, str]]
) -> None:
    """After SIGKILL there is a new process of the same name, counted, and the log names the signal."""
    await supervisor.start([python_process("worker", SLEEP)])
    worker = supervisor.processes[0]
    first = worker.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: worker.pid not in {None, first} and worker.state == "ready")
    assert worker.restarts == 1
    assert any("worker ended (killed by SIGKILL)" in line for name, line in lines if name == "mien")


async def test_a_process_that_ends_by_itself_is_started_again_with_its_exit_code_said(
    supervisor: Supervisor, lines: list[tuple[str, str]]
) -> None:
    """Even an exit with 0 is not what a service should do."""
    await supervisor.start([python_process("worker", "raise SystemExit(7)")])
    await until(lambda: supervisor.processes[0].restarts >= 2)
    assert any("exit code 7" in line for _, line in lines)


async def test_a_stage_starts_only_after_the_stage_before_is_ready(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """`start` returns when its processes are ready, so what is started next finds them at work."""
    order = tmp_path / "order"
    for name in ("kafka", "topics", "service"):
        ready = file_exists(Path(f"{order}-{name}"))
        await supervisor.start([python_process(name, APPEND_NAME, order, name, check_ready=ready)])
    assert order.read_text().split() == ["kafka", "topics", "service"]


async def test_stages_stop_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    """The last started stops first: services before the broker they still report to."""
    order = tmp_path / "order"
    for name in ("kafka", "service"):
        ready = file_exists(Path(f"{order}{name}"))
        await supervisor.start([python_process(name, SAY_WHEN_STOPPED, order, name, check_ready=ready)])
    await supervisor.stop()
    assert order.read_text().split() == ["service", "kafka"]


async def test_a_process_that_is_deaf_to_sigterm_is_killed_after_its_deadline(
    supervisor: Supervisor, lines: list[tuple[str, str]]
) -> None:
    """Stopping ends, whatever a process thinks of it."""
    await supervisor.start([python_process("deaf", IGNORE_SIGTERM, stop_timeout_seconds=0.1)])
    await until(lambda: ("deaf", "deaf") in lines)
    pid = supervisor.processes[0].pid
    assert pid is not None
    await supervisor.stop()
    assert not psutil.pid_exists(pid)
    assert ("mien", "deaf did not stop in time and was killed") in lines


async def test_a_process_that_never_gets_ready_fails_the_start_by_name(supervisor: Supervisor) -> None:
    """The error names the process, and the time it was given."""
    with pytest.raises(StartError, match=r"slow was not ready within 0 s"):
        await supervisor.start(
            [
                python_process("slow", SLEEP, check_ready=never, start_timeout_seconds=0.05),
                python_process("ok", SLEEP),
            ]
        )


async def test_an_answer_from_somebody_elses_process_does_not_count(supervisor: Supervisor) -> None:
    """Where another program took the port meanwhile, its answer is not taken for ours."""
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        spec = python_process("robbed", SLEEP, port=foreign.getsockname()[1], start_timeout_seconds=0.5)
        with pytest.raises(StartError, match="robbed was not ready"):
            await supervisor.start([spec])


async def test_refused_settings_fail_the_start_at_once(supervisor: Supervisor) -> None:
    """Exit code 2 says that the settings are wrong: no number of restarts mends that."""
    with pytest.raises(StartError, match="refused its settings"):
        await supervisor.start(
            [python_process("typo", "raise SystemExit(2)", check_ready=never, start_timeout_seconds=30)]
        )


async def test_a_program_that_is_missing_fails_the_start_in_words(
    supervisor: Supervisor, lines: list[tuple[str, str]]
) -> None:
    """A missing program is reported, not raised out of a background task."""
    spec = python_process("ghost", SLEEP, check_ready=never, start_timeout_seconds=0.3)
    object.__setattr__(spec, "command", ("/nowhere/ghost",))
    with pytest.raises(StartError, match="ghost was not ready"):
        await supervisor.start([spec])
    assert any("could not be started" in line for _, line in lines)


async def test_lines_are_handed_on_under_the_name_of_their_process(
    supervisor: Supervisor, lines: list[tuple[str, str]]
) -> None:
    """Both streams arrive, a line that is far too long is left out, and what follows it still arrives."""
    code = "import sys; print('out'); print('err', file=sys.stderr); print('x' * 3_000_000); print('after')"
    await supervisor.start(
        [python_process("talker", f"{code}; import time; sys.stdout.flush(); time.sleep(60)")]
    )
    await until(lambda: ("talker", "after") in lines)
    assert {("talker", "out"), ("talker", "err")} <= set(lines)
    assert not any(line.startswith("xxx") for _, line in lines if len(line) > 1_000_000)


def test_delays_grow_up_to_a_ceiling_and_vary() -> None:
    """Each failure doubles the delay's bound; a random half keeps many processes from starting in step."""
    backoff = Backoff(first_seconds=0.5, longest_seconds=30.0)
    for failures, bound in ((0, 0.5), (1, 1.0), (4, 8.0), (6, 30.0), (500, 30.0)):
        delays = [backoff.delay(failures) for _ in range(50)]
        assert all(bound / 2 <= delay <= bound for delay in delays)
        assert len(set(delays)) > 1


SUPERVISE = """
import asyncio, sys
from mien.local.supervisor import Supervisor
from tests.unit.local.fakes import IGNORE_SIGTERM, python_process

async def main():
    supervisor = Supervisor(lambda name, line: None)
    await supervisor.start([python_process(name, IGNORE_SIGTERM) for name in ("a", "b")])
    print(*(process.pid for process in supervisor.processes), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_killing_the_supervisor_leaves_no_orphans() -> None:
    """SIGKILL of the supervisor ends its children, too, even those that ignore SIGTERM."""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", SUPERVISE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pids = [int(pid) for pid in (await parent.stdout.readline()).split()]
    assert len(pids) == 2
    assert all(psutil.pid_exists(pid) for pid in pids)
    parent.kill()
    await parent.wait()
    await until(lambda: not any(_runs(pid) for pid in pids))


def _runs(pid: int) -> bool:
    try:
        return (
            psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        )  # a container's first process may not reap
    except psutil.NoSuchProcess:
        return False
