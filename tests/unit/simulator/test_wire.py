"""RTP, byte streams and authentication as the simulator puts them on the wire."""

import base64
import hashlib

import pytest

from mien.simulator.auth import Credentials
from mien.simulator.clips import AccessUnit, Codec, split_annex_b
from mien.simulator.rtp import RtpStream, interleave


def test_start_codes_of_both_lengths_split_a_byte_stream() -> None:
    """Three and four byte start codes separate units and belong to none."""
    assert split_annex_b(b"\x00\x00\x00\x01\x67abc\x00\x00\x01\x68d\x00\x00\x00\x01\x65e") == [
        b"\x67abc",
        b"\x68d",
        b"\x65e",
    ]


def test_large_units_are_fragmented_and_put_together_again() -> None:
    """FU-A fragments carry the unit's header in parts, begin and end flags, and one marker per picture."""
    nal = b"\x65" + bytes(range(256)) * 20
    packets = list(RtpStream(7, sequence=65534).packets(AccessUnit((b"\x67sps", nal), True), 2**32 + 5))
    payloads = [packet[12:] for packet in packets]
    assert payloads[0] == b"\x67sps"
    fragments = payloads[1:]
    assert all(fragment[0] & 0x1F == 28 for fragment in fragments)
    assert [bool(fragment[1] & 0x80) for fragment in fragments] == [True, False, False, False]
    assert [bool(fragment[1] & 0x40) for fragment in fragments] == [False, False, False, True]
    header = bytes([(fragments[0][0] & 0xE0) | (fragments[0][1] & 0x1F)])
    assert header + b"".join(fragment[2:] for fragment in fragments) == nal
    assert [bool(packet[1] & 0x80) for packet in packets] == [False, False, False, False, True]
    assert [int.from_bytes(packet[2:4]) for packet in packets] == [65534, 65535, 0, 1, 2]
    assert {packet[4:8] for packet in packets} == {(5).to_bytes(4)}


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("beyond", [0, 1, 2, 3, 1400])
def test_no_fragment_is_both_the_first_and_the_last(codec: Codec, beyond: int) -> None:
    """Whatever the size of a unit, beside what fits a packet, decoders would throw such a fragment away."""
    nal = b"\x26\x01" + bytes(1398 + beyond)
    packets = list(RtpStream(7).packets(AccessUnit((nal,), True), 0, codec))
    assert all(len(packet) <= 12 + 1400 for packet in packets)
    at = 13 if codec == "h264" else 14
    flags = [packet[at] & 0xC0 for packet in packets]
    assert len(packets) == 1 if beyond == 0 else flags == [0x80, *[0] * (len(flags) - 2), 0x40]


def test_sender_reports_count_what_was_sent() -> None:
    """A report carries the camera's clock in NTP time and the number of packets so far."""
    stream = RtpStream(7)
    list(stream.packets(AccessUnit((b"\x65x",), True), 90_000))
    report = stream.sender_report(90_000, 1_700_000_000.5)
    assert report[1] == 200
    assert int.from_bytes(report[8:12]) == 1_700_000_000 + 2_208_988_800
    assert int.from_bytes(report[12:16]) == 2**31
    assert int.from_bytes(report[20:24]) == 1
    assert interleave(1, report)[:4] == b"$\x01" + len(report).to_bytes(2)


def test_basic_and_digest_accept_only_the_right_password() -> None:
    """The right proof is accepted; another password, nonce, scheme or nothing is not."""
    basic = Credentials("admin", "p:w", "basic")
    assert basic.accept("Basic " + base64.b64encode(b"admin:p:w").decode(), "DESCRIBE")
    assert not basic.accept("Basic " + base64.b64encode(b"admin:no").decode(), "DESCRIBE")
    assert not basic.accept(None, "DESCRIBE")

    digest = Credentials("admin", "s3cret")

    def proof(password: str, nonce: str) -> str:
        secret = hashlib.md5(f"admin:camera:{password}".encode()).hexdigest()
        request = hashlib.md5(b"PLAY:rtsp://h/a").hexdigest()
        response = hashlib.md5(f"{secret}:{nonce}:{request}".encode()).hexdigest()
        fields = f'realm="camera", nonce="{nonce}", uri="rtsp://h/a", response="{response}"'
        return f'Digest username="admin", {fields}'

    assert digest.accept(proof("s3cret", digest.nonce), "PLAY")
    assert not digest.accept(proof("s3cret", digest.nonce), "SETUP")
    assert not digest.accept(proof("wrong", digest.nonce), "PLAY")
    assert not digest.accept(proof("s3cret", "other"), "PLAY")
    assert not digest.accept("Basic " + base64.b64encode(b"admin:s3cret").decode(), "PLAY")
    assert "s3cret" not in repr(digest)
