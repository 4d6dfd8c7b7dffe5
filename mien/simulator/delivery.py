"""How RTP packets reach a viewer: between the answers on its RTSP connection, or over UDP."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from mien.simulator.rtp import interleave

_MAX_BUFFERED_BYTES: Final = 16 * 1024 * 1024
# A camera on a slow line throws pictures away rather than show what is long past.
_SLOW_BUFFER_BYTES: Final = 256 * 1024


class Delivery(Protocol):
    """A way to one viewer."""

    @property
    def is_behind(self) -> bool:
        """Whether so much waits already that pictures must be left out."""

    def send(self, rtp: Sequence[bytes], rtcp: bytes | None, *, bytes_per_second: float) -> None:
        """Send the packets of a picture, and a report before them; never blocks. 0 is no limit."""

    def close(self) -> None:
        """Send nothing any more."""


class InterleavedDelivery:
    """Over the RTSP connection (RFC 2326, 10.12), whose writer it shares and leaves open."""

    def __init__(self, writer: asyncio.StreamWriter, channel: int) -> None:
        self._writer = writer
        self._channel = channel
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._bytes_per_second = 0.0
        self._drip: asyncio.Task[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether the viewer, or a line that was made slow, has taken too little."""
        buffered = self._writer.transport.get_write_buffer_size()
        return buffered > _MAX_BUFFERED_BYTES or self._waiting_bytes > _SLOW_BUFFER_BYTES

    def send(self, rtp: Sequence[bytes], rtcp: bytes | None, *, bytes_per_second: float) -> None:
        """Write at once, or by and by, whole packets only, so that answers fit between them."""
        packets = [] if rtcp is None else [interleave(self._channel + 1, rtcp)]
        packets += [interleave(self._channel, packet) for packet in rtp]
        self._bytes_per_second = bytes_per_second
        if not bytes_per_second and not self._waiting:
            self._writer.write(b"".join(packets))
            return
        self._waiting.extend(packets)
        self._waiting_bytes += sum(map(len, packets))
        if self._drip is None or self._drip.done():
            self._drip = asyncio.create_task(self._send_waiting())

    def close(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
        if self._drip is not None:
            self._drip.cancel()

    async def _send_waiting(self) -> None:
        while self._waiting and not self._writer.is_closing():
            packet = self._waiting.popleft()
            self._waiting_bytes -= len(packet)
            self._writer.write(packet)
            if self._bytes_per_second:
                await asyncio.sleep(len(packet) / self._bytes_per_second)


class UdpDelivery:
    """From two ports of ours, for RTP and RTCP, to two of the viewer's; what is lost is lost."""

    is_behind = False

    def __init__(
        self, rtp: asyncio.DatagramTransport, rtcp: asyncio.DatagramTransport, viewer: tuple[str, int, int]
    ) -> None:
        host, rtp_port, rtcp_port = viewer
        self._rtp, self._rtcp = rtp, rtcp
        self._rtp_address, self._rtcp_address = (host, rtp_port), (host, rtcp_port)

    @property
    def ports(self) -> tuple[int, int]:
        """Where it sends from."""
        rtp, rtcp = (transport.get_extra_info("sockname")[1] for transport in (self._rtp, self._rtcp))
        return rtp, rtcp

    def send(self, rtp: Sequence[bytes], rtcp: bytes | None, *, bytes_per_second: float) -> None:
        """Send each packet as a datagram; a limit doesn't hold here."""
        if rtcp is not None:
            self._rtcp.sendto(rtcp, self._rtcp_address)
        for packet in rtp:
            self._rtp.sendto(packet, self._rtp_address)

    def close(self) -> None:
        """Give the ports back."""
        self._rtp.close()
        self._rtcp.close()


async def open_udp(host: str, viewer: tuple[str, int, int]) -> UdpDelivery:
    """Take two ports; *viewer* is its host and its ports for RTP and RTCP."""
    loop = asyncio.get_running_loop()
    rtp, rtcp = [
        (await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(host, 0)))[0]
        for _ in range(2)
    ]
    return UdpDelivery(rtp, rtcp, viewer)
