"""How people looked: per camera, per person, and what stops all of it."""

import time
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Response, status
from pydantic import StringConstraints
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from mien.contracts.readings import CountSpan, ReadingStop
from mien.runtime.readings import forget_emotion, forget_tiredness
from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.accounts import Principal
from services.gateway.context import Context
from services.gateway.database import audit
from services.gateway.looks import (
    CameraLooks,
    PersonLooks,
    camera_looks_csv,
    forget_looks_of,
    person_looks_csv,
    read_camera_looks,
    read_person_looks,
)
from services.gateway.people import require_person
from services.gateway.routes.cameras import CameraIdPath, note
from services.gateway.schemas import Schema
from services.gateway.tables import AuditEntry

router = APIRouter(tags=["emotion and tiredness"], dependencies=[Depends(require_session)])
PersonIdPath = Annotated[str, Path(max_length=40)]
Span = Annotated[CountSpan, Query(description="The last hour by the minute, or day by the quarter hour")]
_LOG_LENGTH = 50
_CSV: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/csv": {}}}}


class ReadingStopInfo(Schema):
    """Somebody has stopped all reading of emotion and tiredness."""

    by: str
    at: datetime
    reason: str


class ReadingStopCreate(Schema):
    """Why all reading is stopped; may be empty."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class ReadingChange(Schema):
    """Who changed what may be read, and when."""

    at: datetime
    actor: str
    action: str
    subject: str


class Readings(Schema):
    """What holds for all cameras, and what was changed last, the newest first."""

    stopped: ReadingStopInfo | None
    group_size: int
    keep_days: float
    changes: list[ReadingChange]


@router.get("/api/cameras/{camera_id}/emotions")
async def get_camera_looks(camera_id: CameraIdPath, context: ContextDep, span: Span = "hour") -> CameraLooks:
    """Return how many of those whom a camera saw looked how; totals of few people are not told."""
    return await _camera_looks(context, camera_id, span)


@router.get("/api/cameras/{camera_id}/emotions.csv", response_class=Response, responses=_CSV)
async def export_camera_looks(camera_id: CameraIdPath, context: ContextDep, span: Span = "day") -> Response:
    """Return the same as CSV."""
    looks = await _camera_looks(context, camera_id, span)
    return _download(camera_looks_csv(looks), f"{camera_id}-emotions-{span}.csv")


@router.get("/api/people/{person_id}/emotions")
async def get_person_looks(person_id: PersonIdPath, context: ContextDep) -> PersonLooks:
    """Return how somebody looked, by day, on cameras where that may be told of each person."""

    def read(session: Session) -> PersonLooks:
        require_person(session, person_id)
        return read_person_looks(session, person_id, keep_days=context.looks.keep_days)

    return await context.database.run(read)


@router.get("/api/people/{person_id}/emotions.csv", response_class=Response, responses=_CSV)
async def export_person_looks(
    person_id: PersonIdPath, context: ContextDep, principal: PrincipalDep
) -> Response:
    """Return how somebody looked as CSV, a line per sighting."""

    def read(session: Session) -> str:
        require_person(session, person_id)
        _audit(session, principal, "emotion.exported", person_id)
        return person_looks_csv(session, person_id)

    return _download(await context.database.run(read), f"{person_id}-emotions.csv")


@router.delete("/api/people/{person_id}/emotions", status_code=status.HTTP_204_NO_CONTENT)
async def forget_person_looks(person_id: PersonIdPath, context: ContextDep, principal: PrincipalDep) -> None:
    """Forget how somebody looked, and how they usually look; who was where stays."""

    def forget(session: Session) -> None:
        require_person(session, person_id)
        forget_looks_of(session, person_id)
        _audit(session, principal, "emotion.forgotten", person_id)

    await context.looks.reset_baseline(person_id)
    await context.database.run(forget)


@router.get("/api/readings")
async def get_readings(context: ContextDep) -> Readings:
    """Return whether all reading is stopped, and who lately changed what may be read."""
    stop = await context.registry.reading_stop()
    return Readings(
        stopped=_stop_info(stop) if stop else None,
        group_size=context.settings.emotion_group_size,
        keep_days=context.looks.keep_days,
        changes=await context.database.run(_changes),
    )


@router.put("/api/readings/stop")
async def stop_readings(
    wanted: ReadingStopCreate, context: ContextDep, principal: PrincipalDep
) -> ReadingStopInfo:
    """Stop reading emotion and tiredness on all cameras at once, and delete what Redis holds of it."""
    stop = ReadingStop(by=principal.username, at_ns=time.time_ns(), reason=wanted.reason)
    await context.registry.set_reading_stop(stop)
    await context.directory.refresh()
    for camera in await context.registry.list_cameras():
        if camera.emotion_policy != "off":
            await forget_emotion(context.redis, camera.camera_id)
        if camera.tiredness_policy != "off":
            await forget_tiredness(context.redis, camera.camera_id)
    await note(context, principal, "reading.stopped", wanted.reason)
    return _stop_info(stop)


@router.delete("/api/readings/stop", status_code=status.HTTP_204_NO_CONTENT)
async def resume_readings(context: ContextDep, principal: PrincipalDep) -> None:
    """Read again what the cameras' policies allow."""
    await context.registry.set_reading_stop(None)
    await context.directory.refresh()
    await note(context, principal, "reading.resumed", "")


async def _camera_looks(context: Context, camera_id: str, span: CountSpan) -> CameraLooks:
    camera = await context.registry.get(camera_id)
    await context.directory.refresh()
    return await read_camera_looks(
        context.redis,
        context.directory.get(camera_id) or camera,
        span,
        group_size=context.settings.emotion_group_size,
        now_seconds=time.time(),
    )


def _changes(session: Session) -> list[ReadingChange]:
    query = (
        select(AuditEntry)
        .where(
            or_(*(AuditEntry.action.startswith(f"{kind}.") for kind in ("emotion", "tiredness", "reading")))
        )
        .order_by(AuditEntry.audit_id.desc())
        .limit(_LOG_LENGTH)
    )
    return [
        ReadingChange(at=entry.at, actor=entry.actor, action=entry.action, subject=entry.subject)
        for entry in session.scalars(query)
    ]


def _stop_info(stop: ReadingStop) -> ReadingStopInfo:
    return ReadingStopInfo(
        by=stop.by, at=datetime.fromtimestamp(stop.at_ns / 1e9).astimezone(), reason=stop.reason
    )


def _download(text: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _audit(session: Session, principal: Principal, action: str, subject: str) -> None:
    audit(session, actor=principal.username, address=principal.address, action=action, subject=subject)
