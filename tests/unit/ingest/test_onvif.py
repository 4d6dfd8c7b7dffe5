"""Which of a camera's streams Mien uses, and where it may lead."""

import pytest

from mien.contracts.camera_requests import StreamProfile
from services.ingest.onvif import choose_streams, device_service, same_host
from services.ingest.soap import SoapError, SoapLogin


def profile(width: int, height: int, *, codec: str = "H264", url: str = "") -> StreamProfile:
    """Return a profile whose address is its width, unless it has another."""
    return StreamProfile(name="p", url=url or f"rtsp://h/{width}", codec=codec, size_wh=(width, height))


@pytest.mark.parametrize(
    ("sizes", "url", "main"),
    [
        ([(1920, 1080), (640, 360)], "640", "1920"),
        ([(3840, 2160), (1280, 720), (640, 360)], "1280", "3840"),
        ([(1920, 1080), (352, 198)], "1920", ""),
        ([(2560, 1440), (1920, 1080)], "1920", "2560"),
        ([(352, 288)], "352", ""),
        ([(1280, 720), (1400, 787)], "1280", ""),
    ],
    ids=["usual", "three", "tiny sub-stream", "two large", "one", "hardly larger"],
)
def test_streams_are_chosen_by_size(sizes: list[tuple[int, int]], url: str, main: str) -> None:
    """Faces are looked for in 640 to 1280 pixels' width, and cut out of what is clearly larger."""
    chosen = choose_streams([profile(*size) for size in sizes])
    assert chosen == (f"rtsp://h/{url}", f"rtsp://h/{main}" if main else "")


def test_main_stream_of_another_shape_shows_another_view() -> None:
    """A 4:3 stream beside a 16:9 one is cut differently: no face is where it is in the other."""
    assert choose_streams([profile(2048, 1536), profile(640, 360)])[1] == ""


def test_video_is_preferred_to_jpegs_of_the_same_size() -> None:
    """Cameras offer both; RTP over JPEG is the heavier one."""
    jpeg = profile(640, 360, codec="JPEG", url="rtsp://h/jpeg")
    assert choose_streams([jpeg, profile(640, 360)])[0] == "rtsp://h/640"


def test_camera_without_streams_has_none_to_choose() -> None:
    """Not even those without an address, or of no known size, break the choice."""
    assert choose_streams([]) == ("", "")
    unknown = StreamProfile(name="x", url="rtsp://h/x")
    assert choose_streams([unknown, StreamProfile(name="y", url="")]) == ("rtsp://h/x", "")


@pytest.mark.parametrize(
    ("url", "there"),
    [
        ("rtsp://10.0.0.9:554/a?b=1&c=2", "rtsp://cam.lan:554/a?b=1&c=2"),
        ("rtsp://admin:secret@cam.lan/a", "rtsp://cam.lan/a"),
        ("http://169.254.169.254/latest", "http://cam.lan/latest"),
        ("file:///etc/passwd", ""),
        ("rtsp://cam.lan:99999/a", ""),
        ("not an address", ""),
        ("", ""),
    ],
)
def test_stream_is_at_the_host_that_was_asked(url: str, there: str) -> None:
    """Whatever a camera names, its password goes to itself only."""
    assert same_host(url, "http://cam.lan:8080/onvif/device_service") == there


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("192.168.1.20", "http://192.168.1.20/onvif/device_service"),
        (" cam.lan:8080 ", "http://cam.lan:8080/onvif/device_service"),
        ("http://192.168.1.20/", "http://192.168.1.20/onvif/device_service"),
        ("https://user:secret@192.168.1.20/onvif/other?x=1", "https://192.168.1.20/onvif/other"),
        ("rtsp://192.168.1.20:554/stream1", "http://192.168.1.20/onvif/device_service"),
        ("[fd00::20]:81", "http://[fd00::20]:81/onvif/device_service"),
    ],
)
def test_camera_is_asked_at_its_device_service(address: str, service: str) -> None:
    """A bare host is enough."""
    assert device_service(address) == service


@pytest.mark.parametrize("address", ["", "http://", "cam:port", "two words", "http://[::1"])
def test_address_that_names_no_host_is_refused_in_words(address: str) -> None:
    """It says what was expected."""
    with pytest.raises(SoapError, match="expected a host name"):
        device_service(address)


def test_token_proves_the_password_without_holding_it() -> None:
    """Only a digest of it travels, and a name can't break out of its element."""
    header = SoapLogin("ad<min", "hunter2").header()
    assert "hunter2" not in header
    assert "ad&lt;min" in header
    assert "hunter2" not in repr(SoapLogin("admin", "hunter2"))
    assert SoapLogin().header() == ""
