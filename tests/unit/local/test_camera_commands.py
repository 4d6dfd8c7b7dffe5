"""`mien cameras test`, `discover`, `import` and `export` on the command line."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mien.commands import find_cameras
from mien.contracts.camera_requests import CameraReply, CameraSearch, SearchEnded
from tests.unit.local.test_cli import FakeGateway, gateway, run

__all__ = ["gateway"]  # a fixture


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of video."""
    path = tmp_path_factory.mktemp("video") / "short.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(10):
            image = np.full((48, 64, 3), index * 20, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_address_is_tested_without_a_running_mien(video: Path, tmp_path: Path) -> None:
    """What it is like as JSON, and its first picture in a file."""
    picture = tmp_path / "first.jpg"
    result = run("cameras", "test", str(video), "--seconds", "0", "--snapshot", str(picture), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["ok"], told["report"]["size_wh"], told["snapshot"]) == (True, [64, 48], str(picture))
    assert picture.read_bytes().startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("rtsp://u:hunter2@127.0.0.1:1/x", 1, "nothing listens on this port"),
        ("file:///nowhere/x.mp4", 4, "there is no such file"),
        ("gopher://h/x", 1, "expected"),
        ("rtsp://169.254.169.254/x", 1, "no camera may be at"),
    ],
)
def test_failure_is_told_in_words_with_its_own_exit_code(url: str, code: int, words: str) -> None:
    """And never with the password."""
    result = run("cameras", "test", url)
    assert (result.exit_code, words in " ".join(result.output.split())) == (code, True), result.output
    assert "hunter2" not in result.output


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
