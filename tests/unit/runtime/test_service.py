"""A process ends when it is told to: at once, after its work in hand, or by force, but it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]

# A whole process, because what is tested is how it ends.
SCRIPT = """
import asyncio, os, signal, sys
from mien.runtime import service as runtime
from mien.runtime.service import Service, run_service
from mien.runtime.settings import ServiceSettings

async def work(service: Service) -> None:
    {work}

runtime._CANCEL_SECONDS = 0.2
run_service("detector", ServiceSettings(drain_timeout_seconds=0.1), work)
"""
STOP_US = "os.kill(os.getpid(), signal.SIGTERM)"
STUBBORN = """
    service.health.started()
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            pass
"""


@pytest.mark.parametrize(
    ("work", "exit_code", "words"),
    [
        (f"service.health.started(); {STOP_US}; await service.stop.wait(); print('finished')", 0, "finished"),
        (f"{STOP_US}; await asyncio.sleep(60)", 1, ""),
        (f"service.health.started(); {STOP_US}; await asyncio.sleep(60)", 1, "drain_timed_out"),
        (STUBBORN, 1, "drain_timed_out"),
        ("raise RuntimeError('a defect')", 1, "a defect"),
    ],
    ids=["finishes its work", "had not begun", "takes too long", "cannot be cancelled", "defect"],
)
def test_process_ends_with_the_right_code(work: str, exit_code: int, words: str) -> None:
    """However its work behaves, SIGTERM or a defect ends the process and the exit code says how."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(work=work)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, words in ended.stdout + ended.stderr) == (exit_code, True), ended.stderr
