"""How a registered camera becomes an address, and how secrets stay out of texts."""

import socket
import threading

import av
import pytest

from mien.contracts.cameras import Camera
from mien.runtime.networks import CameraNetworks, ForbiddenAddressError
from services.ingest.address import AddressError, is_same_source, locate, redact
from services.ingest.config import IngestSettings
from services.ingest.failures import NO_ANSWER, SILENT, STALLED, explain
from services.ingest.sources import open_source
from services.ingest.sources.file import FILE_OPTIONS
from services.ingest.sources.rtsp import rtsp_options

PASSWORD = "p@ss:w/rd#1%"


ANYWHERE = CameraNetworks.parse("private,public,loopback")


def camera(url: str = "rtsp://10.1.2.3:8554/a?x=1", **fields: object) -> Camera:
    return Camera(camera_id="c", name="C", url=url, partition=0, **fields)  # type: ignore[arg-type]


def test_credentials_are_percent_encoded_into_the_address() -> None:
    """Whatever a password holds, the address keeps its meaning (trap 4)."""
    place = locate(camera(username="ad@min", password=PASSWORD), ANYWHERE)
    assert place.url == "rtsp://ad%40min:p%40ss%3Aw%2Frd%231%25@10.1.2.3:8554/a?x=1"
    assert PASSWORD not in repr(place)
    assert "ss%3A" not in repr(place)


def test_a_name_is_resolved_once_and_the_address_is_held_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is opened is the address that was judged, whatever the name resolves to by then (rebinding)."""
    answers = iter(["10.0.0.7", "127.0.0.1"])

    def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    named = camera("http://cam.local/video")
    place = locate(named, CameraNetworks())
    assert (place.url, place.host, place.host_header) == (
        "http://10.0.0.7:80/video",
        "cam.local",
        "cam.local",
    )
    with pytest.raises(ForbiddenAddressError, match=r"cam\.local"):
        locate(named, CameraNetworks())


def test_what_a_camera_leads_to_is_not_told_its_password() -> None:
    """Credentials are for the registered address alone."""
    place = locate(camera(username="u", password="p"), ANYWHERE, url="http://10.0.0.9:81/x")
    assert place.url == "http://10.0.0.9:81/x"


def test_rtsp_is_read_over_tcp_with_a_time_limit_in_microseconds() -> None:
    """FFmpeg knows `timeout`, in microseconds; `stimeout` it would ignore and hang."""
    settings = IngestSettings(open_timeout_seconds=2.5)
    options = rtsp_options(camera(), locate(camera(), ANYWHERE), settings)
    assert options["rtsp_transport"] == "tcp"
    assert options["timeout"] == "2500000"
    assert "stimeout" not in options
    assert not {"udp", "file", "http"} & set(options["protocol_whitelist"].split(","))


def test_udp_is_used_only_where_it_is_asked_for() -> None:
    """An encrypted stream goes over TCP whatever its camera says."""
    for url, transport in (("rtsp://10.0.0.1/a", "udp"), ("rtsps://10.0.0.1/a", "tcp")):
        over_udp = camera(url, transport="udp")
        options = rtsp_options(over_udp, locate(over_udp, ANYWHERE), IngestSettings())
        assert options["rtsp_transport"] == transport


def test_playlists_are_no_video_files() -> None:
    """Formats that name other files are not among those that a file may have, nor are other protocols."""
    assert FILE_OPTIONS["protocol_whitelist"] == "file"
    formats = FILE_OPTIONS["format_whitelist"].split(",")
    assert not {"hls", "concat", "applehttp", "dash", "imf"} & set(formats)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("rtsp://h/a", "rtsp"),
        ("rtsps://h/a", "rtsp"),
        ("http://h/video.mjpg", "mjpeg"),
        ("https://h/axis-cgi/mjpg/video.cgi?fps=5", "mjpeg"),
        ("http://h/snap.jpg?user=1", "snapshot"),
        ("http://h/axis-cgi/jpg/image.cgi", "snapshot"),
        ("https://h/live/index.m3u8", "hls"),
        ("file:///videos/a.mp4", "file"),
        ("usb:/dev/video0", "usb"),
        ("browser://ada", "browser"),
        ("ftp://h/a", None),
        ("/etc/passwd", None),
    ],
)
def test_the_address_tells_the_kind(url: str, kind: str | None) -> None:
    """Nobody has to say what an address shows by itself; who knows better may."""
    assert camera(url).source == kind
    assert camera(url, kind="hls").source == "hls"


@pytest.mark.parametrize(
    "url", ["ftp://h/a", "concat:/etc/passwd", "/etc/passwd", "lavfi:testsrc", "browser:a"]
)
def test_other_addresses_are_refused(url: str) -> None:
    """Only what ingest reads is opened."""
    with pytest.raises(AddressError, match="rtsp"):
        open_source(camera(url), IngestSettings(), threading.Event())


def test_credentials_never_reach_a_text() -> None:
    """Error texts of FFmpeg hold the whole address; what is shown holds none of the secret (trap 3)."""
    secret = camera(username="admin", password=PASSWORD)
    address = locate(secret, ANYWHERE)
    for text in (f"Server said no: '{address.url}'", f"password {PASSWORD} is bad", "ss rtsp://a:b@h/x"):
        shown = redact(text, secret)
        assert PASSWORD not in shown
        assert "p%40ss" not in shown
        assert "a:b@" not in shown


def test_a_new_password_is_another_source_and_a_new_rate_is_not() -> None:
    """A camera is opened again only when its address, its credentials or its decoder change."""
    assert is_same_source(camera(), camera(sampled_fps=2.0, revision=7))
    assert not is_same_source(camera(), camera(password="new", username="u"))
    assert not is_same_source(camera(), camera("rtsp://other/a"))
    assert not is_same_source(camera(), camera(transport="udp"))
    assert not is_same_source(camera(), camera(loop_filter="off"))
    assert is_same_source(camera(), camera(jpeg_quality=60, decode="keyframes"))


def test_refusals_are_told_apart_from_absence() -> None:
    """A wrong password is not retried like a closed port, and each says what it is."""
    with_password = camera(username="u", password="p")
    wrong = explain(
        av.HTTPUnauthorizedError(401, "no"), with_password, opened=False, had_picture=False, waited_out=False
    )
    assert (wrong.state, wrong.words, wrong.is_refusal) == (
        "auth_failed",
        "wrong user name or password",
        True,
    )
    closed = explain(
        ConnectionRefusedError(111, "refused"),
        with_password,
        opened=False,
        had_picture=False,
        waited_out=False,
    )
    assert (closed.state, closed.key, closed.is_refusal) == ("backoff", "refused", False)
    no_route = explain(OSError(113, "no"), with_password, opened=False, had_picture=False, waited_out=False)
    assert no_route.words == "no route to the camera"


@pytest.mark.parametrize(
    ("error", "status"),
    [(av.HTTPServerError, "5xx"), (av.HTTPTooManyRequestsError, "429"), (av.HTTPOtherClientError, "4xx")],
)
def test_other_errors_of_http_are_told_by_their_number(error: type[av.FFmpegError], status: str) -> None:
    """Without FFmpeg's texts, which end in the address."""
    told = error(1, "Server returned 4XX, but not one of 40{0,1,3,4}", "http://h/secret")
    explained = explain(told, camera(), opened=False, had_picture=False, waited_out=False)
    assert (explained.state, explained.key) == ("backoff", "server_error")
    assert explained.words == f"the camera answers with an error: HTTP {status}"


@pytest.mark.parametrize(
    ("opened", "had_picture", "failure"),
    [(False, False, NO_ANSWER), (True, False, SILENT), (True, True, STALLED)],
)
def test_what_times_out_says_when_it_did(opened: bool, had_picture: bool, failure: object) -> None:
    """At opening it does not answer, before the first picture it is silent, after that it has stopped."""
    for error in (av.ExitError(1, "x"), TimeoutError(110, "x")):
        explained = explain(error, camera(), opened=opened, had_picture=had_picture, waited_out=False)
        assert explained is failure
    # FFmpeg calls a server that never answers "invalid data": only the time it took tells.
    invalid = av.InvalidDataError(1, "x")
    explained = explain(invalid, camera(), opened=opened, had_picture=had_picture, waited_out=True)
    assert explained is failure
