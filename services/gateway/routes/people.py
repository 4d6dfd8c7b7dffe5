"""People and their photos."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Path, Response, UploadFile, status
from sqlalchemy import delete
from sqlalchemy.orm import Session

from mien.vision.strays import SET_ASIDE
from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.accounts import Principal
from services.gateway.context import Context
from services.gateway.database import audit
from services.gateway.import_tables import ImportFile
from services.gateway.looks import forget_looks_of
from services.gateway.people import (
    NotFoundError,
    apply_edit,
    get_person,
    list_emotion_photos,
    list_people,
    new_id,
    require_person,
    require_photo,
)
from services.gateway.photo_judge import judge_again
from services.gateway.photo_rows import list_photos, photo_infos
from services.gateway.photo_schemas import PhotoEdit, PhotoInfo
from services.gateway.photos import MAX_PHOTO_BYTES, MAX_PHOTOS
from services.gateway.schemas import EmotionPhotoInfo, PersonCreate, PersonEdit, PersonInfo
from services.gateway.tables import Person, Photo

router = APIRouter(prefix="/api/people", tags=["people"], dependencies=[Depends(require_session)])
IdPath = Annotated[str, Path(max_length=40)]
_IMAGE: dict[int | str, dict[str, object]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("", operation_id="list_people")
async def get_people(context: ContextDep) -> list[PersonInfo]:
    """List all people, by name."""
    return await context.database.run(list_people)


@router.post("", status_code=status.HTTP_201_CREATED)
async def add_person(wanted: PersonCreate, context: ContextDep, principal: PrincipalDep) -> PersonInfo:
    """Add a person, who is recognized once a photo has become a template."""
    person_id = new_id()

    def add(session: Session) -> PersonInfo:
        session.add(Person(person_id=person_id, **wanted.model_dump()))
        _audit(session, principal, "person.added", person_id)
        session.flush()
        return get_person(session, person_id)

    info = await context.database.run(add)
    await context.names.announce_change()
    return info


@router.post("/emotion-exports", operation_id="export_emotions")
async def export_emotions(context: ContextDep, principal: PrincipalDep) -> list[EmotionPhotoInfo]:
    """List the photos whose expression is known, for whoever trains a model; written down who asked."""

    def read(session: Session) -> list[EmotionPhotoInfo]:
        infos = list_emotion_photos(session)
        _audit(session, principal, "emotions.exported", f"{len(infos)} photos")
        return infos

    return await context.database.run(read)


@router.get("/{person_id}", operation_id="get_person")
async def get_one_person(person_id: IdPath, context: ContextDep) -> PersonInfo:
    """Return one person."""
    return await context.database.run(lambda session: get_person(session, person_id))


@router.patch("/{person_id}")
async def edit_person(
    person_id: IdPath, edit: PersonEdit, context: ContextDep, principal: PrincipalDep
) -> PersonInfo:
    """Change what is given; somebody inactive is not recognised, of somebody ignored nobody is alerted."""
    changes = edit.model_dump(exclude_unset=True)

    def change(session: Session) -> PersonInfo:
        person = require_person(session, person_id)
        for name, value in changes.items():
            setattr(person, name, value)
        _audit(session, principal, "person.edited", person_id)
        session.flush()
        return get_person(session, person_id)

    info = await context.database.run(change)
    await context.names.announce_change()
    await context.strangers.tell_inactive_soon()
    return info


@router.delete("/{person_id}", status_code=status.HTTP_204_NO_CONTENT)
async def forget_person(person_id: IdPath, context: ContextDep, principal: PrincipalDep) -> None:
    """Forget a person everywhere: photos, templates, and the name in the history."""
    await context.database.run(lambda session: require_person(session, person_id))
    # Templates first: where Redis is away nothing has happened, and the request can be made again.
    await context.templates.remove_person(person_id)
    await context.denials.forget_person(person_id)
    await context.training.forget_person(person_id)

    await context.looks.forget_baseline(person_id)

    def forget(session: Session) -> None:
        judge_again(session, person_id)
        person = require_person(session, person_id)
        forget_looks_of(session, person_id)
        session.delete(person)
        session.execute(delete(ImportFile).where(ImportFile.person_id == person_id))
        _audit(session, principal, "person.forgotten", person_id)

    await context.database.run(forget)
    context.photo_judge.look_soon()
    await context.names.announce_change()


@router.post("/{person_id}/photos", status_code=status.HTTP_202_ACCEPTED)
async def add_photos(
    person_id: IdPath,
    photos: Annotated[list[UploadFile], File(min_length=1, max_length=MAX_PHOTOS)],
    context: ContextDep,
    principal: PrincipalDep,
) -> list[PhotoInfo]:
    """Take photos to enrol; each is judged by itself, and its answer comes later."""
    await context.database.run(lambda session: require_person(session, person_id))
    infos = [await _add_photo(context, person_id, upload) for upload in photos]
    await context.database.run(
        lambda session: _audit(session, principal, f"photos.added: {len(infos)}", person_id)
    )
    context.enrolment.send_soon()
    return infos


@router.get("/{person_id}/photos", operation_id="list_photos")
async def get_photos(person_id: IdPath, context: ContextDep) -> list[PhotoInfo]:
    """List a person's photos, the oldest first."""
    return await context.database.run(lambda session: list_photos(session, person_id))


@router.get("/{person_id}/photos/{photo_id}/image.jpg", response_class=Response, responses=_IMAGE)
async def get_photo_image(person_id: IdPath, photo_id: IdPath, context: ContextDep) -> Response:
    """Return the photo, as it was encoded anew."""
    return _picture(
        await context.database.run(lambda session: require_photo(session, person_id, photo_id).image_jpeg)
    )


@router.get("/{person_id}/photos/{photo_id}/face.jpg", response_class=Response, responses=_IMAGE)
async def get_photo_face(person_id: IdPath, photo_id: IdPath, context: ContextDep) -> Response:
    """Return the face that was found in the photo."""
    return _picture(
        await context.database.run(lambda session: require_photo(session, person_id, photo_id).face_jpeg)
    )


@router.patch("/{person_id}/photos/{photo_id}")
async def edit_photo(
    person_id: IdPath, photo_id: IdPath, edit: PhotoEdit, context: ContextDep, principal: PrincipalDep
) -> PhotoInfo:
    """Move a photo to another person, set it aside, or use it whatever it looks like.

    One that Mien has set aside is used again once it is moved, and judged among its new person's.
    """
    changes = edit.model_dump(exclude_unset=True)

    def check(session: Session) -> None:
        photo = require_photo(session, person_id, photo_id)
        require_person(session, changes.get("person_id", person_id))
        if changes.get("person_id", person_id) != person_id and photo.set_aside_reason in SET_ASIDE:
            changes.setdefault("set_aside", False)

    def change(session: Session) -> PhotoInfo:
        photo = require_photo(session, person_id, photo_id)
        action = apply_edit(photo, changes)
        judge_again(session, person_id, photo.person_id)
        _audit(session, principal, action, photo_id)
        session.flush()
        return photo_infos(session, [photo])[0]

    await context.database.run(check)
    await context.templates.edit_photo(photo_id, **changes)
    info = await context.database.run(change)
    context.photo_judge.look_soon()
    return info


@router.delete("/{person_id}/photos/{photo_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_photo(
    person_id: IdPath, photo_id: IdPath, context: ContextDep, principal: PrincipalDep
) -> None:
    """Delete a photo and the template that was made of it."""
    await context.database.run(lambda session: require_photo(session, person_id, photo_id))
    await context.templates.remove_photo(photo_id)

    def remove(session: Session) -> None:
        session.delete(require_photo(session, person_id, photo_id))
        session.flush()
        judge_again(session, person_id)
        _audit(session, principal, "photo.removed", photo_id)

    await context.database.run(remove)
    context.photo_judge.look_soon()


async def _add_photo(context: Context, person_id: str, upload: UploadFile) -> PhotoInfo:
    photo: Photo = await context.enrolment.judge(
        await upload.read(MAX_PHOTO_BYTES + 1), person_id=person_id, filename=upload.filename or "photo"
    )

    def add(session: Session) -> PhotoInfo:
        session.add(photo)
        session.flush()
        return photo_infos(session, [photo])[0]

    return await context.database.run(add)


def _picture(jpeg: bytes | None) -> Response:
    if jpeg is None:
        raise NotFoundError("there is no such picture")
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, no-store"})


def _audit(session: Session, principal: Principal, action: str, subject: str) -> None:
    audit(session, actor=principal.username, address=principal.address, action=action, subject=subject)
