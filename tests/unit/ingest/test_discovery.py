"""Answers to a search are from anybody: what is believed of them, and what is not."""

import pytest

from services.ingest.discovery import build_probe, read_answer
from services.ingest.soap import find, parse_untrusted, text_of

OURS = "urn:uuid:ours"


def answer(**changes: str) -> bytes:
    """Return an answer as cameras give it, with some parts changed."""
    parts = {
        "relates": OURS,
        "identifier": "urn:uuid:camera",
        "addresses": "http://192.168.1.20/onvif/device_service",
        "scopes": "onvif://www.onvif.org/name/Front%20door onvif://www.onvif.org/hardware/X1",
        "prolog": "",
        **changes,
    }
    return (
        parts["prolog"]
        + '<s:Envelope xmlns:s="urn:s" xmlns:a="urn:a" xmlns:d="urn:d"><s:Header>'
        + f"<a:RelatesTo>{parts['relates']}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>"
        + f"<a:EndpointReference><a:Address>{parts['identifier']}</a:Address></a:EndpointReference>"
        + f"<d:Scopes>{parts['scopes']}</d:Scopes><d:XAddrs>{parts['addresses']}</d:XAddrs>"
        + "</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


def read(datagram: bytes) -> list[tuple[str, str, str]]:
    """Return address, name and model of the devices in an answer from 192.168.1.20."""
    devices = read_answer(datagram, "192.168.1.20", asked=OURS.__eq__)
    return [(device.address, device.name, device.model) for device in devices.values()]


def test_answer_tells_address_name_and_model() -> None:
    """What people tell a camera by stands in its scopes."""
    assert read(answer()) == [("http://192.168.1.20/onvif/device_service", "Front door", "X1")]


@pytest.mark.parametrize(
    ("addresses", "address"),
    [
        ("http://10.0.0.9/a http://192.168.1.20:8000/b", "http://192.168.1.20:8000/b"),
        ("http://10.0.0.9:81/a", "http://192.168.1.20:81/a"),
        ("http://169.254.169.254/latest/meta-data", "http://192.168.1.20/latest/meta-data"),
        ("http://user:secret@192.168.1.20/a?b#c", "http://192.168.1.20/a"),
        ("https://192.168.1.20", "https://192.168.1.20/onvif/device_service"),
        ("http://192.168.1.20:99999/a https://192.168.1.20/b", "https://192.168.1.20/b"),
    ],
)
def test_address_leads_to_whoever_answered(addresses: str, address: str) -> None:
    """An answer can't send us, and later a password, to another host."""
    assert [found for found, *_ in read(answer(addresses=addresses))] == [address]


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x00\xff" * 100,
        b"<unfinished",
        answer(relates="urn:uuid:somebody-elses"),
        answer(relates=""),
        answer(addresses=""),
        answer(addresses="ftp://192.168.1.20/x file:///etc/passwd rtsp://192.168.1.20/"),
        answer(prolog='<!DOCTYPE x [<!ENTITY a "b">]>', scopes="&a;"),
        answer(prolog='<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', scopes="&a;"),
        answer(prolog='<!DOCTYPE x SYSTEM "http://192.168.1.66/x.dtd">'),
        answer(scopes="x" * 70_000),
        b"<a>" * 20_000,
    ],
    ids=range(12),
)
def test_datagram_that_is_no_answer_to_us_tells_of_nothing(datagram: bytes) -> None:
    """Noise, answers to others, entities and external parts: none is an error, none is believed."""
    assert read(datagram) == []


def test_names_hold_nothing_that_could_disturb_a_terminal() -> None:
    """Control characters are left out, and endless names are cut off."""
    scopes = f"onvif://www.onvif.org/name/Door%1B%5B31m{'x' * 500}"
    ((_, name, _),) = read(answer(scopes=scopes))
    assert name.startswith("Door[31mx")
    assert len(name) == 100


def test_probe_asks_for_a_type_under_its_own_id() -> None:
    """Two kinds of probe, for cameras that answer to one of them only."""
    root = parse_untrusted(build_probe(("tds:Device", "urn:device"), OURS))
    assert text_of(root, "Header", "MessageID") == OURS
    assert text_of(find(root, "Probe"), "Types") == "tds:Device"
