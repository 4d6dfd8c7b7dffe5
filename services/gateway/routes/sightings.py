"""History: who was seen where."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.gateway.access import ContextDep, require_session
from services.gateway.people import list_sightings
from services.gateway.schemas import SightingInfo

router = APIRouter(prefix="/api/sightings", tags=["history"], dependencies=[Depends(require_session)])


@router.get("", operation_id="list_sightings")
async def get_sightings(
    context: ContextDep,
    camera_id: Annotated[str | None, Query(max_length=48)] = None,
    person_id: Annotated[str | None, Query(max_length=40)] = None,
    before: Annotated[datetime | None, Query(description="Only what ended before this time")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[SightingInfo]:
    """List sightings, the newest first."""
    if before is not None and before.tzinfo is None:
        before = before.replace(tzinfo=UTC)
    return await context.database.run(
        lambda session: list_sightings(
            session, camera_id=camera_id, person_id=person_id, before=before, limit=limit
        )
    )
