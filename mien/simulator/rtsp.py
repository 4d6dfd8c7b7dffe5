"""An RTSP server for simulated cameras: H.264 and H.265 over TCP, interleaved (RFC 2326)."""

import asyncio
import base64
import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from mien.simulator.auth import Credentials
from mien.simulator.camera import Shown, SimulatedCamera
from mien.simulator.rtp import PAYLOAD_TYPE, RtpStream, interleave

_METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
_REASONS: Final = {
    200: "OK",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    461: "Unsupported Transport",
    501: "Not Implemented",
}
_MAX_BUFFERED_BYTES: Final = 16 * 1024 * 1024
_REPORT_INTERVAL_SECONDS: Final = 2.0
_TRACK: Final = "track0"
_H265_SETS: Final = ("vps", "sps", "pps")


@dataclass(frozen=True)
class Request:
    """An RTSP request; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]


class RtspServer:
    """Listens for viewers of its cameras; the port survives a spell of refusing."""

    def __init__(
        self, cameras: Mapping[str, SimulatedCamera], *, host: str, port: int, credentials: Credentials | None
    ) -> None:
        self.cameras = cameras
        self.credentials = credentials
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None
        self._connections: set[RtspConnection] = set()

    async def accept(self) -> None:
        """Begin to listen; does nothing while it listens already."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Stop listening and close all connections, as a camera without power does."""
        if self._server is not None:
            self._server.close()
            self._server = None
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
        self._channel = 0
        self._first_ticks = secrets.randbits(31)
        self._awaits_keyframe = True
        self._muted = False
        self._reported_at = 0.0

    async def serve(self) -> None:
        """Answer requests until the viewer leaves."""
        while (request := await self._read_request()) is not None:
            camera = self._find_camera(request.url)
            if camera is not None and camera.deaf:
                await self._reader.read()  # for ever: whatever is asked, nothing is answered
                return
            status, headers, body = self._answer(request, camera)
            self._write_response(request, status, headers, body)
            await self._writer.drain()
            if request.method == "PLAY" and status == 200 and camera is not None:
                self._muted = camera.muted
                self._camera = camera
                camera.add_viewer(self)
            if request.method == "TEARDOWN":
                return

    def show(self, shown: Shown, ticks: int) -> None:
        """Write a picture, unless the viewer is so slow that it must be left out."""
        camera = self._camera
        if camera is None or self._writer.is_closing() or (self._muted and camera.muted):
            return
        if self._writer.transport.get_write_buffer_size() > _MAX_BUFFERED_BYTES:
            self._awaits_keyframe = True
            return
        if self._awaits_keyframe and not shown.unit.is_keyframe:
            return
        self._awaits_keyframe = False
        rtp_time = self._first_ticks + ticks
        data = bytearray()
        if time.monotonic() - self._reported_at > _REPORT_INTERVAL_SECONDS:
            self._reported_at = time.monotonic()
            data += interleave(
                self._channel + 1, self._stream.sender_report(rtp_time, shown.taken_at or time.time())
            )
        for packet in self._stream.packets(shown.unit, rtp_time, camera.source.codec):
            if not (camera.loss and random.random() < camera.loss):  # noqa: S311 - a simulated fault, no secret
                data += interleave(self._channel, packet)
        self._writer.write(bytes(data))

    def disconnect(self) -> None:
        """Close the connection and stop watching."""
        if self._camera is not None:
            self._camera.viewers.discard(self)
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

    def _answer(self, request: Request, camera: SimulatedCamera | None) -> tuple[int, dict[str, str], str]:
        if request.method == "OPTIONS":
            return 200, {"Public": _METHODS}, ""
        proof = request.headers.get("authorization")
        if self._credentials and not self._credentials.accept(proof, request.method):
            return 401, {"WWW-Authenticate": self._credentials.challenge}, ""
        if camera is None:
            return 404, {}, ""
        return self._answer_about(request, camera)

    def _answer_about(self, request: Request, camera: SimulatedCamera) -> tuple[int, dict[str, str], str]:
        match request.method:
            case "DESCRIBE":
                base = f"rtsp://{urlsplit(request.url).netloc.rpartition('@')[2]}/{camera.name}/"
                answer = {"Content-Base": base, "Content-Type": "application/sdp"}
                return 200, answer, describe(camera)
            case "SETUP":
                return self._set_up(request)
            case "PLAY" | "PAUSE" | "TEARDOWN" | "GET_PARAMETER" | "SET_PARAMETER":
                known = request.headers.get("session", "").partition(";")[0] == self._session
                return (200 if known else 454), {"Session": self._session}, ""
        return 501, {}, ""

    def _set_up(self, request: Request) -> tuple[int, dict[str, str], str]:
        transport = request.headers.get("transport", "")
        if "/TCP" not in transport.upper():
            return 461, {}, ""
        options = dict(part.partition("=")[::2] for part in transport.split(";"))
        self._channel = int(options.get("interleaved", "0-1").partition("-")[0])
        chosen = f"RTP/AVP/TCP;unicast;interleaved={self._channel}-{self._channel + 1}"
        return 200, {"Transport": chosen, "Session": f"{self._session};timeout=60"}, ""

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
