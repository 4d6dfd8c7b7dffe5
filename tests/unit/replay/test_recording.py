"""Recordings on disk: private, bounded, whole after a crash, and gone when they are to be."""

import stat
from pathlib import Path

import pytest

from mien.replay.recording import (
    INDEX,
    RecordingError,
    RecordingWriter,
    forget_recording,
    read_recording,
)
from tests.unit.replay.conftest import SECOND_NS, frame, write_recording


def test_what_was_written_is_read_by_camera_in_the_order_of_time(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "new", {"lobby": [12, 10, 11]})
    recording = read_recording(folder)
    taken = [one.captured_at_ns / SECOND_NS for one in recording.frames["lobby"]]
    assert taken == [10, 11, 12]
    first = recording.frames["lobby"][0]
    assert first.path(folder).read_bytes() == frame("lobby", 10).jpeg
    assert first.size_wh == (320, 180)


def test_only_its_owner_may_look_into_a_recording(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "lobby").stat().st_mode) == 0o700


def test_a_full_recording_takes_nothing_more(tmp_path: Path) -> None:
    size = len(frame("lobby", 1).jpeg)
    writer = RecordingWriter(tmp_path / "new", max_bytes=2 * size)
    assert [writer.add(frame("lobby", second)) for second in (1, 2, 3)] == [True, True, False]
    writer.close()
    recording = read_recording(tmp_path / "new")
    assert (len(recording.frames["lobby"]), recording.jpeg_bytes) == (2, 2 * size)


def test_a_recording_never_mixes_with_what_is_there(folder: Path) -> None:
    with pytest.raises(RecordingError, match="not empty"):
        RecordingWriter(folder, max_bytes=1000)


def test_a_line_that_a_crash_cut_off_costs_one_picture(folder: Path) -> None:
    index = folder / INDEX
    index.write_bytes(index.read_bytes()[:-20])
    recording = read_recording(folder)
    assert {camera_id: len(frames) for camera_id, frames in recording.frames.items()} == {
        "door": 1,
        "lobby": 4,
    }


def test_a_damaged_line_is_named(folder: Path) -> None:
    index = folder / INDEX
    lines = index.read_bytes().splitlines()
    lines[2] = b'{"camera_id": "../escape"}'
    index.write_bytes(b"\n".join(lines))
    with pytest.raises(RecordingError, match="line 3"):
        read_recording(folder)


def test_pictures_that_are_gone_are_counted(folder: Path) -> None:
    (folder / "lobby" / "00000002.jpg").unlink()
    recording = read_recording(folder)
    assert (len(recording.frames["lobby"]), recording.missing) == (3, 1)


@pytest.mark.parametrize("content", [None, b"", b'{"format": "other", "version": 1}\n'])
def test_a_folder_without_a_recording_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / INDEX).write_bytes(content)
    with pytest.raises(RecordingError, match="holds no recording"):
        read_recording(tmp_path)


def test_what_is_forgotten_is_gone(folder: Path) -> None:
    forget_recording(folder)
    assert not folder.exists()


def test_nothing_is_deleted_where_something_else_lies(folder: Path) -> None:
    letter = folder / "lobby" / "letter.txt"
    letter.write_text("mine")
    with pytest.raises(RecordingError, match=r"letter\.txt"):
        forget_recording(folder)
    assert len(list((folder / "lobby").glob("*.jpg"))) == 4


def test_forgetting_does_not_follow_links_out_of_the_recording(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "attic").symlink_to(elsewhere)
    with pytest.raises(RecordingError, match="attic"):
        forget_recording(folder)
    assert elsewhere.is_dir()
