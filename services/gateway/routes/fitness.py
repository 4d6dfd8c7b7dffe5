"""Cameras: how fit each is for faces, and what was done with its pictures."""

import time

from fastapi import APIRouter, Depends, status

from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.fitness import CameraWork, FitnessReport, forget_fitness, read_camera_work, read_report
from services.gateway.routes.cameras import CameraIdPath, note

router = APIRouter(prefix="/api/cameras", tags=["cameras"], dependencies=[Depends(require_session)])


@router.get("/{camera_id}/fitness")
async def get_fitness(camera_id: CameraIdPath, context: ContextDep) -> FitnessReport:
    """Return how well a camera serves recognition, with the views behind it."""
    await context.registry.get(camera_id)
    return await read_report(context.redis, camera_id)


@router.delete("/{camera_id}/fitness", status_code=status.HTTP_204_NO_CONTENT)
async def reset_fitness(camera_id: CameraIdPath, context: ContextDep, principal: PrincipalDep) -> None:
    """Forget who passed, after the camera was moved: it is judged by those who pass from now on."""
    await context.registry.get(camera_id)
    await forget_fitness(context.redis, camera_id)
    await note(context, principal, "camera.fitness_reset", camera_id)


@router.get("/{camera_id}/work")
async def get_work(camera_id: CameraIdPath, context: ContextDep) -> CameraWork:
    """Return what was done with a camera's pictures in the last hour."""
    await context.registry.get(camera_id)
    return await read_camera_work(context.redis, camera_id, now_seconds=time.time())
