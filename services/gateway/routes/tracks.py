"""Followed faces: saying who one is, and taking it back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from sqlalchemy.orm import Session

from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.accounts import Principal
from services.gateway.context import Context
from services.gateway.database import audit
from services.gateway.people import get_person, new_id, require_person
from services.gateway.recognition_schemas import TrackNameCreate, TrackNamedInfo
from services.gateway.tables import Person

router = APIRouter(prefix="/api/tracks", tags=["history"], dependencies=[Depends(require_session)])
TrackPath = Annotated[str, Path(max_length=120)]


@router.put("/{track_id}/name", operation_id="name_track")
async def name(
    track_id: TrackPath, named: TrackNameCreate, context: ContextDep, principal: PrincipalDep
) -> TrackNamedInfo:
    """Say who a face is, in view or seen lately: its best views are enrolled, and it gets the name.

    A name that it had is thereby said to be wrong.
    """
    if named.person_id is not None:
        person_id = named.person_id
        person = await context.database.run(lambda session: require_person(session, person_id))
    else:
        person = Person(person_id=new_id(), name=named.name, consent_note=named.consent_note)
    said = await context.track_names.give(track_id, person, is_new_person=named.person_id is None)
    await _note(context, principal, "track.named", f"{track_id} {said.person_id}")
    info = await context.database.run(lambda session: get_person(session, said.person_id))
    return TrackNamedInfo(track_id=track_id, person=info, photo_count=len(said.photo_ids))


@router.delete("/{track_id}/name", status_code=204, operation_id="unname_track")
async def unname(track_id: TrackPath, context: ContextDep, principal: PrincipalDep) -> None:
    """Take a name back that was given to a face within the last hour, with the views that were enrolled."""
    said = await context.track_names.take_back(track_id)
    await _note(context, principal, "track.unnamed", f"{track_id} {said.person_id}")


async def _note(context: Context, principal: Principal, action: str, subject: str) -> None:
    def write(session: Session) -> None:
        audit(session, actor=principal.username, address=principal.address, action=action, subject=subject)

    await context.database.run(write)
