"""The web application: routes, and errors in words."""

from pathlib import Path
from typing import Any, Final

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from redis.exceptions import RedisError

from mien import __version__
from mien.contracts.live import CamerasChanged, CameraUpdate, LiveFrame, Notice, Pong
from mien.errors import MienError, PermanentError, TransientError
from mien.runtime.cameras import CameraExistsError, CameraUnknownError
from mien.runtime.jobs import JobUnknownError
from services.gateway.accounts import LoginRefusedError, TooManyLoginsError
from services.gateway.camera_files import CameraFileError
from services.gateway.context import Context
from services.gateway.edge import EdgeRules
from services.gateway.face_checks import TooManyChecksError
from services.gateway.people import NotFoundError
from services.gateway.pipeline import InvalidInputError
from services.gateway.routes import (
    camera_files,
    camera_history,
    camera_requests,
    cameras,
    dashboard,
    enrolment_sessions,
    fitness,
    imports,
    live,
    looks,
    people,
    recognition,
    session,
    sightings,
    strangers,
    system,
    tracks,
    training,
    webcam,
)
from services.gateway.schemas import ErrorMessage

log = structlog.get_logger()

_STATUS_BY_ERROR: Final[dict[type[MienError], int]] = {
    LoginRefusedError: 401,
    NotFoundError: 404,
    CameraUnknownError: 404,
    JobUnknownError: 404,
    CameraExistsError: 409,
    InvalidInputError: 422,
    CameraFileError: 422,
    TooManyLoginsError: 429,
    PermanentError: 409,  # what is neither of the others: not as things are
    TooManyChecksError: 429,
    TransientError: 503,
}


def create_app(context: Context | None, *, dashboard_dir: Path | None = None) -> FastAPI:
    """Put the application together; without a context it can only describe itself."""
    app = FastAPI(
        title="Mien",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
        responses={
            code: {"model": ErrorMessage, "description": words}
            for code, words in (
                (401, "Not logged in"),
                (403, "Not allowed"),
                (404, "Not there"),
                (422, "Not possible"),
                (503, "Something the gateway needs is away"),
            )
        },
    )
    app.state.context = context
    for module in (
        session,
        cameras,
        camera_requests,
        camera_files,
        camera_history,
        fitness,
        looks,
        people,
        imports,
        recognition,
        strangers,
        sightings,
        training,
        system,
        tracks,
        enrolment_sessions,
        live,
        webcam,
        dashboard,
    ):
        app.include_router(module.router)
    _tell_errors_in_words(app)
    _describe_live_messages(app)
    app.add_middleware(EdgeRules)
    if dashboard_dir is not None:
        dashboard.serve_dashboard(app, dashboard_dir)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _tell_errors_in_words(app: FastAPI) -> None:
    async def tell_error(_request: Request, error: Exception) -> JSONResponse:
        code = next(code for kind, code in _STATUS_BY_ERROR.items() if isinstance(error, kind))
        return JSONResponse({"detail": str(error)}, code)

    async def tell_redis_away(request: Request, error: Exception) -> JSONResponse:
        log.warning("request.redis_away", path=request.url.path, error=type(error).__name__)
        return JSONResponse({"detail": "Redis does not answer: cameras and templates are out of reach"}, 503)

    async def tell_invalid(_request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, RequestValidationError):
            return JSONResponse({"detail": _explain(error.errors())}, 422)
        return JSONResponse({"detail": str(error)}, 422)

    for kind in _STATUS_BY_ERROR:
        app.add_exception_handler(kind, tell_error)
    app.add_exception_handler(RedisError, tell_redis_away)
    app.add_exception_handler(RequestValidationError, tell_invalid)
    app.add_exception_handler(msgspec.ValidationError, tell_invalid)


def _explain(errors: Any) -> str:
    """Name each field and what is wrong with it, never its value: that may be a password."""
    return "; ".join(f"{'.'.join(str(part) for part in item['loc'][1:])}: {item['msg']}" for item in errors)


def _describe_live_messages(app: FastAPI) -> None:
    """Add the websocket's messages to the OpenAPI components, so that their types are generated, too."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        schema = describe()
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        _, messages = msgspec.json.schema_components(
            (LiveFrame, CameraUpdate, CamerasChanged, Pong, Notice),
            ref_template="#/components/schemas/{name}",
        )
        for name, message in messages.items():
            components.setdefault(name, message)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI's documentation names
