"""Imports: photos of many people at once, looked through before anything is done, and undone as a whole."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Path, Response, UploadFile, status
from sqlalchemy.orm import Session

from services.gateway import import_rows as sql
from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.accounts import Principal
from services.gateway.database import audit
from services.gateway.import_schemas import ImportCommit, ImportCreate, ImportInfo, ImportSummary
from services.gateway.import_tables import ImportFile, PhotoImport
from services.gateway.imports import require_state
from services.gateway.people import NotFoundError, new_id
from services.gateway.photos import MAX_PHOTO_BYTES, MAX_PHOTOS
from services.gateway.pipeline import InvalidInputError

router = APIRouter(prefix="/api/imports", tags=["imports"], dependencies=[Depends(require_session)])
ImportPath = Annotated[str, Path(max_length=40)]
_IMAGE: dict[int | str, dict[str, object]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("", operation_id="list_imports")
async def get_imports(context: ContextDep) -> list[ImportSummary]:
    """List imports, the newest first."""
    return await context.database.run(sql.list_imports)


@router.post("", status_code=status.HTTP_201_CREATED)
async def begin_import(wanted: ImportCreate, context: ContextDep, principal: PrincipalDep) -> ImportInfo:
    """Begin an import: files come next, and nobody is enrolled before it is committed."""
    import_id = new_id()

    def add(session: Session) -> ImportInfo:
        session.add(
            PhotoImport(
                import_id=import_id, source=wanted.source, state="draft", created_by=principal.username
            )
        )
        session.flush()
        return sql.get_import(session, import_id)

    return await context.database.run(add)


@router.get("/{import_id}", operation_id="get_import")
async def get_one_import(import_id: ImportPath, context: ContextDep) -> ImportInfo:
    """Return an import: before it is committed what it would do, afterwards what it has done."""
    return await context.database.run(lambda session: sql.get_import(session, import_id))


@router.post("/{import_id}/photos", operation_id="add_import_files", status_code=status.HTTP_202_ACCEPTED)
async def add_files(
    import_id: ImportPath,
    photos: Annotated[list[UploadFile], File(min_length=1, max_length=MAX_PHOTOS)],
    context: ContextDep,
) -> ImportSummary:
    """Take files; the name of each is its path in the folder. One that came before changes nothing."""
    for upload in photos:
        await context.imports.add_file(
            import_id, upload.filename or "photo", await upload.read(MAX_PHOTO_BYTES + 1)
        )
    return await _summary(context, import_id)


@router.post("/{import_id}/archive", operation_id="add_import_archive", status_code=status.HTTP_202_ACCEPTED)
async def add_archive(
    import_id: ImportPath, archive: Annotated[UploadFile, File()], context: ContextDep
) -> ImportSummary:
    """Take a zip archive, which is then read file by file."""
    await context.imports.take_archive(import_id, archive.file)
    return await _summary(context, import_id)


@router.get("/{import_id}/files/{file_id}.jpg", response_class=Response, responses=_IMAGE)
async def get_import_image(import_id: ImportPath, file_id: int, context: ContextDep) -> Response:
    """Return a picture of an import that is not committed yet."""

    def read(session: Session) -> bytes | None:
        file = session.get(ImportFile, file_id)
        return file.image_jpeg if file is not None and file.import_id == import_id else None

    jpeg = await context.database.run(read)
    if jpeg is None:
        raise NotFoundError("there is no such picture")
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, no-store"})


@router.post("/{import_id}/commit", operation_id="commit_import")
async def commit(
    import_id: ImportPath, wanted: ImportCommit, context: ContextDep, principal: PrincipalDep
) -> ImportSummary:
    """Enrol the photos as they were looked through; people who are new are added with the consent note."""

    def freeze(session: Session) -> None:
        require_state(session, import_id, "draft")
        if not sql.freeze_plan(session, import_id, consent_note=wanted.consent_note):
            raise InvalidInputError("there is no photo to enrol in this import")
        _audit(session, principal, "import.committed", import_id)

    await context.database.run(freeze)
    await context.names.announce_change()
    context.imports.look_soon()
    return await _summary(context, import_id)


@router.post("/{import_id}/undo", operation_id="undo_import")
async def undo(import_id: ImportPath, context: ContextDep, principal: PrincipalDep) -> ImportSummary:
    """Forget the photos of an import, and the people it brought who have no other photo."""

    def mark(session: Session) -> None:
        require_state(session, import_id, "running", "done").state = "undoing"
        _audit(session, principal, "import.undone", import_id)

    await context.database.run(mark)
    context.imports.look_soon()
    return await _summary(context, import_id)


@router.delete("/{import_id}", operation_id="discard_import", status_code=status.HTTP_204_NO_CONTENT)
async def discard(import_id: ImportPath, context: ContextDep) -> None:
    """Delete an import that is not committed, and its files."""
    await context.imports.discard(import_id)


async def _summary(context: ContextDep, import_id: str) -> ImportSummary:
    return await context.database.run(lambda session: sql.summary(session, import_id))


def _audit(session: Session, principal: Principal, action: str, subject: str) -> None:
    audit(session, actor=principal.username, address=principal.address, action=action, subject=subject)
