"""Cameras: listing, adding, editing, removing, a picture."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Response, status

from mien.contracts.camera_status import CameraStatus
from mien.contracts.cameras import Camera
from mien.contracts.shared_state import camera_status_key
from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.accounts import Principal
from services.gateway.addresses import check_kind
from services.gateway.announcements import announce_camera
from services.gateway.camera_schemas import (
    CameraCreate,
    CameraEdit,
    CameraInfo,
    CameraStatusInfo,
    FitnessInfo,
)
from services.gateway.context import Context
from services.gateway.database import audit
from services.gateway.fitness import CHANGES_VIEW, forget_fitness, read_fitness
from services.gateway.hub import FrameMessage, Viewer
from services.gateway.new_camera import main_stream_fields, new_camera, split_url
from services.gateway.people import NotFoundError
from services.gateway.readings import changes_of, check_readings, forget_narrowed, signed
from services.gateway.schemas import ErrorMessage

_SNAPSHOT_SECONDS = 3.0
_SIGNATURE = ("emotion_set_by", "emotion_set_at_ns", "tiredness_set_by", "tiredness_set_at_ns")
_STATUS = msgspec.json.Decoder(CameraStatus)

router = APIRouter(
    prefix="/api/cameras",
    tags=["cameras"],
    dependencies=[Depends(require_session)],
)
CameraIdPath = Annotated[str, Path(max_length=48)]


@router.get("")
async def list_cameras(context: ContextDep) -> list[CameraInfo]:
    """List all cameras with their status, by id."""
    cameras = await context.registry.list_cameras()
    return await _with_records(context, cameras)


@router.post("", status_code=status.HTTP_201_CREATED, responses={409: {"model": ErrorMessage}})
async def add_camera(wanted: CameraCreate, context: ContextDep, principal: PrincipalDep) -> CameraInfo:
    """Add a camera; credentials in its address are taken out of it."""
    known = await context.registry.list_cameras()
    taken = frozenset(camera.camera_id for camera in known)
    new = new_camera(wanted, taken, context.settings)
    camera = await context.registry.add(signed(None, new, by=principal.username))
    await announce(context, camera)
    await note(context, principal, "camera.added", camera.camera_id)
    await _note_readings(context, principal, None, camera)
    return (await _with_records(context, [camera]))[0]


@router.get("/{camera_id}")
async def get_camera(camera_id: CameraIdPath, context: ContextDep) -> CameraInfo:
    """Return one camera."""
    return (await _with_records(context, [await context.registry.get(camera_id)]))[0]


@router.patch("/{camera_id}")
async def edit_camera(
    camera_id: CameraIdPath, edit: CameraEdit, context: ContextDep, principal: PrincipalDep
) -> CameraInfo:
    """Change what is named; a password of null is removed, an absent one stays."""
    camera = await context.registry.get(camera_id)
    changes: dict[str, Any] = edit.model_dump(exclude_unset=True)
    if "url" in changes:
        address = split_url(context.settings, changes["url"])
        found = {"username": address.username, "password": address.password}
        changes = {name: value for name, value in found.items() if value} | changes | {"url": address.url}
    if "main_stream_url" in changes:
        known = {"username": camera.username, "password": camera.password} | changes
        changes |= main_stream_fields(context.settings, changes["main_stream_url"], known)
    check_kind(changes.get("kind", camera.kind), changes.get("url", camera.url))
    wanted = msgspec.convert(msgspec.to_builtins(camera) | changes, Camera)
    after = signed(camera, wanted, by=principal.username)
    if after != wanted:
        check_readings(wanted)
    signature = {name: getattr(after, name) for name in _SIGNATURE}
    before, camera = camera, await context.registry.update(camera_id, changes | signature)
    if any(getattr(camera, field) != getattr(before, field) for field in CHANGES_VIEW):
        await forget_fitness(context.redis, camera_id)
    await announce(context, camera)
    await forget_narrowed(context.redis, before, camera)
    await note(context, principal, f"camera.edited: {', '.join(sorted(changes))}"[:60], camera_id)
    await _note_readings(context, principal, before, camera)
    return (await _with_records(context, [camera]))[0]


@router.delete("/{camera_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_camera(camera_id: CameraIdPath, context: ContextDep, principal: PrincipalDep) -> None:
    """Remove a camera; its history stays."""
    camera = await context.registry.remove(camera_id)
    await forget_fitness(context.redis, camera_id)
    await announce(context, camera, removed=True)
    await forget_narrowed(context.redis, camera, None)
    await note(context, principal, "camera.removed", camera_id)


@router.get(
    "/{camera_id}/snapshot.jpg",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
async def get_snapshot(camera_id: CameraIdPath, context: ContextDep) -> Response:
    """Return the next picture that the camera delivers, waiting for it up to three seconds."""
    await context.registry.get(camera_id)
    viewer = Viewer()
    context.hub.watch(viewer, frozenset({camera_id}))
    try:
        async with asyncio.timeout(_SNAPSHOT_SECONDS):
            message = await viewer.take()
    except TimeoutError:
        raise NotFoundError(
            f"camera {camera_id!r} delivered no picture within {_SNAPSHOT_SECONDS:.0f} s"
        ) from None
    finally:
        context.hub.watch(viewer, frozenset())
    assert isinstance(message, FrameMessage)  # texts go only to viewers that were added
    return Response(message.jpeg, media_type="image/jpeg", headers={"Cache-Control": "no-store"})


async def _with_records(context: Context, cameras: list[Camera]) -> list[CameraInfo]:
    if not cameras:
        return []
    camera_ids = [camera.camera_id for camera in cameras]
    statuses = await context.redis.mget(map(camera_status_key, camera_ids))
    fitnesses = await read_fitness(context.redis, camera_ids)
    return [
        camera_info(camera, _STATUS.decode(value) if value else None, fitness)
        for camera, value, fitness in zip(cameras, statuses, fitnesses, strict=True)
    ]


def camera_info(camera: Camera, camera_status: CameraStatus | None, fitness: FitnessInfo) -> CameraInfo:
    """Return a camera as people may see it."""
    said = camera_status or CameraStatus(camera_id=camera.camera_id, state="unassigned")
    fields = msgspec.to_builtins(camera)
    has_password = fields.pop("password") is not None
    return CameraInfo(
        **fields,
        source=camera.source,
        has_password=has_password,
        status=CameraStatusInfo.model_validate(msgspec.to_builtins(said)),
        fitness=fitness,
    )


async def announce(context: Context, camera: Camera, *, removed: bool = False) -> None:
    """Tell everyone of a camera."""
    await announce_camera(context.directory, context.publisher, camera, removed=removed)


async def _note_readings(
    context: Context, principal: Principal, before: Camera | None, after: Camera
) -> None:
    """Write down who changed what may be read on a camera, and why."""
    for action, words in changes_of(before, after):
        await note(context, principal, action, f"{after.camera_id}: {words}" if words else after.camera_id)


async def note(context: Context, principal: Principal, action: str, subject: str) -> None:
    """Write down who did what to a camera."""
    await context.database.run(
        lambda session: audit(
            session, actor=principal.username, address=principal.address, action=action, subject=subject
        )
    )
