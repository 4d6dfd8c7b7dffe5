"""How a registered camera becomes an address, and how secrets stay out of texts."""

import av
import pytest

from mien.contracts.cameras import Camera
from services.ingest.address import AddressError, build_address, is_same_source, redact
from services.ingest.failures import NO_ANSWER, SILENT, STALLED, explain

PASSWORD = "p@ss:w/rd#1%"


def camera(url: str = "rtsp://cam.local:8554/a?x=1", **fields: object) -> Camera:
    return Camera(camera_id="c", name="C", url=url, partition=0, **fields)  # type: ignore[arg-type]


def test_credentials_are_percent_encoded_into_the_address() -> None:
    """Whatever a password holds, the address keeps its meaning (trap 4)."""
    address = build_address(camera(username="ad@min", password=PASSWORD), timeout_seconds=5)
    assert address.url == "rtsp://ad%40min:p%40ss%3Aw%2Frd%231%25@cam.local:8554/a?x=1"
    assert PASSWORD not in repr(address)
    assert "ss%3A" not in repr(address)


def test_rtsp_is_read_over_tcp_with_a_time_limit_in_microseconds() -> None:
    """FFmpeg knows `timeout`, in microseconds; `stimeout` it would ignore and hang."""
    options = build_address(camera(), timeout_seconds=2.5).options
    assert options["rtsp_transport"] == "tcp"
    assert options["timeout"] == "2500000"
    assert "stimeout" not in options


@pytest.mark.parametrize(
    ("url", "kind", "forbidden"),
    [
        ("rtsp://h/a", "rtsp", "file"),
        ("https://h/a", "mjpeg", "file"),
        ("file:///videos/a%20b.mp4", "file", "http"),
    ],
)
def test_each_kind_may_use_its_own_protocols_only(url: str, kind: str, forbidden: str) -> None:
    """A camera's answer can't send FFmpeg to a local file, nor a file to the network."""
    address = build_address(camera(url), timeout_seconds=5)
    assert address.kind == kind
    assert forbidden not in address.options["protocol_whitelist"].split(",")


def test_playlists_are_no_video_files() -> None:
    """Formats that name other files are not among those that a file may have."""
    formats = (
        build_address(camera("file:///a.m3u8"), timeout_seconds=5).options["format_whitelist"].split(",")
    )
    assert not {"hls", "concat", "applehttp", "dash", "imf"} & set(formats)


@pytest.mark.parametrize("url", ["ftp://h/a", "concat:/etc/passwd", "/etc/passwd", "lavfi:testsrc"])
def test_other_schemes_are_refused(url: str) -> None:
    """Only what ingest reads is opened."""
    with pytest.raises(AddressError, match="rtsp"):
        build_address(camera(url), timeout_seconds=5)


def test_credentials_never_reach_a_text() -> None:
    """Error texts of FFmpeg hold the whole address; what is shown holds none of the secret (trap 3)."""
    secret = camera(username="admin", password=PASSWORD)
    address = build_address(secret, timeout_seconds=5)
    for text in (f"Server said no: '{address.url}'", f"password {PASSWORD} is bad", "ss rtsp://a:b@h/x"):
        shown = redact(text, secret)
        assert PASSWORD not in shown
        assert "p%40ss" not in shown
        assert "a:b@" not in shown


def test_a_new_password_is_another_source_and_a_new_rate_is_not() -> None:
    """A camera is opened again only when its address or credentials change."""
    assert is_same_source(camera(), camera(sampled_fps=2.0, revision=7))
    assert not is_same_source(camera(), camera(password="new", username="u"))
    assert not is_same_source(camera(), camera("rtsp://other/a"))


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
