"""What a measurement runs beside itself: a whole stack of its own, and simulated cameras."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from mien.local.home import Home
from mien.local.kafka import REPOSITORY

_START_SECONDS: Final = 180
_STOP_SECONDS: Final = 60


@contextmanager
def running_stack(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Home]:
    """Run ``mien up`` on a folder of its own until the context ends; yields it once all is ready.

    Args:
        folder: Made when it is not there; ``stack.log`` in it says what happened.
        settings: Variables added to the environment of all services.

    Raises:
        RuntimeError: The stack did not start.
    """
    home = Home.locate(folder)
    home.create()
    command = _mien("up", "--home", str(folder))
    with (
        (folder / "stack.log").open("ab") as log,
        _process(command, stdout=log, stderr=log, env={**os.environ, **(settings or {})}) as process,
    ):
        deadline = time.monotonic() + _START_SECONDS
        while not _is_up(home):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the stack did not start: see {folder / 'stack.log'}")
            time.sleep(0.5)
        yield home


@contextmanager
def simulated_cameras(clips: Sequence[Path], *options: str) -> Iterator[dict[str, dict[str, str]]]:
    """Play each clip as a camera until the context ends; yields addresses by name and side (``rtsp``, …)."""
    command = _mien("camera-simulator", *map(str, clips), "--port", "0", *options)
    with _process(command, stdout=subprocess.PIPE) as process:
        if process.stdout is None:
            raise RuntimeError("expected the simulator's output on a pipe")
        cameras: dict[str, dict[str, str]] = json.loads(process.stdout.readline())["cameras"]
        yield cameras


def register_camera(client: httpx.Client, camera_id: str, address: str, *, sampled_fps: float) -> None:
    """Let the stack watch a camera, identity and emotion both on.

    Raises:
        httpx.HTTPError: The gateway refused or did not answer.
    """
    camera = {
        "camera_id": camera_id,
        "name": camera_id,
        "url": address,
        "sampled_fps": sampled_fps,
        "emotion_policy": "per_person",
        "emotion_purpose": "Benchmark",
        "context": "research",
    }
    client.post("/api/cameras", json=camera).raise_for_status()


def remove_camera(client: httpx.Client, camera_id: str) -> None:
    """Let the stack forget a camera.

    Raises:
        httpx.HTTPError: The gateway refused or did not answer.
    """
    client.delete(f"/api/cameras/{camera_id}").raise_for_status()


def cpu_seconds(home: Home) -> dict[str, float]:
    """Return the CPU time that each process of the stack has used; what we run beside it is not in it."""
    spent: dict[str, float] = {}
    for process in home.read_state()["processes"]:
        times = psutil.Process(process["pid"]).cpu_times()
        spent[process["name"]] = times.user + times.system
    return spent


def _is_up(home: Home) -> bool:
    if not home.state.exists():
        return False
    processes = home.read_state()["processes"]
    names = {process["name"] for process in processes}
    return {"gateway", "emotion"} <= names and {process["state"] for process in processes} == {"ready"}


def _mien(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mien.cli", *arguments]


@contextmanager
def _process(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=_STOP_SECONDS)
