"""The live websocket, ``/api/live``; its messages are those of :mod:`mien.contracts.live`."""

import asyncio
import time

import msgspec
import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from mien.contracts.cameras import CameraId
from mien.contracts.live import Notice, Pong, encode_live_frame
from mien.errors import TransientError
from mien.runtime import metrics
from services.gateway.access import find_principal, get_context, is_own_origin
from services.gateway.context import Context
from services.gateway.hub import FrameMessage, Viewer

log = structlog.get_logger()

router = APIRouter()

CLOSE_NOT_LOGGED_IN = 4401
CLOSE_WRONG_ORIGIN = 4403
CLOSE_BAD_MESSAGE = 4400
CLOSE_TOO_MANY = 1013
_MAX_TEXT = 64 * 1024
_SESSION_CHECK_SECONDS = 30.0


class Watch(msgspec.Struct, tag="watch"):
    """The browser wants to see these cameras, and no others."""

    cameras: list[CameraId]


class Ping(msgspec.Struct, tag="ping"):
    """The browser measures its clock against ours."""

    sent_at_ms: float


_DECODER = msgspec.json.Decoder(Watch | Ping)


@router.websocket("/api/live")
async def live(websocket: WebSocket) -> None:
    """Show what a browser watches, until it leaves."""
    context = get_context(websocket)
    await websocket.accept()  # a refusal before this would reach the page without its reason
    if not is_own_origin(websocket, context.settings.trusted_origins):
        await websocket.close(CLOSE_WRONG_ORIGIN, "another site's page")
        return
    if await find_principal(websocket, context) is None:
        await websocket.close(CLOSE_NOT_LOGGED_IN, "log in first")
        return
    if context.hub.viewer_count >= context.settings.max_viewers:
        await websocket.close(CLOSE_TOO_MANY, "too many viewers")
        return
    viewer = Viewer()
    context.hub.add(viewer)
    try:
        await _serve(websocket, context, viewer)
    finally:
        context.hub.remove(viewer)


async def _serve(websocket: WebSocket, context: Context, viewer: Viewer) -> None:
    tasks = [
        asyncio.create_task(_receive(websocket, context, viewer)),
        asyncio.create_task(_send(websocket, viewer, timeout_seconds=context.settings.send_timeout_seconds)),
        asyncio.create_task(_check_session(websocket, context)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except (WebSocketDisconnect, TimeoutError, RuntimeError) as error:
        # RuntimeError is what Starlette raises for a socket that was closed meanwhile.
        log.debug("viewer.left", error=type(error).__name__)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _receive(websocket: WebSocket, context: Context, viewer: Viewer) -> None:
    limit = context.settings.max_cameras_per_viewer
    while True:
        text = await websocket.receive_text()
        try:
            message = _DECODER.decode(text if len(text) <= _MAX_TEXT else "")
        except msgspec.MsgspecError:
            await websocket.close(CLOSE_BAD_MESSAGE, "expected a watch or ping message")
            return
        if isinstance(message, Ping):
            pong = Pong(sent_at_ms=message.sent_at_ms, server_at_ms=time.time_ns() / 1e6)
            viewer.offer("pong", msgspec.json.encode(pong).decode())
            continue
        if len(message.cameras) > limit:
            notice = Notice(message=f"only {limit} cameras can be watched at once")
            viewer.offer("notice", msgspec.json.encode(notice).decode())
        context.hub.watch(viewer, frozenset(message.cameras[:limit]))


async def _send(websocket: WebSocket, viewer: Viewer, *, timeout_seconds: float) -> None:
    while True:
        message = await viewer.take()
        async with asyncio.timeout(timeout_seconds):
            if isinstance(message, FrameMessage):
                await _send_frame(websocket, message)
            else:
                await websocket.send_text(message)


async def _send_frame(websocket: WebSocket, message: FrameMessage) -> None:
    now_ns = time.time_ns()
    frame = msgspec.structs.replace(message.frame, sent_at_ns=now_ns)
    await websocket.send_bytes(encode_live_frame(frame, message.jpeg))
    metrics.LIVE_SENT.inc()
    metrics.FRAME_AGE_SECONDS.labels("gateway").observe((now_ns - frame.captured_at_ns) / 1e9)


async def _check_session(websocket: WebSocket, context: Context) -> None:
    """Close the connection soon after its session has ended."""
    while True:
        await asyncio.sleep(_SESSION_CHECK_SECONDS)
        try:
            principal = await find_principal(websocket, context)
        except TransientError as error:
            log.warning("viewer.session_check_failed", error=str(error))
            continue
        if principal is None:
            await websocket.close(CLOSE_NOT_LOGGED_IN, "the session has ended")
            return
