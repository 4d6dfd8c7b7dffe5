"""A camera as HLS: its latest pictures in pieces of MPEG-TS, packed anew without encoding (RFC 8216)."""

import asyncio
import io
import time
from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import av

from mien.simulator.camera import Shown, SimulatedCamera
from mien.simulator.clips import RTP_HZ, AccessUnit, Codec

PIECE_SECONDS: Final = 1.0
_PIECES: Final = 4
_UNASKED_SECONDS: Final = 30.0


class Playlist:
    """Collects a camera's pictures while somebody asks for them; a piece ends before a keyframe.

    Attributes:
        pieces: The newest, by number.
    """

    wants_jpeg = False

    def __init__(self, camera: SimulatedCamera) -> None:
        self.began_at = time.monotonic()
        self.pieces: deque[tuple[int, float, bytes]] = deque(maxlen=_PIECES)
        self.has_ended = False
        self._camera = camera
        self._asked_at = time.monotonic()
        self._units: list[tuple[AccessUnit, int]] = []
        self._next_number = 0
        self._cut = asyncio.Event()

    def show(self, shown: Shown, ticks: int) -> None:
        """Take a picture; a piece that has become long enough is closed before a keyframe."""
        if time.monotonic() - self._asked_at > _UNASKED_SECONDS:
            self.disconnect()
            return
        if shown.unit.is_keyframe and self._units:
            seconds = (ticks - self._units[0][1]) / RTP_HZ
            if seconds >= PIECE_SECONDS:
                source = self._camera.source
                piece = pack_piece(self._units, source.codec, source.size_wh)
                self.pieces.append((self._next_number, seconds, piece))
                self._next_number += 1
                self._units = []
                self._cut.set()
        if self._units or shown.unit.is_keyframe:
            self._units.append((shown.unit, ticks))

    def disconnect(self) -> None:
        """Collect nothing any more."""
        self.has_ended = True
        self._camera.viewers.discard(self)

    async def text(self) -> str:
        """Return the playlist, once there is a piece."""
        self._asked_at = time.monotonic()
        await self._cut.wait()
        longest = max(seconds for _, seconds, _ in self.pieces)
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:3",
            f"#EXT-X-TARGETDURATION:{max(round(longest + 0.5), 1)}",
            f"#EXT-X-MEDIA-SEQUENCE:{self.pieces[0][0]}",
        ]
        for number, seconds, _ in self.pieces:
            lines += [f"#EXTINF:{seconds:.3f},", f"{number}.ts"]
        return "\n".join(lines) + "\n"

    def piece(self, wanted: int) -> bytes | None:
        """Return a piece, None when it is gone or not there yet."""
        self._asked_at = time.monotonic()
        return next((piece for number, _, piece in self.pieces if number == wanted), None)


def pack_piece(units: Sequence[tuple[AccessUnit, int]], codec: Codec, size_wh: tuple[int, int]) -> bytes:
    """Pack pictures with their times, in 1/90000 s, as MPEG-TS."""
    buffer = io.BytesIO()
    width, height = size_wh
    with av.open(buffer, "w", format="mpegts") as container:
        stream = container.add_mux_stream(codec, width=width, height=height, time_base=Fraction(1, RTP_HZ))
        for unit, ticks in units:
            packet = av.Packet(b"".join(b"\x00\x00\x00\x01" + nal for nal in unit.nals))
            packet.stream = stream
            packet.time_base = Fraction(1, RTP_HZ)
            packet.pts = packet.dts = ticks
            packet.is_keyframe = unit.is_keyframe
            container.mux(packet)
    return buffer.getvalue()
