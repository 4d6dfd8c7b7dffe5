"""What a simulated camera says over ONVIF, to whom, and which searches it answers."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from mien.simulator.auth import Credentials
from mien.simulator.camera import SimulatedCamera
from mien.simulator.discovery import probe_id, probe_match
from mien.simulator.onvif import ELSEWHERE, FaultAnswerError, OnvifDevice, OnvifService, devices_of
from tests.unit.simulator.test_faults import Numbers

ADMIN = Credentials("admin", "p&ss<1>")
ASKED_AT = "http://10.0.0.7:8080/door/onvif/device_service"
ADDRESSES = {"rtsp": "rtsp://0.0.0.0:8554/door?a=1&b=2", "snapshot": "http://0.0.0.0:80/door.jpg"}


def camera(name: str = "door") -> SimulatedCamera:
    """Return a camera of numbers."""
    return SimulatedCamera(name, Numbers())


def security(credentials: Credentials, created: datetime) -> str:
    """Return a security header as clients make it."""
    nonce, text = b"nonce", created.strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha1(
        nonce + text.encode() + credentials.password.encode(), usedforsecurity=False
    ).digest()
    parts = {
        "Username": credentials.username,
        "Password": base64.b64encode(digest).decode(),
        "Nonce": base64.b64encode(nonce).decode(),
        "Created": text,
    }
    return "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())


def ask(
    device: OnvifDevice, request: str, *, header: str = "", credentials: Credentials | None = None
) -> str:
    """Return the body of the answer to a request."""
    service = OnvifService(device, credentials, lambda _: ADDRESSES, asked_at=ASKED_AT)
    body = f"<t:{request}><ProfileToken>door</ProfileToken></t:{request}>"
    return service.answer(
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:t="urn:t">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def texts(answer: str) -> dict[str, str]:
    """Return what an answer says, by local names; each prefix must be one that the envelope declares."""
    declared = " ".join(f'xmlns:{prefix}="{prefix}"' for prefix in ("tds", "trt", "tt"))
    root: Element = fromstring(f"<r {declared}>{answer}</r>")
    return {one.tag.rpartition("}")[2]: (one.text or "").strip() for one in root.iter()}


def test_everybody_may_ask_for_the_time_and_those_with_a_token_for_the_rest() -> None:
    """The token is dated by the camera's clock, which may be wrong."""
    device = OnvifDevice((camera(),))
    device.streams[0].faults.clock = 3 * 3600
    assert texts(ask(device, "GetSystemDateAndTime", credentials=ADMIN))["Year"]
    with pytest.raises(FaultAnswerError, match="not authorized"):
        ask(device, "GetProfiles", credentials=ADMIN)
    its_now = datetime.now(UTC) + timedelta(hours=3)
    told = texts(ask(device, "GetProfiles", credentials=ADMIN, header=security(ADMIN, its_now)))
    assert (told["Encoding"], told["Width"], told["Height"]) == ("H264", "2", "2")


@pytest.mark.parametrize(
    ("credentials", "late"),
    [
        (Credentials("admin", "wrong"), timedelta()),
        (Credentials("root", ADMIN.password), timedelta()),
        (ADMIN, timedelta(minutes=1)),
    ],
    ids=["password", "user", "old"],
)
def test_token_that_proves_nothing_is_refused(credentials: Credentials, late: timedelta) -> None:
    """Another password, another user, or a token that somebody has kept."""
    header = security(credentials, datetime.now(UTC) - late)
    with pytest.raises(FaultAnswerError) as refused:
        ask(OnvifDevice((camera(),)), "GetProfiles", credentials=ADMIN, header=header)
    assert refused.value.code == "NotAuthorized"


def test_camera_that_rejects_everybody_rejects_them_here_too() -> None:
    """The fault is that of all sides."""
    device = OnvifDevice((camera(),))
    device.streams[0].faults.reject = True
    with pytest.raises(FaultAnswerError, match="not authorized"):
        ask(device, "GetProfiles", credentials=ADMIN, header=security(ADMIN, datetime.now(UTC)))


def test_addresses_are_at_the_host_that_was_asked_or_nowhere() -> None:
    """Whatever the simulator listens on; with the fault, where nobody is."""
    device = OnvifDevice((camera(),))
    assert texts(ask(device, "GetStreamUri"))["Uri"] == "rtsp://10.0.0.7:8554/door?a=1&b=2"
    assert texts(ask(device, "GetSnapshotUri"))["Uri"] == "http://10.0.0.7:80/door.jpg"
    assert texts(ask(device, "GetCapabilities"))["XAddr"] == ASKED_AT
    assert texts(ask(device, "GetServices"))["XAddr"] == ASKED_AT
    device.streams[0].faults.wrong_host = True
    assert texts(ask(device, "GetStreamUri"))["Uri"] == f"rtsp://{ELSEWHERE}:8554/door?a=1&b=2"


@pytest.mark.parametrize("request_name", ["Reboot", "GetStreamUri"])
def test_what_there_is_not_is_a_fault(request_name: str) -> None:
    """An action that isn't simulated, a profile of another camera."""
    with pytest.raises(FaultAnswerError):
        ask(OnvifDevice((camera("yard"),)), request_name)


@pytest.mark.parametrize("text", ["", "hello", "<a/>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_anything_else_than_soap_is_a_fault(text: str) -> None:
    """Whoever sends it."""
    service = OnvifService(OnvifDevice((camera(),)), None, lambda _: ADDRESSES, asked_at=ASKED_AT)
    with pytest.raises(FaultAnswerError, match="expected a SOAP envelope"):
        service.answer(text)


def test_main_stream_belongs_to_its_camera() -> None:
    """NAME-main is one of NAME's streams where there is a NAME."""
    cameras = {name: camera(name) for name in ("door", "door-main", "yard", "gate-main")}
    named = [[stream.name for stream in device.streams] for device in devices_of(cameras)]
    assert named == [["door", "door-main"], ["yard"], ["gate-main"]]


def probe(types: str | None, body: str = "Probe") -> bytes:
    """Return a message of WS-Discovery."""
    listed = "" if types is None else f"<d:Types>{types}</d:Types>"
    return f"<e><w:MessageID>urn:uuid:7</w:MessageID><d:{body}>{listed}</d:{body}></e>".encode()


@pytest.mark.parametrize(
    ("datagram", "expected"),
    [
        (probe("dn:NetworkVideoTransmitter"), "urn:uuid:7"),
        (probe("x:Printer tds:Device"), "urn:uuid:7"),
        (probe(None), "urn:uuid:7"),
        (probe(""), "urn:uuid:7"),
        (probe("wsdp:Printer"), None),
        (probe(None, "ProbeMatches"), None),
        (probe(None, "Hello"), None),
        (b"<Probe/>", None),
        (b"\xff\x00", None),
    ],
)
def test_only_probes_for_cameras_are_answered(datagram: bytes, expected: str | None) -> None:
    """Printers and the answers of others come by the same group."""
    assert probe_id(datagram) == expected


def test_answer_to_a_probe_is_xml_whatever_the_camera_is_called() -> None:
    """A name is a file's, and may hold anything."""
    match = probe_match(OnvifDevice((camera('a <b> & "c" ü'),)), "http://h:1/x", "urn:uuid:7")
    assert fromstring(match) is not None
    assert b"name/a%20%3Cb%3E%20%26" in match
