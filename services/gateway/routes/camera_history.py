"""Cameras: how each was."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.gateway.access import ContextDep, require_session
from services.gateway.camera_history import read_history
from services.gateway.camera_schemas import CameraHistory
from services.gateway.routes.cameras import CameraIdPath

router = APIRouter(prefix="/api/cameras", tags=["cameras"], dependencies=[Depends(require_session)])


@router.get("/{camera_id}/history")
async def get_camera_history(
    camera_id: CameraIdPath,
    context: ContextDep,
    hours: Annotated[float, Query(gt=0, le=24 * 365, description="How far to look back")] = 24.0,
    limit: Annotated[int, Query(ge=1, le=500, description="Most periods to return")] = 50,
) -> CameraHistory:
    """Return when a camera delivered pictures, when it didn't, and why; the newest first."""
    await context.registry.get(camera_id)
    now = datetime.now(UTC)
    since = now - timedelta(hours=hours)
    return await context.database.run(
        lambda session: read_history(session, camera_id, since=since, now=now, limit=limit)
    )
