"""Files of cameras as people have them, and as nobody should."""

import pytest

from services.gateway.camera_files import CameraFileError, FileEntry, read_camera_file
from services.gateway.camera_files.reading import MAX_FILE_BYTES

FRIGATE = """
mqtt: {enabled: false}
go2rtc:
  streams:
    front:
      - rtsp://admin:{FRIGATE_RTSP_PASSWORD}@10.0.0.5:554/main#backchannel=0
      - "ffmpeg:front#audio=aac"
    front_sub: rtsp://admin:{FRIGATE_RTSP_PASSWORD}@10.0.0.5:554/sub
cameras:
  front:
    friendly_name: Front door
    ffmpeg:
      inputs:
        - path: rtsp://127.0.0.1:8554/front
          input_args: preset-rtsp-restream
          roles: [record]
        - path: rtsp://127.0.0.1:8554/front_sub
          roles: [detect]
    detect: {width: 640, fps: 7}
  back_yard:
    enabled: false
    ffmpeg:
      inputs:
        - path: rtsp://viewer:p@ss@10.0.0.6/one
          roles: [detect, record]
  doorbell:
    ffmpeg: {inputs: [{path: "exec:rm -rf /", roles: [detect]}]}
  broken: 7
"""
GO2RTC = """
streams:
  hall: rtsp://u:${HALL_PASSWORD:default pass}@10.0.0.7/1
  attic:
    - echo:curl http://evil/
    - ffmpeg:rtsp://10.0.0.8/1#video=copy
  linked: ffmpeg:hall#video=h264
  loop: ffmpeg:loop
  scanned: onvif://10.0.0.9
"""


def entries(text: str, **variables: str) -> list[FileEntry]:
    """Return what a file holds."""
    return read_camera_file(text.encode(), variables=variables).entries


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_table_of_any_spreadsheet_is_read(delimiter: str) -> None:
    """Byte order mark, capitals, empty cells and empty lines are no hindrance; lines are counted."""
    rows = [["Name", "URL", "sampled_fps"], ["Front", "rtsp://a/1", "3"], [], ["Back", "rtsp://b/1", ""]]
    text = "\ufeff" + "\r\n".join(delimiter.join(row) for row in rows)
    assert [(one.place, one.name, one.fields) for one in entries(text)] == [
        ("line 2", "Front", {"name": "Front", "url": "rtsp://a/1", "sampled_fps": "3"}),
        ("line 4", "Back", {"name": "Back", "url": "rtsp://b/1"}),
    ]


def test_row_with_too_many_values_is_told_by_its_line() -> None:
    """A comma in an address that was not quoted shifts everything after it."""
    good, bad = entries("name,url\nA,rtsp://a/1\nB,rtsp://b/1,2,3\n")
    assert good.problem is None
    assert bad.place == "line 3"
    assert "expected at most 2 values" in str(bad.problem)


@pytest.mark.parametrize("head", ["cameras:\n", ""])
def test_list_in_yaml_is_read_with_its_lines(head: str) -> None:
    """Our own format, as it is exported."""
    first, second = entries(f"{head}- name: A\n  url: rtsp://a/1\n- just a text\n")
    assert first.fields == {"name": "A", "url": "rtsp://a/1"}
    assert second.place == f"line {4 if head else 3}"
    assert second.problem


def test_frigate_is_read_through_its_restream() -> None:
    """Cameras are read where they are, not at Frigate; what it detects in is ours, what it records main."""
    front, back, doorbell, broken = entries(FRIGATE, FRIGATE_RTSP_PASSWORD="p@ss:w/rd#1%")
    assert front.fields == {
        "name": "Front door",
        "url": "rtsp://admin:p%40ss%3Aw%2Frd%231%25@10.0.0.5:554/sub",
        "main_stream_url": "rtsp://admin:p%40ss%3Aw%2Frd%231%25@10.0.0.5:554/main",
        "sampled_fps": 7.0,
    }
    assert back.fields == {"name": "Back yard", "url": "rtsp://viewer:p@ss@10.0.0.6/one", "enabled": False}
    assert "exec" in str(doorbell.problem)
    assert broken.problem == "it has no ffmpeg.inputs"
    assert front.place == "line 10"


def test_missing_variables_are_named_and_nothing_is_taken_from_our_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The gateway's own environment holds other people's secrets."""
    monkeypatch.setenv("FRIGATE_RTSP_PASSWORD", "ours")
    read = read_camera_file(FRIGATE.encode(), variables={})
    assert read.format == "frigate"
    assert read.needs == ["FRIGATE_RTSP_PASSWORD"]
    assert "FRIGATE_RTSP_PASSWORD is needed" in str(read.entries[0].problem)
    assert "ours" not in repr([entry.fields for entry in read.entries])


def test_go2rtc_is_read_and_nothing_in_it_is_run() -> None:
    """The first source that is an address; commands are passed over, circles end."""
    hall, attic, linked, loop, scanned = entries(GO2RTC)
    assert hall.fields["url"] == "rtsp://u:default%20pass@10.0.0.7/1"
    assert attic.fields["url"] == "rtsp://10.0.0.8/1"
    assert linked.fields["url"] == hall.fields["url"]
    assert loop.problem
    assert "ONVIF" in str(scanned.problem)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"\x00\x01", "empty or no text"),
        (b"x" * (MAX_FILE_BYTES + 1), "larger than"),
        (b"just: a mapping", "expected a CSV file"),
        (b"some text", "expected a CSV file"),
        (b"cameras: []", "no camera in it"),
        (b"name,url\n", "no camera in it"),
        (b"cameras:\n\t- name: x", "line 2, column 1"),
        (b"cameras: !!python/object/apply:os.system ['touch /tmp/x']", "could not determine a constructor"),
        (b"a: &a {b: *a}\ncameras: [*a]", "refers to itself"),
        (BOMB.encode(), "grows by its aliases"),
        (b"[" * 5000, "nested too deep"),
        (b"- x\n" * 120_000, "too many values"),
        (b"name,url\n" + b"A,rtsp://a/1\n" * 2001, "more than 2000"),
        (b'name,url\n"' + b"x" * 200_000, "field larger than"),
    ],
    ids=range(16),
)
def test_file_that_is_none_is_refused_in_words(content: bytes, words: str) -> None:
    """Whatever is uploaded, the answer says what was expected; nothing is constructed, nothing grows."""
    with pytest.raises(CameraFileError, match=words):
        read_camera_file(content, variables={})


@pytest.mark.parametrize(
    "text",
    [
        "cameras: {a: {ffmpeg: {inputs: [7, {path: 3}, {roles: [detect]}]}}}",
        "cameras: {a: {ffmpeg: {inputs: [{path: 'rtsp://[::1', roles: detect}]}}}",
        "cameras: {a: null, 7: [], b: {ffmpeg: []}}",
        "streams: {a: null, b: 7, c: [7, [8]], d: ''}",
        "go2rtc: {streams: {a: 'rtsp:'}}",
        "cameras: [{1: 2}]",
    ],
)
def test_odd_configuration_is_read_as_far_as_it_goes(text: str) -> None:
    """What is not as it should be is told of its camera, and is no error of ours."""
    assert all(entry.problem or entry.fields for entry in entries(text))
