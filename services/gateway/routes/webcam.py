"""The webcam's websocket, ``/api/webcam``; its messages are those of :mod:`mien.contracts.webcam`."""

import asyncio
import time

import msgspec
import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from redis.exceptions import RedisError

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import CameraState
from mien.contracts.webcam import MAX_TEXT, Credit, Faces, Open, Opened, Stop
from mien.errors import TransientError
from services.gateway.access import COOKIE, find_principal, get_context, is_own_origin
from services.gateway.accounts import Principal
from services.gateway.context import Context
from services.gateway.database import audit
from services.gateway.hub import FrameMessage, Viewer
from services.gateway.pipeline import InvalidInputError
from services.gateway.routes.live import (
    CLOSE_BAD_MESSAGE,
    CLOSE_NOT_LOGGED_IN,
    CLOSE_TOO_MANY,
    CLOSE_WRONG_ORIGIN,
)
from services.gateway.webcam_feed import FrameLimits, WebcamFeed
from services.gateway.webcams import RENEW_SECONDS, OpenWebcam, session_name

log = structlog.get_logger()

router = APIRouter()

CLOSE_REFUSED = 4409
CLOSE_OVER = 4410
_OPEN_SECONDS = 10.0
_CANCEL_AGAIN_SECONDS = 0.5
_MOST_OFFENCES = 30
_MOST_REASON_BYTES = 120
_SESSION_CHECKS = 10
"""Between two looks at the session, in renewals."""
_OPEN = msgspec.json.Decoder(Open)
_STOP = msgspec.json.Decoder(Stop)


class _OverError(Exception):
    """The connection is closed, with a code and the reason in words."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@router.websocket("/api/webcam")
async def webcam(websocket: WebSocket) -> None:
    """Take a browser's pictures and say who is in them, until it leaves."""
    context = get_context(websocket)
    await websocket.accept()
    try:
        if not is_own_origin(websocket, context.settings.trusted_origins):
            raise _OverError(CLOSE_WRONG_ORIGIN, "another site's page")
        principal = await find_principal(websocket, context)
        if principal is None:
            raise _OverError(CLOSE_NOT_LOGGED_IN, "log in first")
        await _Connection(websocket, context, principal).serve()
    except _OverError as over:
        reason = str(over).encode()[:_MOST_REASON_BYTES].decode(errors="ignore")
        await _close(websocket, over.code, reason)
    except (WebSocketDisconnect, TimeoutError, RuntimeError) as error:
        # RuntimeError is what Starlette raises for a socket that was closed meanwhile.
        log.debug("webcam.left", error=type(error).__name__)


class _Connection:
    """One browser that is a camera."""

    def __init__(self, websocket: WebSocket, context: Context, principal: Principal) -> None:
        self._websocket = websocket
        self._context = context
        self._principal = principal
        self._outbox = Viewer()
        self._began_ns = time.time_ns()
        self._published = 0
        self._is_stopped = False

    async def serve(self) -> None:
        """Open the camera, feed it, and leave it behind in good order."""
        wanted = await self._hear_open()
        webcam = await self._open(wanted)
        settings = self._context.settings
        limits = FrameLimits(
            max_bytes=settings.webcam_frame_bytes,
            max_side_px=settings.webcam_frame_side_px,
            fps=settings.webcam_fps,
            credits=settings.webcam_credits,
        )
        camera = webcam.camera
        epoch = await self._context.webcams.begin_epoch(camera.camera_id)
        feed = WebcamFeed(camera, epoch, limits, self._context.frames, give_credit=self._give_credit)
        self._say(
            "opened",
            Opened(
                camera_id=camera.camera_id,
                name=camera.name,
                credits=limits.credits,
                fps=limits.fps,
                max_frame_bytes=limits.max_bytes,
                max_side_px=limits.max_side_px,
                emotion_purpose=camera.emotion_purpose,
                is_resumed=webcam.is_resumed,
            ),
        )
        self._context.hub.watch(self._outbox, frozenset({camera.camera_id}))
        try:
            await self._run(feed, webcam)
        finally:
            self._context.hub.watch(self._outbox, frozenset())
            await self._leave(webcam, feed)

    async def _hear_open(self) -> Open:
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                text = await self._websocket.receive_text()
            return _OPEN.decode(text if len(text) <= MAX_TEXT else "")
        except (msgspec.MsgspecError, KeyError) as error:
            raise _OverError(CLOSE_BAD_MESSAGE, "expected an open message first") from error

    async def _open(self, wanted: Open) -> OpenWebcam:
        user = self._principal.username
        purpose = f"To show {user} how their own expression is read; they asked for it on the webcam page"
        try:
            webcam = await self._context.webcams.open(
                _session_of(self._websocket, self._principal),
                name=wanted.name.strip() or f"{user[:1].upper()}{user[1:]}'s webcam",
                emotion_purpose=purpose if wanted.with_emotion else "",
            )
        except InvalidInputError as error:
            raise _OverError(CLOSE_REFUSED, str(error)) from error
        except (RedisError, OSError, TransientError) as error:
            raise _OverError(CLOSE_TOO_MANY, "cameras are out of reach: Redis does not answer") from error
        await self._note("webcam.resumed" if webcam.is_resumed else "webcam.opened", webcam)
        return webcam

    async def _run(self, feed: WebcamFeed, webcam: OpenWebcam) -> None:
        tasks = [
            asyncio.create_task(work)
            for work in (self._receive(feed), feed.run(), self._send(), self._renew(feed, webcam))
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            while pending := [task for task in tasks if not task.done()]:
                # Again and again: redis-py waits in a way that can swallow a cancellation.
                for task in pending:
                    task.cancel()
                await asyncio.wait(pending, timeout=_CANCEL_AGAIN_SECONDS)
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, feed: WebcamFeed) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            jpeg = message.get("bytes")
            if jpeg is None:
                self._hear_stop(message.get("text") or "")
                return
            feed.offer(jpeg, time.time_ns())
            if feed.offences > _MOST_OFFENCES:
                raise _OverError(CLOSE_BAD_MESSAGE, "pictures were sent without credit")

    def _hear_stop(self, text: str) -> None:
        try:
            _STOP.decode(text if len(text) <= MAX_TEXT else "")
        except msgspec.MsgspecError as error:
            raise _OverError(CLOSE_BAD_MESSAGE, "expected a picture or a stop message") from error
        self._is_stopped = True
        raise _OverError(1000, "stopped")

    async def _send(self) -> None:
        while True:
            message = await self._outbox.take()
            if isinstance(message, FrameMessage):
                frame = msgspec.structs.replace(message.frame, sent_at_ns=time.time_ns())
                message = msgspec.json.encode(Faces(frame=frame)).decode()
            async with asyncio.timeout(self._context.settings.send_timeout_seconds):
                await self._websocket.send_text(message)

    async def _renew(self, feed: WebcamFeed, webcam: OpenWebcam) -> None:
        looks = 0
        while True:
            try:
                if over := await self._context.webcams.renew(webcam, self._status(webcam, feed)):
                    raise _OverError(CLOSE_OVER, over)
                if looks % _SESSION_CHECKS == _SESSION_CHECKS - 1 and not await find_principal(
                    self._websocket, self._context
                ):
                    raise _OverError(CLOSE_NOT_LOGGED_IN, "the session has ended")
            except (RedisError, OSError, TransientError) as error:
                log.warning("webcam.renew_failed", error=type(error).__name__)
            looks += 1
            await asyncio.sleep(RENEW_SECONDS)

    async def _leave(self, webcam: OpenWebcam, feed: WebcamFeed) -> None:
        state: CameraState = "stopped" if self._is_stopped else "stalled"
        reason = "its browser has stopped it" if self._is_stopped else "its browser is gone"
        status = self._status(webcam, feed, state=state, reason=reason)
        try:
            await self._context.webcams.leave(webcam, status, for_good=self._is_stopped)
            await self._note("webcam.left", webcam)
        except (RedisError, OSError, TransientError) as error:
            log.warning("webcam.leave_failed", error=type(error).__name__)

    def _status(
        self, webcam: OpenWebcam, feed: WebcamFeed, *, state: CameraState | None = None, reason: str = ""
    ) -> CameraStatus:
        fps = round((feed.published - self._published) / RENEW_SECONDS, 1)
        self._published = feed.published
        return CameraStatus(
            camera_id=webcam.camera.camera_id,
            state=state or ("streaming" if feed.published else "connecting"),
            reason=reason,
            since_ns=self._began_ns,
            captured_fps=fps,
            published_fps=fps,
            size_wh=feed.size_wh,
            codec="mjpeg",
            replica=self._context.service.instance,
            dropped=dict(feed.dropped),
        )

    def _give_credit(self, credit: Credit) -> None:
        self._say(("credit", credit.number), credit)

    def _say(self, slot: object, message: Opened | Credit) -> None:
        self._outbox.offer(slot, msgspec.json.encode(message).decode())

    async def _note(self, action: str, webcam: OpenWebcam) -> None:
        principal, camera_id = self._principal, webcam.camera.camera_id
        await self._context.database.run(
            lambda session: audit(
                session,
                actor=principal.username,
                address=principal.address,
                action=action,
                subject=camera_id,
            )
        )


def _session_of(websocket: WebSocket, principal: Principal) -> str:
    secret = websocket.cookies.get(COOKIE) or websocket.headers.get("authorization", "")
    return session_name(f"{principal.username}\0{secret}")


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    try:
        await websocket.close(code, reason)
    except RuntimeError:
        log.debug("webcam.closed_already")
