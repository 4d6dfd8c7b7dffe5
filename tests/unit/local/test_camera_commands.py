"""`mien cameras discover`, `import` and `export` on the command line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mien.commands import find_cameras
from mien.contracts.camera_requests import CameraReply, CameraSearch, SearchEnded
from tests.unit.local.command_line import FakeGateway, run


def test_search_without_cameras_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words for people, and as JSON for programs."""

    ended = SearchEnded(
        request_id="r", camera_id="", event_id="e", captured_at_ns=0, found=0, searched=["10.0.0.2"]
    )

    @contextmanager
    def search_in_vain(request: CameraSearch) -> Iterator[Iterator[CameraReply]]:
        assert request.seconds == 0.5
        yield iter([ended])

    monkeypatch.setattr(find_cameras, "_answers", search_in_vain)
    result = run("cameras", "discover", "--seconds", "0.5")
    assert result.exit_code == 0, result.output
    assert "does not cross routers" in " ".join(result.output.split())
    result = run("cameras", "discover", "--seconds", "0.5", "--json")
    assert json.loads(result.stdout) == {"devices": [], "searched": ["10.0.0.2"]}


def planned(verdict: str, **fields: Any) -> dict[str, Any]:
    """Return an entry of a preview."""
    return {
        "place": "line 2",
        "name": "Door",
        "verdict": verdict,
        "why": "",
        "url": "rtsp://h/1",
        "main_stream_url": None,
        **fields,
    }


def preview(*cameras: dict[str, Any], needs: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a preview as the gateway makes it."""
    verdicts = [camera["verdict"] for camera in cameras]
    counts = {"new": "new", "duplicates": "duplicate", "invalid": "invalid"}
    return {
        "format": "csv",
        "cameras": list(cameras),
        "needs": list(needs),
        **{name: verdicts.count(verdict) for name, verdict in counts.items()},
    }


def test_dry_run_only_shows(gateway: FakeGateway, tmp_path: Path) -> None:
    """What can't be added is told, and gives the exit code 1."""
    file = tmp_path / "cameras.csv"
    file.write_text("name,url\nDoor,rtsp://h/1\n")
    wrong = planned("invalid", place="line 3", why="url: field required")
    gateway.answers["POST", "/api/camera-files/preview"] = [(200, preview(planned("new"), wrong))]
    result = run("cameras", "import", str(file), "--dry-run")
    assert result.exit_code == 1
    assert "line 3" in result.output
    assert "field required" in result.output
    assert [path for _, path, _, _ in gateway.requests] == ["/api/camera-files/preview"]


def test_import_goes_on_until_all_is_done_and_tells_how_to_undo(gateway: FakeGateway, tmp_path: Path) -> None:
    """Variables come from a file, never from the arguments."""
    file, values = tmp_path / "frigate.yml", tmp_path / ".env"
    file.write_text("cameras: {}")
    values.write_text("# secrets\nexport FRIGATE_PW='hunter2'\n")
    gateway.answers["POST", "/api/camera-files/preview"] = [(200, preview(planned("new")))]
    door = {"camera_id": "door", "name": "Door"}
    gateway.answers["POST", "/api/camera-files/import"] = [
        (200, {"import_id": "i-1", "added": [door], "next": 20}),
        (200, {"import_id": "i-1", "added": [door], "next": None}),
    ]
    result = run("cameras", "import", str(file), "--variables", str(values))
    assert result.exit_code == 0, result.output
    assert "2 added. To take it back: mien cameras import --undo i-1" in " ".join(result.output.split())
    bodies = [body for _, path, _, body in gateway.requests if path.endswith("/import")]
    assert b"hunter2" in bodies[0]
    assert b"i-1" in bodies[1]


def test_import_is_taken_back(gateway: FakeGateway) -> None:
    """And says what stayed."""
    gateway.answers["DELETE", "/api/camera-files/imports/i-1"] = [
        (200, {"removed": ["door"], "kept": ["yard"]})
    ]
    result = run("cameras", "import", "--undo", "i-1")
    assert "1 removed; yard stayed, edited since" in result.output


def test_export_is_printed_or_written(gateway: FakeGateway, tmp_path: Path) -> None:
    """Byte for byte as the gateway made it."""
    exported = {"filename": "cameras.yaml", "text": "cameras: []\n"}
    gateway.answers["GET", "/api/camera-files/export?format=yaml"] = [(200, exported)]
    assert run("cameras", "export").stdout == "cameras: []\n"
    run("cameras", "export", "-o", str(tmp_path / "out.yaml"))
    assert (tmp_path / "out.yaml").read_text() == "cameras: []\n"
    assert run("cameras", "export", "--format", "xml").exit_code == 2


@pytest.mark.parametrize("arguments", [(), ("--undo", "i", __file__)])
def test_import_wants_one_thing(arguments: tuple[str, ...]) -> None:
    """A file, or what to take back."""
    assert run("cameras", "import", *arguments).exit_code == 2
