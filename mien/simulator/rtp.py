"""RTP packets for H.264 (RFC 6184, mode 1) and H.265 (RFC 7798), and the sender reports with them."""

import struct
from collections.abc import Iterator
from typing import Final

from mien.simulator.clips import AccessUnit, Codec

PAYLOAD_TYPE: Final = 96
_MAX_PAYLOAD_BYTES: Final = 1400
# Types of a packet that carries a part of a NAL unit.
_FU_H264, _FU_H265 = 28, 49
_NTP_EPOCH_OFFSET_SECONDS: Final = 2_208_988_800


class RtpStream:
    """Numbers the packets of one session."""

    def __init__(self, ssrc: int, *, sequence: int = 0) -> None:
        self._ssrc = ssrc
        self._sequence = sequence
        self._packets = 0
        self._octets = 0

    def packets(self, unit: AccessUnit, rtp_time: int, codec: Codec = "h264") -> Iterator[bytes]:
        """Yield the RTP packets of one picture; the last has the marker bit."""
        last = len(unit.nals) - 1
        for index, nal in enumerate(unit.nals):
            payloads = list(_fragments(nal, codec))
            for part, payload in enumerate(payloads):
                marker = index == last and part == len(payloads) - 1
                yield self._packet(payload, rtp_time, marker=marker)

    def sender_report(self, rtp_time: int, unix_seconds: float) -> bytes:
        """Return an RTCP sender report that ties *rtp_time* to the camera's clock."""
        ntp = unix_seconds + _NTP_EPOCH_OFFSET_SECONDS
        fraction = int((ntp - int(ntp)) * (1 << 32))
        return struct.pack(
            ">BBHIIIIII",
            0x80,
            200,
            6,
            self._ssrc,
            int(ntp),
            fraction,
            rtp_time & 0xFFFFFFFF,
            self._packets & 0xFFFFFFFF,
            self._octets & 0xFFFFFFFF,
        )

    def _packet(self, payload: bytes, rtp_time: int, *, marker: bool) -> bytes:
        header = struct.pack(
            ">BBHII",
            0x80,
            (0x80 if marker else 0) | PAYLOAD_TYPE,
            self._sequence,
            rtp_time & 0xFFFFFFFF,
            self._ssrc,
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._packets += 1
        self._octets += len(payload)
        return header + payload


def interleave(channel: int, packet: bytes) -> bytes:
    """Frame a packet for the RTSP connection (RFC 2326, 10.12)."""
    return b"$" + struct.pack(">BH", channel, len(packet)) + packet


def _fragments(nal: bytes, codec: Codec) -> Iterator[bytes]:
    if len(nal) <= _MAX_PAYLOAD_BYTES:
        yield nal
        return
    if codec == "h264":
        header, kind, body = bytes(((nal[0] & 0xE0) | _FU_H264,)), nal[0] & 0x1F, nal[1:]
    else:
        header, kind, body = bytes(((nal[0] & 0x81) | _FU_H265 << 1, nal[1])), nal[0] >> 1 & 0x3F, nal[2:]
    # With both headers a fragment is as large as a packet may be, so there are always two: a single one that
    # begins and ends a unit is forbidden.
    room = _MAX_PAYLOAD_BYTES - len(header) - 1
    for start in range(0, len(body), room):
        first = 0x80 if start == 0 else 0
        last = 0x40 if start + room >= len(body) else 0
        yield header + bytes((first | last | kind,)) + body[start : start + room]
