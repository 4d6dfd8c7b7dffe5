"""Logging in and out."""

from fastapi import APIRouter, Depends, HTTPException, Request, Response, status

from services.gateway.access import (
    COOKIE,
    ContextDep,
    PrincipalDep,
    client_address,
    require_own_origin,
)
from services.gateway.schemas import Credentials, ErrorMessage, PasswordChange, SessionInfo

router = APIRouter(prefix="/api/session", tags=["session"])


@router.post(
    "",
    dependencies=[Depends(require_own_origin)],
    responses={401: {"model": ErrorMessage}, 429: {"model": ErrorMessage}},
)
async def log_in(
    credentials: Credentials, request: Request, response: Response, context: ContextDep
) -> SessionInfo:
    """Log in; the session is an HttpOnly cookie."""
    token, principal = await context.accounts.log_in(
        credentials.username, credentials.password, address=client_address(request)
    )
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(context.settings.session_hours * 3600),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return SessionInfo(username=principal.username, role=principal.role)


@router.get("")
async def get_session(principal: PrincipalDep) -> SessionInfo:
    """Say who is logged in."""
    return SessionInfo(username=principal.username, role=principal.role)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def log_out(
    request: Request, response: Response, context: ContextDep, _principal: PrincipalDep
) -> None:
    """Log out."""
    if token := request.cookies.get(COOKIE):
        await context.accounts.log_out(token)
    response.delete_cookie(COOKIE)


@router.put("/password", status_code=status.HTTP_204_NO_CONTENT, responses={429: {"model": ErrorMessage}})
async def change_password(
    change: PasswordChange, request: Request, context: ContextDep, principal: PrincipalDep
) -> None:
    """Change one's own password; all other sessions of the user end."""
    token = request.cookies.get(COOKIE)
    if token is None:
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "a token has no password to change")
    await context.accounts.change_password(principal, change.old_password, change.new_password, token=token)
