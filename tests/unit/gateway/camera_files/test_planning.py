"""What importing a file would do, and that what is exported can be imported."""

from typing import Any

import pytest

from mien.contracts.cameras import Camera, IgnoredZone
from services.gateway.camera_files import FileEntry, plan_import, read_camera_file, to_csv, to_yaml
from services.gateway.camera_files.planning import PlannedCamera, address_key
from services.gateway.camera_schemas import CameraCreate
from services.gateway.config import GatewaySettings
from services.gateway.new_camera import new_camera

DOOR = Camera(
    camera_id="door",
    name="Door",
    url="rtsp://10.0.0.2/1",
    main_stream_url="rtsp://10.0.0.2/0",
    partition=3,
    username="admin",
    password="hunter2",
    sampled_fps=3.0,
    ignored_zones=[IgnoredZone(points_xy=[(0, 0), (1, 0), (1, 1)])],
)


def build(wanted: CameraCreate, taken: frozenset[str]) -> Camera:
    """Make a camera as the gateway does."""
    return new_camera(wanted, taken, GatewaySettings())


def plan(*fields: dict[str, Any], registered: tuple[Camera, ...] = (DOOR,)) -> list[PlannedCamera]:
    """Plan entries of a file beside one camera that is there."""
    entries = [
        FileEntry(f"line {number}", str(one.get("name", "")), one) for number, one in enumerate(fields, 2)
    ]
    return plan_import(entries, registered, build)


def test_new_cameras_get_ids_of_their_own() -> None:
    """Two of one name, and one that is there, don't clash."""
    planned = plan({"name": "Door", "url": "rtsp://h/a"}, {"name": "Door", "url": "rtsp://h/b"})
    assert [one.camera.camera_id for one in planned if one.camera] == ["door-2", "door-3"]


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("rtsp://10.0.0.2/1", "Door has this address"),
        ("rtsp://10.0.0.2/0", "Door has this address"),
        ("rtsp://u:p@10.0.0.2:554/1/", "Door has this address"),
    ],
)
def test_camera_that_is_there_is_not_added_again(url: str, why: str) -> None:
    """However its address is written, and whichever of its streams it is."""
    (planned,) = plan({"name": "Copy", "url": url})
    assert (planned.verdict, planned.camera) == ("duplicate", None)
    assert why in planned.why


def test_camera_is_added_once_of_a_file_that_has_it_twice() -> None:
    """The second names the line of the first."""
    first, second = plan({"name": "A", "url": "rtsp://H/x"}, {"name": "B", "url": "rtsp://h:554/x"})
    assert (first.verdict, second.verdict) == ("new", "duplicate")
    assert "line 2" in second.why


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"url": "rtsp://h/x"}, "name: field required"),
        ({"name": "A", "url": "gopher://h/x"}, "starts with one of"),
        ({"name": "A", "url": "rtsp://h/x", "sampled_fps": "fast"}, "sampled_fps:"),
        ({"name": "A", "url": "rtsp://h/x", "colour": "red"}, "unknown field colour"),
        ({"name": "A", "url": "rtsp://h/x", "camera_id": "door"}, "another camera has the id door"),
        ({"name": "A", "url": "rtsp://h/x", "emotion_policy": "per_person"}, "purpose"),
        (
            {"name": "A", "url": "rtsp://h/x", "main_stream_url": "rtsp://u:q@h/y", "username": "x"},
            "main stream",
        ),
    ],
)
def test_entry_that_is_wrong_says_why(fields: dict[str, Any], why: str) -> None:
    """In the words that the form has, too."""
    (planned,) = plan(fields)
    assert planned.verdict == "invalid"
    assert why in planned.why


def test_reasons_never_hold_what_was_wrong() -> None:
    """It may be a password in the wrong column."""
    (planned,) = plan({"name": "A", "url": "rtsp://h/x", "sampled_fps": "hunter2", "password": "x" * 999})
    assert "hunter2" not in planned.why
    assert "xxx" not in planned.why


@pytest.mark.parametrize(("write", "keeps_zones"), [(to_yaml, True), (to_csv, False)])
def test_export_is_imported_as_it_was_without_its_password(write: Any, keeps_zones: bool) -> None:
    """Names that a spreadsheet would take for formulas come back as they were, too."""
    formula = Camera(camera_id="x", name="=1+1", url="rtsp://h/x", partition=0, enabled=False)
    text = write([DOOR, formula])
    assert "hunter2" not in text
    read = read_camera_file(text.encode(), variables={})
    door, other = [one.camera for one in plan_import(read.entries, (), build)]
    assert door is not None
    assert other is not None
    assert (door.camera_id, door.url, door.main_stream_url) == (
        DOOR.camera_id,
        DOOR.url,
        DOOR.main_stream_url,
    )
    assert (door.username, door.password, door.sampled_fps) == ("admin", None, 3.0)
    assert bool(door.ignored_zones) is keeps_zones
    assert (other.name, other.enabled) == ("=1+1", False)


def test_export_of_nothing_is_a_file_all_the_same() -> None:
    """A header, or an empty list."""
    assert to_csv([]).startswith("name,url")
    assert to_yaml([]) == "cameras: []\n"


def test_addresses_of_one_stream_have_one_key() -> None:
    """Ports by default, capitals, credentials and a slash at the end make no difference; the path does."""
    assert address_key("rtsp://U:P@Host:554/a/") == address_key("rtsp://host/a")
    assert address_key("rtsp://host:8554/a") != address_key("rtsp://host/a")
    assert address_key("rtsp://host/A") != address_key("rtsp://host/a")
