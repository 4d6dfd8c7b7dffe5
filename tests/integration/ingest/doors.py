"""What stands between a simulated camera and its reader: encryption, and web servers that lead elsewhere."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
from aiohttp import web

from mien.simulator.certificate import Certificate
from mien.simulator.http import serve_app


@asynccontextmanager
async def encrypted(port: int, certificate: Certificate) -> AsyncIterator[int]:
    """Put encryption in front of a port; yields the port to connect to."""
    running: set[asyncio.Task[None]] = set()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        ways = [forward(reader, inner_writer), forward(inner_reader, writer)]
        running.update(asyncio.create_task(way) for way in ways)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=certificate.server_context())
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class Site:
    """A web server that answers as it is told.

    Attributes:
        pages: What lies at which path.
        moved: Where a path leads to.
        asked: All requests, in their order.
    """

    def __init__(self) -> None:
        self.pages: dict[str, tuple[str, bytes]] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[web.Request] = []
        self.port = 0

    def url(self, path: str) -> str:
        """Address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.Response:
        """Give what lies there, or 304 when the client has it."""
        self.asked.append(request)
        if target := self.moved.get(request.path):
            raise web.HTTPFound(target)
        if request.path not in self.pages:
            raise web.HTTPNotFound
        kind, content = self.pages[request.path]
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            raise web.HTTPNotModified(headers={"ETag": tag})
        return web.Response(body=content, content_type=kind, headers={"ETag": tag})


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    """Serve an empty site while the context is open."""
    pages = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", pages.answer)
    async with serve_app(app, host="127.0.0.1", port=0) as port:
        pages.port = port
        yield pages


def write_playlist(pages: Site, clip: Path, folder: Path) -> None:
    """Put a clip on a site as pieces of half a second, without encoding it again."""
    options = {"hls_time": "0.5", "hls_list_size": "0", "hls_segment_filename": str(folder / "piece%d.ts")}
    with (
        av.open(str(clip)) as source,
        av.open(str(folder / "index.m3u8"), "w", format="hls", options=options) as target,
    ):
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    for path in folder.iterdir():
        kind = "application/vnd.apple.mpegurl" if path.suffix == ".m3u8" else "video/mp2t"
        pages.pages[f"/{path.name}"] = (kind, path.read_bytes())
