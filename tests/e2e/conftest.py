"""The whole embedded stack as a person runs it, with simulated cameras that show real faces."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from mien.contracts.events import DeadLetter, decode_event
from mien.contracts.topics import DEAD_LETTERS
from tests.e2e.clips import write_clip
from tests.faces import people, read_rgb, require_faces

REPOSITORY = Path(__file__).parents[2]
_T = TypeVar("_T")

# Two people are enrolled, the third is never introduced: none of their photos is used twice.
KNOWN = ("Ian_Thorpe", "Lindsay_Davenport")
STRANGER = "Vicente_Fox"


def eventually(read: Callable[[], _T], holds: Callable[[_T], bool], *, within_seconds: float) -> _T:
    """Read until it holds; a test that waits in vain fails with what was read last."""
    deadline = time.monotonic() + within_seconds
    seen: object = None
    while time.monotonic() < deadline:
        try:
            value = read()
            if holds(value):
                return value
            seen = value
        except httpx.TransportError as error:
            seen = error
        time.sleep(0.2)
    raise AssertionError(f"not so within {within_seconds} s; last: {seen!r}")


@dataclass
class Stack:
    """A running stack, as its users reach it."""

    home: Path
    process: subprocess.Popen[bytes]
    base_url: str = ""
    client: httpx.Client = field(default_factory=httpx.Client)

    @property
    def password(self) -> str:
        """The admin password of the first run."""
        return (self.home / "secrets" / "first-admin-password").read_text().strip()

    def processes(self) -> dict[str, dict[str, Any]]:
        """Return what the supervisor says of each process."""
        state = json.loads((self.home / "state.json").read_text())
        return {process["name"]: process for process in state["processes"]}

    def kill(self, name: str) -> int:
        """End a process as a crash would; returns its former id."""
        pid = int(self.processes()[name]["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    def get(self, path: str) -> Any:
        """Ask the REST interface."""
        response = self.client.get(path)
        response.raise_for_status()
        return response.json()

    def enrol(self, name: str, photos: list[Path]) -> str:
        """Add a person and wait until every photo is judged; most must have become templates."""
        created = self.client.post("/api/people", json={"name": name, "consent_note": "test"})
        created.raise_for_status()
        person_id = str(created.json()["person_id"])
        files = [("photos", (photo.name, photo.read_bytes(), "image/jpeg")) for photo in photos]
        self.client.post(f"/api/people/{person_id}/photos", files=files, timeout=30).raise_for_status()
        eventually(
            lambda: [photo["status"] for photo in self.get(f"/api/people/{person_id}/photos")],
            lambda states: "pending" not in states and states.count("enrolled") >= len(photos) - 1 > 0,
            within_seconds=30,
        )
        return person_id

    def kafka_address(self) -> str:
        """Return where the broker is."""
        return f"127.0.0.1:{json.loads((self.home / 'ports.json').read_text())['kafka']}"

    async def dead_letters(self) -> list[DeadLetter]:
        """Read all dead letters written so far."""
        consumer = AIOKafkaConsumer(
            DEAD_LETTERS.name, bootstrap_servers=self.kafka_address(), auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            batches = await consumer.getmany(timeout_ms=2000)
            return [decode_event(record.value, DeadLetter) for batch in batches.values() for record in batch]
        finally:
            await consumer.stop()

    def add_camera(self, camera_id: str, url: str, **fields: Any) -> None:
        """Register a camera."""
        body = {"camera_id": camera_id, "name": camera_id, "url": url, **fields}
        self.client.post("/api/cameras", json=body).raise_for_status()


@contextmanager
def run_stack(home: Path, *options: str, command: str = "up") -> Iterator[Stack]:
    """Run ``mien up``, or another command that does, on a folder of its own until the context ends."""
    log_path = home.parent / f"{home.name}.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mien.cli", command, "--home", str(home), *options],
            cwd=REPOSITORY,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    stack = Stack(home, process)
    try:
        _wait_until_ready(stack, log_path)
        yield stack
    finally:
        stack.client.close()
        process.terminate()
        try:
            assert process.wait(timeout=60) == 0, log_path.read_text()[-3000:]
        finally:
            process.kill()


def _wait_until_ready(stack: Stack, log_path: Path) -> None:
    def ready() -> bool:
        assert stack.process.poll() is None, f"mien up ended:\n{log_path.read_text()[-3000:]}"
        if not (stack.home / "state.json").exists():
            return False
        states = {process["state"] for process in stack.processes().values()}
        return "gateway" in stack.processes() and states == {"ready"}

    eventually(ready, bool, within_seconds=120)
    ports = json.loads((stack.home / "ports.json").read_text())
    token = (stack.home / "secrets" / "cli-token").read_text().strip()
    stack.base_url = f"http://127.0.0.1:{ports['gateway']}"
    stack.client = httpx.Client(
        base_url=stack.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=10
    )


@contextmanager
def run_cameras(clips: list[Path], *options: str, password: str | None = None) -> Iterator[dict[str, Any]]:
    """Play clips as RTSP cameras until the context ends; yields what the simulator says of itself."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mien.cli", "camera-simulator", *map(str, clips), "--port", "0", *options],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        if password is not None:
            process.stdin.write(password.encode() + b"\n")
            process.stdin.flush()
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One clip with two known people side by side, and one with a stranger."""
    require_faces()
    folder = tmp_path_factory.mktemp("clips")
    probes = {name: read_rgb(people()[name]["probe"][0]) for name in (*KNOWN, STRANGER)}
    return {
        "entrance": write_clip(folder / "entrance.mp4", [probes[name] for name in KNOWN]),
        "yard": write_clip(folder / "yard.mp4", [probes[STRANGER]]),
    }


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, clips: dict[str, Path]) -> Iterator[Stack]:
    """A stack with two known people, and cameras that show them and a stranger."""
    with (
        run_cameras(list(clips.values())) as simulator,
        run_stack(tmp_path_factory.mktemp("e2e") / "home", "--workers", "recognizer=2,emotion=2") as stack,
    ):
        for name in KNOWN:
            stack.enrol(name.replace("_", " "), people()[name]["enroll"])
        for name, addresses in simulator["cameras"].items():
            stack.add_camera(
                name,
                addresses["rtsp"],
                emotion_policy="per_person",
                emotion_purpose="test",
                context="research",
            )
        yield stack
