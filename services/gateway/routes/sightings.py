"""History: who was seen where, and what of it was wrong."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from sqlalchemy.orm import Session

from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.database import audit
from services.gateway.people import require_person
from services.gateway.pipeline import InvalidInputError
from services.gateway.schemas import DenialCreate, SightingInfo
from services.gateway.sighting_rows import get_sighting, list_sightings
from services.gateway.tables import Person, Sighting

router = APIRouter(prefix="/api/sightings", tags=["history"], dependencies=[Depends(require_session)])
SightingId = Annotated[str, Path(max_length=120)]


@router.get("", operation_id="list_sightings")
async def get_sightings(
    context: ContextDep,
    camera_id: Annotated[str | None, Query(max_length=48)] = None,
    person_id: Annotated[str | None, Query(max_length=40)] = None,
    stranger_id: Annotated[str | None, Query(max_length=40)] = None,
    before: Annotated[datetime | None, Query(description="Only what ended before this time")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    with_ignored: Annotated[bool, Query(description="Also people and strangers who are ignored")] = False,
) -> list[SightingInfo]:
    """List sightings, the newest first."""
    if before is not None and before.tzinfo is None:
        before = before.replace(tzinfo=UTC)
    who = await context.names.read()
    return await context.database.run(
        lambda session: list_sightings(
            session,
            who,
            camera_id=camera_id,
            person_id=person_id,
            stranger_id=stranger_id,
            before=before,
            limit=limit,
            with_ignored=with_ignored,
        )
    )


@router.put("/{sighting_id}/denial", operation_id="deny_person")
async def deny(
    sighting_id: SightingId, denial: DenialCreate, context: ContextDep, principal: PrincipalDep
) -> SightingInfo | None:
    """Say that this is not the person it was said to be; the face won't be given that name again.

    Works for somebody still in view, too, by the track's id; there is no sighting to return yet then.
    """

    def find(session: Session) -> str:
        sighting = session.get(Sighting, sighting_id)
        person_id = denial.person_id or (sighting.person_id if sighting else None)
        if person_id is None:
            raise InvalidInputError("nobody was named here, so nobody can be denied")
        return require_person(session, person_id).person_id

    def correct(session: Session) -> bool:
        audit(
            session,
            actor=principal.username,
            address=principal.address,
            action="sighting.denied",
            subject=f"{sighting_id} {person_id}",
        )
        sighting = session.get(Sighting, sighting_id)
        if sighting is not None and sighting.person_id == person_id:
            sighting.person_id, sighting.answer = None, "unknown"
        return sighting is not None

    person_id = await context.database.run(find)
    await context.denials.deny(sighting_id, person_id)
    if not await context.database.run(correct):
        return None
    who = await context.names.read()
    return await context.database.run(lambda session: get_sighting(session, who, sighting_id))


@router.delete("/{sighting_id}/denial", operation_id="withdraw_denial")
async def withdraw(
    sighting_id: SightingId, context: ContextDep, principal: PrincipalDep
) -> SightingInfo | None:
    """Take back that this is not the person."""
    person_id = await context.denials.withdraw(sighting_id)

    def restore(session: Session) -> bool:
        audit(
            session,
            actor=principal.username,
            address=principal.address,
            action="sighting.denial_withdrawn",
            subject=sighting_id,
        )
        sighting = session.get(Sighting, sighting_id)
        if sighting is not None and session.get(Person, person_id) is not None:
            sighting.person_id, sighting.answer = person_id, "known"
        return sighting is not None

    if not await context.database.run(restore):
        return None
    who = await context.names.read()
    return await context.database.run(lambda session: get_sighting(session, who, sighting_id))
