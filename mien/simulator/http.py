"""The simulator's HTTP sides: MJPEG cameras, and a small port that switches faults on and off."""

import asyncio
import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web

from mien.simulator.auth import Credentials
from mien.simulator.camera import Shown, SimulatedCamera
from mien.simulator.rtsp import RtspServer

_BOUNDARY: Final = "frame"
_FLAGS: Final = {
    "freeze": ("frozen", True),
    "thaw": ("frozen", False),
    "mute": ("muted", True),
    "unmute": ("muted", False),
    "deafen": ("deaf", True),
    "undeafen": ("deaf", False),
}


class JpegViewer:
    """Holds the newest picture for one HTTP client; a slow client misses pictures."""

    wants_jpeg = True

    def __init__(self) -> None:
        self._slot: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)

    def show(self, shown: Shown, ticks: int) -> None:
        """Replace what the client has not taken yet."""
        if shown.jpeg is not None:
            self._put(shown.jpeg)

    def disconnect(self) -> None:
        """End the client's stream."""
        self._put(None)

    async def take(self) -> bytes | None:
        """Wait for a picture; None says that the stream has ended."""
        return await self._slot.get()

    def _put(self, item: bytes | None) -> None:
        with suppress(asyncio.QueueEmpty):
            self._slot.get_nowait()
        self._slot.put_nowait(item)


def mjpeg_app(cameras: Mapping[str, SimulatedCamera], credentials: Credentials | None) -> web.Application:
    """Return the web application of the MJPEG cameras: ``/NAME.mjpg`` and ``/NAME.jpg``."""

    def find(request: web.Request) -> SimulatedCamera:
        if credentials and not credentials.accept(request.headers.get("Authorization"), request.method):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": credentials.challenge})
        if (camera := cameras.get(request.match_info["name"])) is None:
            raise web.HTTPNotFound
        return camera

    async def stream(request: web.Request) -> web.StreamResponse:
        camera = find(request)
        if camera.deaf:
            await asyncio.Event().wait()
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
        async with _watching(find(request)) as viewer:
            jpeg = await viewer.take()
        return web.Response(body=jpeg or b"", content_type="image/jpeg")

    app = web.Application()
    app.add_routes([web.get("/{name}.mjpg", stream), web.get("/{name}.jpg", snapshot)])
    return app


def control_app(rtsp: RtspServer) -> web.Application:
    """Return the web application that switches faults: ``POST /cameras/NAME/FAULT``, ``POST /refuse``."""

    def find(request: web.Request, key: str = "name") -> SimulatedCamera:
        name = request.match_info[key]
        if (camera := rtsp.cameras.get(name)) is None:
            raise web.HTTPNotFound(text=f"no camera {name!r}; there are {sorted(rtsp.cameras)}")
        return camera

    async def list_cameras(_: web.Request) -> web.Response:
        return web.json_response(
            {name: {"viewers": len(camera.viewers)} for name, camera in rtsp.cameras.items()}
        )

    async def fault(request: web.Request) -> web.Response:
        camera, action = find(request), request.match_info["fault"]
        if action == "drop":
            camera.drop()
        elif action in _FLAGS:
            attribute, value = _FLAGS[action]
            setattr(camera, attribute, value)
        else:
            raise web.HTTPNotFound(text=f"no fault {action!r}; there are {['drop', *_FLAGS]}")
        return web.Response(status=204)

    async def show(request: web.Request) -> web.Response:
        other = find(request, "other").source
        if other.is_live:
            raise web.HTTPConflict(text="a camera that encodes live can't be shown by another")
        find(request).source = copy.copy(other)
        return web.Response(status=204)

    async def lose(request: web.Request) -> web.Response:
        find(request).loss = float(request.match_info["share"])
        return web.Response(status=204)

    async def power(request: web.Request) -> web.Response:
        await (rtsp.refuse() if request.path == "/refuse" else rtsp.accept())
        return web.Response(status=204)

    app = web.Application()
    app.add_routes(
        [
            web.get("/cameras", list_cameras),
            web.post("/cameras/{name}/show/{other}", show),
            web.post("/cameras/{name}/lose/{share}", lose),
            web.post("/cameras/{name}/{fault}", fault),
            web.post("/refuse", power),
            web.post("/accept", power),
        ]
    )
    return app


@asynccontextmanager
async def serve_app(app: web.Application, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the context is open; yields the port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


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
            await response.write(head.encode() + jpeg + b"\r\n")
