"""uvicorn inside our own event loop: our signals, our socket, our end."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from mien.runtime.service import Service

log = structlog.get_logger()

# Frames that the kernel keeps for a slow browser are frames that come too late: it gets the next ones
# only when fewer bytes than this are unsent, however large its window is.
_UNSENT_BYTES = 128 * 1024
_GRACE_SECONDS = 3


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the service."""
        yield


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket; port 0 takes a free one.

    Raises:
        OSError: The port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=256)
    listener.setblocking(False)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    return listener


async def serve_web(
    service: Service, app: FastAPI, listener: socket.socket, *, max_message_bytes: int
) -> None:
    """Answer requests until the service stops; open live connections are told to come back (1012).

    Args:
        max_message_bytes: Of a websocket; a larger message closes it (1009).
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        loop="none",
        ws="websockets-sansio",
        ws_max_size=max_message_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        server_header=False,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    host, port = listener.getsockname()[:2]
    log.info("gateway.listening", url=f"http://{host}:{port}")
    service.health.started()
    stopping = asyncio.create_task(service.stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
