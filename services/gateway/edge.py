"""What holds for every request and answer: how large a body may be, which headers go back."""

from typing import Final

from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.archives import MAX_ARCHIVE_BYTES
from services.gateway.photos import MAX_PHOTO_BYTES, MAX_PHOTOS

MAX_JSON_BYTES: Final = 1024 * 1024
MAX_UPLOAD_BYTES: Final = MAX_PHOTOS * MAX_PHOTO_BYTES + MAX_JSON_BYTES
_LIMITS: Final = {"photos": MAX_UPLOAD_BYTES, "archive": MAX_ARCHIVE_BYTES + MAX_JSON_BYTES}
"""By the last part of a path."""
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
        "connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    ),
}


class EdgeRules:
    """Refuses bodies larger than any request needs, before they fill the disk, and adds safe headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within its limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = _LIMITS.get(scope["path"].rpartition("/")[2], MAX_JSON_BYTES)
        too_large = f"a request may hold at most {limit} bytes"
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, too_large)
            return message

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if _declared_bytes(scope) > limit:
            await JSONResponse({"detail": too_large}, 413)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive_limited, send_with_headers)


def _declared_bytes(scope: Scope) -> int:
    declared: bytes = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(declared) if declared.isdigit() else 0
