"""Addresses of cameras: credentials are taken out, and what no camera may have is refused in words."""

from pathlib import Path

import pytest

from mien.runtime.networks import CameraNetworks
from services.gateway.addresses import CameraAddress, check_kind, split_camera_url, split_main_stream_url
from services.gateway.pipeline import InvalidInputError

NETWORKS = CameraNetworks()


def split(url: str, *, folders: tuple[Path, ...] = ()) -> CameraAddress:
    return split_camera_url(url, networks=NETWORKS, video_folders=folders)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("rtsp://bob:s%40cret@10.0.0.2:554/x?a=1", ("rtsp://10.0.0.2:554/x?a=1", "bob", "s@cret")),
        ("http://cam.local/mjpg", ("http://cam.local/mjpg", None, None)),
        ("rtsp://bob@[fd12::1]:554/", ("rtsp://[fd12::1]:554/", "bob", None)),
        ("file:/srv/a%20b.mp4", ("file:///srv/a%20b.mp4", None, None)),
        ("usb:/dev/video0", ("usb:/dev/video0", None, None)),
        (
            "usb:///dev/v4l/by-id/usb-Cam_1-video-index0",
            ("usb:/dev/v4l/by-id/usb-Cam_1-video-index0", None, None),
        ),
    ],
)
def test_credentials_are_taken_out_of_an_address(url: str, expected: tuple[str, str, str]) -> None:
    """What remains holds neither user nor password, nor does its text form."""
    address = split(url)
    assert (address.url, address.username, address.password) == expected
    assert "s@cret" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "gopher://a/b",
        "concat:/etc/passwd|/etc/shadow",
        "browser://ada",
        "rtsp:///nohost",
        "rtsp://host:99999/",
        "rtsp://ho st/",
        "file:relative.mp4",
        "file://server/share.mp4",
        "usb:/dev/sda",
        "usb:/dev/video0/../sda",
        "usb://host/dev/video0",
        "just words",
        "rtsp://[::1",
    ],
)
def test_what_no_camera_has_is_refused(url: str) -> None:
    """Foreign schemes and malformed addresses are told in words, without repeating a password."""
    with pytest.raises(InvalidInputError):
        split(url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "169.254.169.254", "0x7f.1", "[::1]", "[fe80::1]"]
)
def test_an_address_inside_is_refused_when_it_is_saved(host: str) -> None:
    """Nobody makes Mien knock at its own doors; the message says what is allowed."""
    with pytest.raises(InvalidInputError, match="MIEN_CAMERAS_NETWORKS"):
        split(f"http://{host}/x")
    with pytest.raises(InvalidInputError, match="MIEN_CAMERAS_NETWORKS"):
        split_main_stream_url(f"rtsp://{host}/x", username=None, password=None, networks=NETWORKS)


@pytest.mark.parametrize(
    "url", ["file:///srv/a.mp4", "http://10.0.0.1/a.jpg", "http://10.0.0.1/a.m3u8", "usb:/dev/video1"]
)
def test_a_main_stream_is_live(url: str) -> None:
    """Only of a live stream can there be the picture of a moment."""
    with pytest.raises(InvalidInputError, match="live"):
        split_main_stream_url(url, username=None, password=None, networks=NETWORKS)


def test_a_kind_must_go_with_its_address() -> None:
    """Over HTTP one may say what it is; RTSP is RTSP."""
    check_kind("snapshot", "http://10.0.0.1/cgi-bin/x")
    check_kind(None, "rtsp://10.0.0.1/x")
    for kind, url in (("hls", "rtsp://10.0.0.1/x"), ("file", "http://10.0.0.1/x"), ("browser", "http://a/x")):
        with pytest.raises(InvalidInputError, match=f"not {kind}"):
            check_kind(kind, url)  # type: ignore[arg-type]  # of the kinds above


def test_video_files_stay_in_their_folders(tmp_path: Path) -> None:
    """Neither dots nor links lead out of the folders that were allowed."""
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "link.mp4").symlink_to("/etc/hostname")
    assert split(f"file://{videos}/a.mp4", folders=(videos,)).url.endswith("/a.mp4")
    for outside in (f"file://{videos}/../b.mp4", "file:///etc/passwd", f"file://{videos}/link.mp4"):
        with pytest.raises(InvalidInputError, match="outside"):
            split(outside, folders=(videos,))
