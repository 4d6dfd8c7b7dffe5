"""Virtual cameras out of a recording: whose pictures, for how long, from where, and until when."""

from pathlib import Path

import pytest

from mien.replay.play import RecordedSource, RecordingEnded, durations_ticks, lay_out
from mien.replay.recording import RecordingError, read_recording
from mien.simulator.clips import RTP_HZ
from tests.unit.replay.conftest import write_recording


def test_each_recorded_camera_is_shown_once_unless_told_otherwise(folder: Path) -> None:
    cameras = lay_out(read_recording(folder), None)
    assert [(camera.name, camera.first) for camera in cameras] == [("replay-door", 0), ("replay-lobby", 0)]
    assert [camera.fps for camera in cameras] == [1, pytest.approx(4 / 2.5)]


def test_copies_of_a_camera_begin_apart(folder: Path) -> None:
    cameras = lay_out(read_recording(folder), 4)
    assert [(camera.name, camera.first) for camera in cameras] == [
        ("replay-door", 0),
        ("replay-lobby", 0),
        ("replay-door-2", 1),
        ("replay-lobby-2", 2),
    ]


def test_fewer_cameras_than_were_recorded_are_the_first(folder: Path) -> None:
    assert [camera.name for camera in lay_out(read_recording(folder), 1)] == ["replay-door"]


def test_names_stay_identifiers_of_cameras_however_long(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "new", {"a" * 48: [1, 2], "b-2": [1], "b": [1]})
    names = [camera.name for camera in lay_out(read_recording(folder), 6)]
    assert len(set(names)) == 6
    assert max(map(len, names)) <= 48


def test_an_empty_recording_is_no_camera(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "new", {})
    with pytest.raises(RecordingError, match="no pictures"):
        lay_out(read_recording(folder), None)


@pytest.mark.parametrize(("speed", "expected"), [(1.0, [0.5, 0.5, 1.0, 0.5]), (2.0, [0.25, 0.25, 0.5, 0.25])])
def test_a_picture_is_shown_until_the_next_came(folder: Path, speed: float, expected: list[float]) -> None:
    frames = read_recording(folder).frames["lobby"]
    assert [ticks / RTP_HZ for ticks in durations_ticks(frames, speed=speed)] == expected


def test_pictures_taken_at_the_same_time_and_lone_ones_have_a_duration(tmp_path: Path) -> None:
    folder = write_recording(tmp_path / "new", {"twice": [1, 1], "once": [1]})
    frames = read_recording(folder).frames
    assert durations_ticks(frames["twice"], speed=1) == [1, 1]
    assert durations_ticks(frames["once"], speed=1) == [RTP_HZ]


def test_a_source_shows_all_from_its_beginning_and_ends(folder: Path) -> None:
    recording = read_recording(folder)
    camera = lay_out(recording, 4)[3]  # begins with its third picture
    source = RecordedSource(folder, camera, speed=1, loop=False)
    shown = [source.next(with_jpeg=True).jpeg for _ in range(4)]
    assert [jpeg and jpeg[2:] for jpeg in shown] == [
        b"lobby at 11",
        b"lobby at 12",
        b"lobby at 10",
        b"lobby at 10.5",
    ]
    with pytest.raises(RecordingEnded):
        source.next(with_jpeg=True)


def test_a_looped_source_begins_again(folder: Path) -> None:
    camera = lay_out(read_recording(folder), None)[0]
    source = RecordedSource(folder, camera, speed=1, loop=True)
    shown = [source.next(with_jpeg=True).jpeg for _ in range(3)]
    assert shown[0] == shown[2] != shown[1]


def test_pictures_are_read_only_for_somebody_who_looks(folder: Path) -> None:
    camera = lay_out(read_recording(folder), None)[0]
    source = RecordedSource(folder, camera, speed=1, loop=False)
    camera.frames[0].path(folder).unlink()
    assert source.next(with_jpeg=False).jpeg is None
