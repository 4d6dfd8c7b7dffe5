"""`mien replay`: what it says, what it deletes, and what it asks first."""

import json
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.unit.local.command_line import FakeGateway, run


def test_a_recording_is_described(folder: Path) -> None:
    result = run("replay", "show", str(folder))
    assert result.exit_code == 0
    lobby = next(line for line in result.output.splitlines() if "lobby" in line)
    assert "4" in lobby
    assert "2.0" in lobby
    assert "320x180" in lobby


def test_forgetting_asks_first(folder: Path) -> None:
    kept = run("replay", "forget", str(folder), typed="n\n")
    assert "Delete 6 pictures of 2 cameras" in kept.output
    assert folder.exists()
    assert run("replay", "forget", str(folder), typed="y\n").exit_code == 0
    assert not folder.exists()


@pytest.mark.parametrize("command", ["show", "play", "forget"])
def test_a_folder_without_a_recording_is_told_in_words(tmp_path: Path, command: str) -> None:
    result = run("replay", command, str(tmp_path))
    assert result.exit_code == 1
    assert "holds no recording" in result.output


def test_recording_needs_something_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    result = run("replay", "record", str(tmp_path / "new"))
    assert result.exit_code == 1
    assert "start it with mien up" in result.output
    assert not (tmp_path / "new").exists()


class Opener:
    """Opens every camera that is registered, as ingest does, until it has shown everything."""

    def __init__(self, gateway: FakeGateway, cameras: int) -> None:
        self.bodies: list[bytes] = []
        self._gateway, self._cameras = gateway, cameras
        self.thread = threading.Thread(target=self._open_all, daemon=True)

    def _open_all(self) -> None:
        deadline = time.monotonic() + 30
        while len(self._gateway.requests) < self._cameras and time.monotonic() < deadline:
            time.sleep(0.01)
        opened = [
            threading.Thread(target=self._open, args=(json.loads(body)["url"],))
            for _, _, _, body in self._gateway.requests
        ]
        for one in opened:
            one.start()
        for one in opened:
            one.join()

    def _open(self, url: str) -> None:
        body = bytearray()
        try:
            with httpx.stream("GET", url, timeout=30) as response:
                for chunk in response.iter_bytes():
                    body += chunk
        except httpx.RemoteProtocolError:
            pass  # a stream of pictures ends by closing the connection
        self.bodies.append(bytes(body))


def test_cameras_are_registered_for_as_long_as_they_show_something(
    folder: Path, gateway: FakeGateway
) -> None:
    gateway.answers["POST", "/api/cameras"] = [(201, {})]
    for name in ("replay-door", "replay-lobby"):
        gateway.answers["DELETE", f"/api/cameras/{name}"] = [(204, None)]
    opener = Opener(gateway, cameras=2)
    opener.thread.start()
    result = run("replay", "play", str(folder), "--speed", "10", "--add")
    opener.thread.join(30)
    assert result.exit_code == 0, result.output
    asked = [(method, path) for method, path, _, _ in gateway.requests]
    assert asked == [
        ("POST", "/api/cameras"),
        ("POST", "/api/cameras"),
        ("DELETE", "/api/cameras/replay-door"),
        ("DELETE", "/api/cameras/replay-lobby"),
    ]
    lobby = json.loads(gateway.requests[1][3])
    assert (lobby["camera_id"], lobby["name"]) == ("replay-lobby", "lobby (replay)")
    assert lobby["sampled_fps"] == 30.0  # twice 1.6 pictures a second, ten times as fast, within bounds
    assert sorted(b"lobby at 12" in body for body in opener.bodies) == [False, True]


def test_what_was_registered_before_a_refusal_is_removed(folder: Path, gateway: FakeGateway) -> None:
    gateway.answers["POST", "/api/cameras"] = [(201, {}), (409, {"detail": "replay-lobby exists"})]
    gateway.answers["DELETE", "/api/cameras/replay-door"] = [(204, None)]
    result = run("replay", "play", str(folder), "--add")
    assert result.exit_code == 1
    assert "replay-lobby exists" in result.output
    assert gateway.requests[-1][:2] == ("DELETE", "/api/cameras/replay-door")
