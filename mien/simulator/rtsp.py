"""An RTSP server for simulated cameras: H.264 and H.265 over TCP, TLS and UDP (RFC 2326)."""

import asyncio
import base64
import random
import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from mien.simulator.auth import Credentials, asked_of
from mien.simulator.camera import Shown, SimulatedCamera
from mien.simulator.delivery import Delivery, InterleavedDelivery, open_udp
from mien.simulator.rtp import PAYLOAD_TYPE, RtpStream

_METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_REASONS: Final = {
    200: "OK",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    461: "Unsupported Transport",
    501: "Not Implemented",
}
_REPORT_INTERVAL_SECONDS: Final = 2.0
_TRACK: Final = "track0"
_H265_SETS: Final = ("vps", "sps", "pps")


Answer = tuple[int, dict[str, str], str]
"""Status, headers and body."""


@dataclass(frozen=True)
class Request:
    """An RTSP request; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]


class RtspServer:
    """Listens for viewers of its cameras; the ports survive a spell of refusing.

    Attributes:
        tls_port: Of RTSPS; None without a *tls* context.
    """

    def __init__(
        self,
        cameras: Mapping[str, SimulatedCamera],
        *,
        host: str,
        port: int,
        credentials: Credentials | None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.cameras = cameras
        self.credentials = credentials
        self.host = host
        self.port = port
        self.tls_port: int | None = None
        self._tls = tls
        self._servers: list[asyncio.Server] = []
        self._connections: set[RtspConnection] = set()

    async def accept(self) -> None:
        """Begin to listen; does nothing while it listens already."""
        if self._servers:
            return
        self._servers.append(await asyncio.start_server(self._serve, self.host, self.port))
        self.port = self._servers[0].sockets[0].getsockname()[1]
        if self._tls is not None:
            encrypted = await asyncio.start_server(self._serve, self.host, self.tls_port or 0, ssl=self._tls)
            self._servers.append(encrypted)
            self.tls_port = encrypted.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Stop listening and close all connections, as a camera without power does."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for connection in list(self._connections):
            connection.disconnect()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = RtspConnection(self.cameras, self.credentials, reader, writer)
        self._connections.add(connection)
        try:
            await connection.serve()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnicodeDecodeError):
            pass  # the viewer went away, or doesn't speak RTSP: both are its own affair
        finally:
            connection.disconnect()
            self._connections.discard(connection)


class RtspConnection:
    """One viewer: answers its requests and, once it plays, writes pictures between the answers."""

    wants_jpeg = False

    def __init__(
        self,
        cameras: Mapping[str, SimulatedCamera],
        credentials: Credentials | None,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._cameras = cameras
        self._credentials = credentials
        self._reader = reader
        self._writer = writer
        self._camera: SimulatedCamera | None = None
        self._session = secrets.token_hex(8)
        self._stream = RtpStream(secrets.randbits(32), sequence=secrets.randbits(15))
        self._delivery: Delivery = InterleavedDelivery(writer, 0)
        self._first_ticks = secrets.randbits(31)
        self._awaits_keyframe = True
        self._reported_at = 0.0
        self._reported_jump = 0.0
        self.began_at = time.monotonic()

    async def serve(self) -> None:
        """Answer requests until the viewer leaves."""
        while (request := await self._read_request()) is not None:
            camera = self._find_camera(request.url)
            if camera is not None and camera.faults.half_open:
                await self._reader.read()  # for ever: whatever is asked, nothing is answered
                return
            status, headers, body = await self._answer(request, camera)
            self._write_response(request, status, headers, body)
            await self._writer.drain()
            if request.method == "PLAY" and status == 200 and camera is not None:
                self._camera = camera
                self.began_at = time.monotonic()
                camera.add_viewer(self)
            if request.method == "TEARDOWN":
                return

    def show(self, shown: Shown, ticks: int) -> None:
        """Send a picture, unless the viewer is so slow that it must be left out."""
        camera = self._camera
        if camera is None or self._writer.is_closing():
            return
        if self._delivery.is_behind:
            self._awaits_keyframe = True
            return
        if self._awaits_keyframe and not shown.unit.is_keyframe:
            return
        self._awaits_keyframe = False
        rtp_time = self._first_ticks + ticks
        report = None
        jump = camera.faults.clock
        since_report = time.monotonic() - self._reported_at
        if since_report > _REPORT_INTERVAL_SECONDS or jump != self._reported_jump:
            self._reported_at, self._reported_jump = time.monotonic(), jump
            report = self._stream.sender_report(rtp_time, (shown.taken_at or time.time()) + jump)
        loss = camera.faults.loss
        packets = [
            packet
            for packet in self._stream.packets(shown.unit, rtp_time, camera.source.codec)
            if not (loss and random.random() < loss)  # noqa: S311 - a simulated fault, no secret
        ]
        self._delivery.send(packets, report, bytes_per_second=camera.faults.bytes_per_second)

    def disconnect(self) -> None:
        """Close the connection and stop watching."""
        if self._camera is not None:
            self._camera.viewers.discard(self)
        self._delivery.close()
        self._writer.close()

    async def _read_request(self) -> Request | None:
        while (first := await self._reader.read(1)) == b"$":
            header = await self._reader.readexactly(3)
            await self._reader.readexactly(int.from_bytes(header[1:]))  # receiver reports
        if not first:
            return None
        head = (first + await self._reader.readuntil(b"\r\n\r\n")).decode().strip()
        start, *lines = head.split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        await self._reader.readexactly(int(headers.get("content-length", "0")))
        method, url = [*start.split(" "), "", ""][:2]
        return Request(method, url, headers)

    def _find_camera(self, url: str) -> SimulatedCamera | None:
        return self._cameras.get(urlsplit(url).path.strip("/").split("/")[0])

    async def _answer(self, request: Request, camera: SimulatedCamera | None) -> Answer:
        if request.method == "OPTIONS":
            return 200, {"Public": _METHODS}, ""
        credentials = asked_of(camera, self._credentials)
        if credentials and not credentials.accept(request.headers.get("authorization"), request.method):
            return 401, {"WWW-Authenticate": credentials.challenge}, ""
        if camera is None:
            return 404, {}, ""
        return await self._answer_about(request, camera)

    async def _answer_about(self, request: Request, camera: SimulatedCamera) -> Answer:
        match request.method:
            case "DESCRIBE":
                base = f"rtsp://{urlsplit(request.url).netloc.rpartition('@')[2]}/{camera.name}/"
                answer = {"Content-Base": base, "Content-Type": "application/sdp"}
                return 200, answer, describe(camera)
            case "SETUP":
                return await self._set_up(request)
            case "PLAY" | "PAUSE" | "TEARDOWN" | "GET_PARAMETER" | "SET_PARAMETER":
                known = request.headers.get("session", "").partition(";")[0] == self._session
                return (200 if known else 454), {"Session": self._session}, ""
        return 501, {}, ""

    async def _set_up(self, request: Request) -> Answer:
        transport = request.headers.get("transport", "")
        options = dict(part.partition("=")[::2] for part in transport.split(";"))
        try:
            if "/TCP" in transport.upper():
                channel = int(options.get("interleaved", "0-1").partition("-")[0])
                self._delivery = InterleavedDelivery(self._writer, channel)
                chosen = f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
            else:
                chosen = await self._set_up_udp(options["client_port"])
        except (KeyError, ValueError):
            return 461, {}, ""
        return 200, {"Transport": chosen, "Session": f"{self._session};timeout=60"}, ""

    async def _set_up_udp(self, client_port: str) -> str:
        first, _, second = client_port.partition("-")
        ports = int(first), int(second or int(first) + 1)
        viewer, own = self._writer.get_extra_info("peername")[0], self._writer.get_extra_info("sockname")[0]
        self._delivery.close()
        delivery = await open_udp(own, (viewer, *ports))
        self._delivery = delivery
        rtp, rtcp = delivery.ports
        return f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]};server_port={rtp}-{rtcp}"

    def _write_response(self, request: Request, status: int, headers: dict[str, str], body: str) -> None:
        lines = [f"RTSP/1.0 {status} {_REASONS[status]}", f"CSeq: {request.headers.get('cseq', '0')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())


def describe(camera: SimulatedCamera) -> str:
    """Return the session description (SDP) of a camera, its parameter sets included."""
    sets = [base64.b64encode(nal).decode() for nal in camera.source.parameter_sets]
    if camera.source.codec == "h264":
        encoding, profile = "H264", camera.source.parameter_sets[0][1:4].hex()
        parameters = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(sets)}"
    else:
        encoding = "H265"
        parameters = ";".join(f"sprop-{name}={one}" for name, one in zip(_H265_SETS, sets, strict=True))
    width, height = camera.source.size_wh
    lines = [
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        f"s={camera.name}",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {encoding}/90000",
        f"a=fmtp:{PAYLOAD_TYPE} {parameters}",
        f"a=framesize:{PAYLOAD_TYPE} {width}-{height}",
        f"a=control:{_TRACK}",
    ]
    return "\r\n".join(lines) + "\r\n"
