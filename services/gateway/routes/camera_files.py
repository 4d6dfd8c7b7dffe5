"""Many cameras at once: from a file, back to before, and into a file."""

import asyncio
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, File, Form, Path, Query, UploadFile
from sqlalchemy import select
from sqlalchemy.orm import Session

from mien.contracts.cameras import Camera
from mien.runtime.cameras import CameraExistsError, CameraUnknownError
from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.camera_files import (
    CameraFile,
    CameraFileError,
    PlannedCamera,
    plan_import,
    read_camera_file,
    to_csv,
    to_yaml,
)
from services.gateway.camera_files.reading import MAX_FILE_BYTES
from services.gateway.camera_request_schemas import (
    AddedCameraInfo,
    CameraExport,
    CameraImportInfo,
    ImportPreview,
    ImportProgress,
    ImportUndone,
    PlannedCameraInfo,
)
from services.gateway.camera_schemas import CameraCreate
from services.gateway.context import Context
from services.gateway.fitness import forget_fitness
from services.gateway.new_camera import new_camera
from services.gateway.people import NotFoundError, new_id
from services.gateway.routes.cameras import announce, note
from services.gateway.tables import CameraImport, utc_now

router = APIRouter(prefix="/api/camera-files", tags=["cameras"], dependencies=[Depends(require_session)])

_MAX_SHOWN_IMPORTS = 20
_VARIABLES = msgspec.json.Decoder(dict[str, str])
CamerasUpload = Annotated[UploadFile, File(description="CSV, YAML, or a configuration of Frigate or go2rtc")]
VariablesForm = Annotated[
    str,
    Form(max_length=20_000, description='Values of variables in it, as in {"FRIGATE_RTSP_PASSWORD": "…"}'),
]
ImportIdPath = Annotated[str, Path(max_length=48)]


@router.post("/preview")
async def preview_import(
    file: CamerasUpload, context: ContextDep, variables: VariablesForm = "{}"
) -> ImportPreview:
    """Say what importing a file would do, entry by entry; nothing is changed."""
    read, planned = await _plan(context, file, variables)
    counts = {verdict: sum(one.verdict == verdict for one in planned) for verdict in ("new", "duplicate")}
    return ImportPreview(
        format=read.format,
        cameras=[_planned_info(one) for one in planned],
        new=counts["new"],
        duplicates=counts["duplicate"],
        invalid=len(planned) - sum(counts.values()),
        needs=read.needs,
    )


@router.post("/import")
async def import_cameras(
    file: CamerasUpload,
    context: ContextDep,
    principal: PrincipalDep,
    variables: VariablesForm = "{}",
    import_id: Annotated[str | None, Form(max_length=48)] = None,
    first: Annotated[int, Form(ge=0)] = 0,
    count: Annotated[int, Form(ge=1, le=2000)] = 2000,
) -> ImportProgress:
    """Add what is new among *count* entries of a file from the *first* on.

    A long file is imported in several steps, so that its progress can be shown: send it again with the
    *import_id* of the first step and the *next* of the step before.
    """
    _, planned = await _plan(context, file, variables)
    step = planned[first : first + count]
    actor, filename = principal.username, file.filename or ""
    import_id = await context.database.run(
        lambda session: _begin_import(session, import_id, filename=filename, actor=actor)
    )
    added = []
    for one in step:
        if one.camera is not None:
            try:
                added.append(await context.registry.add(one.camera))
            except CameraExistsError:  # somebody else was quicker
                continue
    await context.database.run(lambda session: _note_added(session, import_id, added))
    await asyncio.gather(*(announce(context, camera) for camera in added))
    if added:
        await note(context, principal, f"cameras.imported: {len(added)}", import_id)
    end = first + count
    return ImportProgress(
        import_id=import_id,
        added=[AddedCameraInfo(camera_id=camera.camera_id, name=camera.name) for camera in added],
        next=end if end < len(planned) else None,
    )


@router.get("/imports")
async def list_camera_imports(context: ContextDep) -> list[CameraImportInfo]:
    """List the last imports, newest first."""
    query = select(CameraImport).order_by(CameraImport.created_at.desc()).limit(_MAX_SHOWN_IMPORTS)
    imports = await context.database.run(lambda session: list(session.scalars(query)))
    return [
        CameraImportInfo(
            import_id=one.import_id,
            filename=one.filename,
            actor=one.actor,
            created_at=one.created_at,
            undone_at=one.undone_at,
            camera_ids=one.camera_ids,
        )
        for one in imports
    ]


@router.delete("/imports/{import_id}")
async def undo_camera_import(
    import_id: ImportIdPath, context: ContextDep, principal: PrincipalDep
) -> ImportUndone:
    """Remove the cameras that an import has added, but those that were edited since."""
    camera_ids = await context.database.run(lambda session: _undo(session, import_id))
    removed, kept = [], []
    for camera_id in camera_ids:
        try:
            if (await context.registry.get(camera_id)).revision > 1:
                kept.append(camera_id)
                continue
            camera = await context.registry.remove(camera_id)
        except CameraUnknownError:
            continue
        await forget_fitness(context.redis, camera_id)
        removed.append(camera)
    await asyncio.gather(*(announce(context, camera, removed=True) for camera in removed))
    await note(context, principal, f"cameras.import_undone: {len(removed)}", import_id)
    return ImportUndone(removed=[camera.camera_id for camera in removed], kept=kept)


@router.get("/export")
async def export_cameras(
    context: ContextDep, file_format: Annotated[Literal["yaml", "csv"], Query(alias="format")] = "yaml"
) -> CameraExport:
    """Return all cameras as a file that can be imported again; passwords are left out."""
    cameras = await context.registry.list_cameras()
    text = to_csv(cameras) if file_format == "csv" else to_yaml(cameras)
    return CameraExport(filename=f"cameras.{file_format}", text=text)


async def _plan(context: Context, file: UploadFile, variables: str) -> tuple[CameraFile, list[PlannedCamera]]:
    try:
        values = _VARIABLES.decode(variables)
    except msgspec.DecodeError:
        raise CameraFileError("variables: expected a JSON object of texts") from None
    content = await file.read(MAX_FILE_BYTES + 1)
    registered = await context.registry.list_cameras()

    def plan() -> tuple[CameraFile, list[PlannedCamera]]:
        read = read_camera_file(content, variables=values)
        return read, plan_import(read.entries, registered, build)

    def build(wanted: CameraCreate, taken: frozenset[str]) -> Camera:
        return new_camera(wanted, taken, context.settings)

    return await asyncio.to_thread(plan)


def _planned_info(planned: PlannedCamera) -> PlannedCameraInfo:
    camera = planned.camera
    return PlannedCameraInfo(
        place=planned.place,
        name=planned.name,
        verdict=planned.verdict,
        why=planned.why,
        camera_id=camera.camera_id if camera else None,
        url=camera.url if camera else None,
        main_stream_url=camera.main_stream_url if camera else None,
        username=camera.username if camera else None,
        has_password=camera is not None and camera.password is not None,
    )


def _begin_import(session: Session, import_id: str | None, *, filename: str, actor: str) -> str:
    """Return the id of a new import, or of the one to go on with."""
    if import_id is not None:
        known = session.get(CameraImport, import_id)
        if known is None or known.undone_at is not None:
            raise NotFoundError(f"there is no import {import_id!r} to go on with")
        return import_id
    new = CameraImport(import_id=new_id(), filename=filename[:255], actor=actor, camera_ids=[])
    session.add(new)
    return new.import_id


def _note_added(session: Session, import_id: str, added: list[Camera]) -> None:
    known = session.get_one(CameraImport, import_id)
    known.camera_ids = [*known.camera_ids, *(camera.camera_id for camera in added)]


def _undo(session: Session, import_id: str) -> list[str]:
    known = session.get(CameraImport, import_id)
    if known is None:
        raise NotFoundError(f"there is no import {import_id!r}")
    known.undone_at = known.undone_at or utc_now()
    return known.camera_ids
