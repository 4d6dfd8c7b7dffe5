"""Who may come in: the session cookie or the command line's token, and requests of our own page only."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, HTTPException, status
from starlette.requests import HTTPConnection

from services.gateway.accounts import Principal
from services.gateway.context import Context

COOKIE: Final = "mien_session"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def get_context(connection: HTTPConnection) -> Context:
    """Return the running gateway's parts."""
    context: Context = connection.app.state.context
    return context


ContextDep = Annotated[Context, Depends(get_context)]


def client_address(connection: HTTPConnection) -> str:
    """Return where a request comes from."""
    return connection.client.host if connection.client else "unknown"


def is_own_origin(connection: HTTPConnection, trusted: frozenset[str]) -> bool:
    """Whether a request comes from our own page, or from a program (which sends no origin).

    Browsers send Origin with each websocket and each request that changes something, and no page can
    forge it.
    """
    origin = connection.headers.get("origin")
    if origin is not None:
        return origin in trusted or urlsplit(origin).netloc == connection.headers.get("host")
    return connection.headers.get("sec-fetch-site", "none") in ("same-origin", "none")


def require_own_origin(connection: HTTPConnection, context: ContextDep) -> None:
    """Refuse changes that another site's page makes in a user's name."""
    if not is_own_origin(connection, context.settings.trusted_origins):
        raise HTTPException(status.HTTP_403_FORBIDDEN, "this request comes from another site's page")


async def find_principal(connection: HTTPConnection, context: Context) -> Principal | None:
    """Return who is asking, or None when nobody we know."""
    address = client_address(connection)
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return context.accounts.find_cli(token.strip(), address=address)
    cookie = connection.cookies.get(COOKIE)
    return await context.accounts.find_session(cookie, address=address) if cookie else None


async def require_session(connection: HTTPConnection, context: ContextDep) -> Principal:
    """Let in who is logged in; a cookie may change things only from our own page."""
    principal = await find_principal(connection, context)
    if principal is None:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "log in first")
    if connection.scope.get("method", "GET") not in _SAFE_METHODS:
        if "authorization" not in connection.headers:
            require_own_origin(connection, context)
        if principal.role != "admin":
            raise HTTPException(status.HTTP_403_FORBIDDEN, "only an admin may change this")
    return principal


async def require_admin(principal: Annotated[Principal, Depends(require_session)]) -> Principal:
    """Let in only an admin, also to look."""
    if principal.role != "admin":
        raise HTTPException(status.HTTP_403_FORBIDDEN, "only an admin may see this")
    return principal


PrincipalDep = Annotated[Principal, Depends(require_session)]
