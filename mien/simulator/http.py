"""The simulator's HTTP side: MJPEG, single pictures, and HLS."""

import asyncio
import hashlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from email.utils import formatdate
from typing import Final

from aiohttp import web

from mien.simulator.auth import Credentials, asked_of
from mien.simulator.camera import Shown, SimulatedCamera
from mien.simulator.hls import Playlist

_BOUNDARY: Final = "frame"
_SLOW_CHUNK_BYTES: Final = 1024
_HEAL_POLL_SECONDS: Final = 0.1


class JpegViewer:
    """Holds the newest picture for one HTTP client; a slow client misses pictures."""

    wants_jpeg = True

    def __init__(self) -> None:
        self.began_at = time.monotonic()
        self._slot: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self._has_ended = False

    def show(self, shown: Shown, ticks: int) -> None:
        """Replace what the client has not taken yet."""
        if shown.jpeg is not None and not self._has_ended:
            self._put(shown.jpeg)

    def disconnect(self) -> None:
        """End the client's stream; no picture that comes later takes the end's place."""
        self._has_ended = True
        self._put(None)

    async def take(self) -> bytes | None:
        """Wait for a picture; None says that the stream has ended."""
        return await self._slot.get()

    def _put(self, item: bytes | None) -> None:
        with suppress(asyncio.QueueEmpty):
            self._slot.get_nowait()
        self._slot.put_nowait(item)


def camera_app(cameras: Mapping[str, SimulatedCamera], credentials: Credentials | None) -> web.Application:
    """Return the web application of the cameras.

    ``/NAME.mjpg`` streams, ``/NAME.jpg`` is the picture of the moment, ``/NAME/index.m3u8`` is HLS.
    """
    playlists: dict[str, Playlist] = {}

    async def find(request: web.Request) -> SimulatedCamera:
        camera = cameras.get(request.match_info["name"])
        if camera is not None:
            await while_half_open(camera)
        asked = asked_of(camera, credentials)
        if asked and not asked.accept(request.headers.get("Authorization"), request.method):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": asked.challenge})
        if camera is None:
            raise web.HTTPNotFound
        return camera

    async def stream(request: web.Request) -> web.StreamResponse:
        camera = await find(request)
        response = web.StreamResponse(
            headers={"Content-Type": f"multipart/x-mixed-replace; boundary={_BOUNDARY}"}
        )
        await response.prepare(request)
        # A viewer that leaves is no fault of the camera's.
        with suppress(ConnectionResetError):
            await _stream(response, camera)
        if request.transport is not None:
            request.transport.close()
        return response

    async def snapshot(request: web.Request) -> web.Response:
        camera = await find(request)
        async with _watching(camera) as viewer:
            jpeg = await viewer.take() or b""
        tag = f'"{hashlib.sha256(jpeg).hexdigest()[:16]}"'
        headers = {"ETag": tag, "Date": formatdate(time.time() + camera.faults.clock, usegmt=True)}
        if request.headers.get("If-None-Match") == tag:
            raise web.HTTPNotModified(headers=headers)
        await _take_time(len(jpeg), camera)
        return web.Response(body=jpeg, content_type="image/jpeg", headers=headers)

    async def playlist(request: web.Request) -> web.Response:
        camera = await find(request)
        listed = playlists.get(camera.name)
        if listed is None or listed.has_ended:
            listed = playlists[camera.name] = Playlist(camera)
            camera.add_viewer(listed)
        return web.Response(text=await listed.text(), content_type="application/vnd.apple.mpegurl")

    async def piece(request: web.Request) -> web.Response:
        camera = await find(request)
        listed = playlists.get(camera.name)
        packed = None if listed is None else listed.piece(int(request.match_info["number"]))
        if packed is None:
            raise web.HTTPNotFound
        await _take_time(len(packed), camera)
        return web.Response(body=packed, content_type="video/mp2t")

    app = web.Application()
    app.add_routes(
        [
            web.get("/{name}.mjpg", stream),
            web.get("/{name}.jpg", snapshot),
            web.get("/{name}/index.m3u8", playlist),
            web.get(r"/{name}/{number:\d+}.ts", piece),
        ]
    )
    return app


class HttpServer:
    """Serves an application, plain and, with a *tls* context, encrypted; the ports survive refusing.

    Attributes:
        tls_port: None without encryption.
    """

    def __init__(
        self, app: web.Application, *, host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> None:
        self.port = port
        self.tls_port: int | None = None
        self._host = host
        self._tls = tls
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        self._sites: list[web.TCPSite] = []

    async def accept(self) -> None:
        """Begin to listen; does nothing while it listens already."""
        if self._sites:
            return
        if self._runner.server is None:
            await self._runner.setup()
        self.port = await self._listen(self.port, None)
        if self._tls is not None:
            self.tls_port = await self._listen(self.tls_port or 0, self._tls)

    async def refuse(self) -> None:
        """Stop listening; streams that run are their cameras' to end."""
        for site in self._sites:
            await site.stop()
        self._sites.clear()

    async def close(self) -> None:
        """End everything."""
        await self._runner.cleanup()

    async def _listen(self, port: int, tls: ssl.SSLContext | None) -> int:
        before = {tuple(address) for address in self._runner.addresses}
        site = web.TCPSite(self._runner, self._host, port, ssl_context=tls)
        await site.start()
        self._sites.append(site)
        (address,) = [one for one in self._runner.addresses if tuple(one) not in before]
        return int(address[1])


@asynccontextmanager
async def serve_app(app: web.Application, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the context is open; yields the port."""
    server = HttpServer(app, host=host, port=port)
    try:
        await server.accept()
        yield server.port
    finally:
        await server.close()


async def while_half_open(camera: SimulatedCamera) -> None:
    """Let whoever asks a camera wait for as long as its cable seems to be pulled."""
    while camera.faults.half_open:  # noqa: ASYNC110 - a plain attribute
        await asyncio.sleep(_HEAL_POLL_SECONDS)


@asynccontextmanager
async def _watching(camera: SimulatedCamera) -> AsyncIterator[JpegViewer]:
    viewer = JpegViewer()
    camera.add_viewer(viewer)
    try:
        yield viewer
    finally:
        camera.viewers.discard(viewer)


async def _stream(response: web.StreamResponse, camera: SimulatedCamera) -> None:
    async with _watching(camera) as viewer:
        while (jpeg := await viewer.take()) is not None:
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            await _write(response.write, head.encode() + jpeg + b"\r\n", camera)


async def _write(write: Callable[[bytes], Awaitable[None]], data: bytes, camera: SimulatedCamera) -> None:
    if not camera.faults.bytes_per_second:
        await write(data)
        return
    for start in range(0, len(data), _SLOW_CHUNK_BYTES):
        chunk = data[start : start + _SLOW_CHUNK_BYTES]
        await write(chunk)
        await _take_time(len(chunk), camera)


async def _take_time(count: int, camera: SimulatedCamera) -> None:
    if rate := camera.faults.bytes_per_second:
        await asyncio.sleep(count / rate)
