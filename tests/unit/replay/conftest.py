"""Recordings of two cameras."""

from pathlib import Path

import pytest

from mien.contracts.frames import Frame
from mien.replay.recording import RecordingWriter
from tests.unit.local.conftest import gateway  # noqa: F401 - a fixture

SECOND_NS = 1_000_000_000


def frame(camera_id: str, seconds: float, *, sequence: int = 1, epoch: int = 1) -> Frame:
    """Return a frame whose JPEG says whose it is and when it was taken."""
    jpeg = b"\xff\xd8" + f"{camera_id} at {seconds}".encode()
    return Frame(
        frame_id=f"{camera_id}:{epoch}:{sequence}",
        jpeg=jpeg,
        captured_at_ns=round(seconds * SECOND_NS),
        size_wh=(320, 180),
    )


def write_recording(folder: Path, taken: dict[str, list[float]]) -> Path:
    """Write a recording of frames that were taken at these seconds."""
    writer = RecordingWriter(folder, max_bytes=1_000_000)
    for camera_id, times in taken.items():
        for seconds in times:
            assert writer.add(frame(camera_id, seconds))
    writer.close()
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cameras: one with four pictures in two seconds, one with two."""
    return write_recording(tmp_path / "recording", {"lobby": [10, 10.5, 11, 12], "door": [10, 11]})
