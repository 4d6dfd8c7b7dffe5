"""`mien cameras test` on the command line: ingest's code answers, in a process of its own."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from tests.unit.local.command_line import run


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
