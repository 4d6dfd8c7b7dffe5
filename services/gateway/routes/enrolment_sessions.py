"""Guided enrolment at a webcam: consent, advice on live pictures, what is kept of them, and deleting all."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, status
from sqlalchemy.orm import Session

from services.gateway import coach
from services.gateway.access import ContextDep, PrincipalDep, require_session
from services.gateway.accounts import Principal
from services.gateway.coach_schemas import (
    EmotionLabel,
    EnrolmentSessionCreate,
    EnrolmentSessionInfo,
    FaceCheckInfo,
)
from services.gateway.database import audit
from services.gateway.people import new_id
from services.gateway.photo_rows import photo_infos
from services.gateway.photo_schemas import PhotoInfo
from services.gateway.pipeline import InvalidInputError
from services.gateway.poses import Pose, StraightLook, advise
from services.gateway.schemas import ErrorMessage
from services.gateway.tables import EnrolmentSession, Person, utc_now
from services.gateway.webcam_feed import jpeg_size

router = APIRouter(prefix="/api/enrolment-sessions", tags=["people"], dependencies=[Depends(require_session)])
SessionPath = Annotated[str, Path(max_length=40)]
Look = Annotated[float, Query(ge=-1, le=1)]
_JPEG_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=status.HTTP_201_CREATED, operation_id="begin_enrolment_session")
async def begin(
    wanted: EnrolmentSessionCreate, context: ContextDep, principal: PrincipalDep
) -> EnrolmentSessionInfo:
    """Begin a guided enrolment, with the consent of whom it is about; without one nothing is taken."""
    person_id = wanted.person_id or new_id()
    row = EnrolmentSession(
        session_id=new_id(),
        person_id=person_id,
        consent_text=wanted.consent_text,
        consented_by=wanted.consented_by,
        consented_at=utc_now(),
        recorded_by=principal.username,
        is_new_person=wanted.person_id is None,
    )

    def write(session: Session) -> EnrolmentSessionInfo:
        if wanted.name is not None:
            session.add(Person(person_id=person_id, name=wanted.name, consent_note=wanted.consent_note))
            session.flush()
        coach.begin_session(session, row)
        _audit(session, principal, "enrolment.begun", f"{person_id} {row.session_id}")
        session.flush()
        return coach.session_info(session, row)

    info = await context.database.run(write)
    await context.names.announce_change()
    return info


@router.get("", operation_id="list_enrolment_sessions")
async def list_all(
    context: ContextDep, person_id: Annotated[str, Query(max_length=40)]
) -> list[EnrolmentSessionInfo]:
    """List a person's guided enrolments with their consents, the last one in front."""
    return await context.database.run(lambda session: coach.list_sessions(session, person_id))


@router.get("/{session_id}", operation_id="get_enrolment_session")
async def get_one(session_id: SessionPath, context: ContextDep) -> EnrolmentSessionInfo:
    """Return a guided enrolment, to go on with it."""
    return await context.database.run(
        lambda session: coach.session_info(session, coach.require_session_row(session, session_id))
    )


@router.post(
    "/{session_id}/checks",
    operation_id="check_face",
    openapi_extra=_JPEG_BODY,
    responses={413: {"model": ErrorMessage}, 429: {"model": ErrorMessage}},
)
async def check(
    session_id: SessionPath,
    request: Request,
    context: ContextDep,
    pose: Pose | None = None,
    straight_yaw: Look = 0.0,
    straight_pitch: Look = 0.0,
) -> FaceCheckInfo:
    """Say what a live picture is worth and what to do next; nothing of it is stored."""
    await context.database.run(lambda session: coach.require_session_row(session, session_id))
    settings = context.settings
    jpeg = await _body(request, most_bytes=settings.webcam_frame_bytes)
    size_wh = jpeg_size(jpeg)
    if size_wh is None:
        raise InvalidInputError("expected a JPEG")
    if max(size_wh) > settings.webcam_frame_side_px:
        raise InvalidInputError(
            f"a picture's sides have at most {settings.webcam_frame_side_px} pixels, got {max(size_wh)}"
        )
    checked = await context.face_checks.check(jpeg, session_id=session_id)
    advice = advise(checked, pose, StraightLook(straight_yaw, straight_pitch))
    return FaceCheckInfo(
        is_good=advice.is_good,
        words=advice.words,
        progress=round(advice.progress, 2),
        quality=round(checked.score, 2),
        box_xyxy=checked.box_xyxy,
        size_wh=checked.size_wh,
        yaw=round(checked.yaw, 3),
        pitch=round(checked.pitch, 3),
    )


@router.post(
    "/{session_id}/photos",
    status_code=status.HTTP_202_ACCEPTED,
    operation_id="keep_session_photo",
    openapi_extra=_JPEG_BODY,
    responses={413: {"model": ErrorMessage}},
)
async def keep(
    session_id: SessionPath,
    request: Request,
    context: ContextDep,
    principal: PrincipalDep,
    pose: Pose | None = None,
    emotion: EmotionLabel | None = None,
) -> PhotoInfo:
    """Keep a picture as a photo of the person, with what it shows; it is enrolled like any other."""
    if (pose is None) == (emotion is None):
        raise InvalidInputError("expected either the pose or the emotion that the picture shows")
    row = await context.database.run(lambda session: coach.require_session_row(session, session_id))
    jpeg = await _body(request, most_bytes=context.settings.webcam_frame_bytes)
    label = pose or emotion
    photo = await context.enrolment.judge(jpeg, person_id=row.person_id, filename=f"webcam, {label}")
    if photo.status == "rejected":
        raise InvalidInputError(photo.explanation or "the picture can't be read")
    photo.pose_label, photo.emotion_label = pose, emotion
    photo.enrolment_session_id = session_id

    def add(session: Session) -> PhotoInfo:
        coach.require_session_row(session, session_id)  # it may have been deleted meanwhile
        session.add(photo)
        session.flush()
        _audit(session, principal, "photos.added: 1", row.person_id)
        return photo_infos(session, [photo])[0]

    info = await context.database.run(add)
    context.enrolment.send_soon()
    return info


@router.delete(
    "/{session_id}", status_code=status.HTTP_204_NO_CONTENT, operation_id="delete_enrolment_session"
)
async def delete_all(session_id: SessionPath, context: ContextDep, principal: PrincipalDep) -> None:
    """Delete everything of a guided enrolment: photos, templates, consent, and a person added for it.

    Trainings that may have been made from its photos go, too: their reports may show them.
    """
    row = await context.database.run(lambda session: coach.require_session_row(session, session_id))
    for photo_id in await context.database.run(lambda session: coach.photos_of_session(session, session_id)):
        await context.templates.remove_photo(photo_id)

    def write(session: Session) -> None:
        coach.delete_session(session, session_id)
        _audit(session, principal, "enrolment.deleted", session_id)

    await context.database.run(write)
    await context.training.forget_person(row.person_id)
    await context.names.announce_change()


async def _body(request: Request, *, most_bytes: int) -> bytes:
    body = await request.body()
    if len(body) > most_bytes:
        raise HTTPException(
            status.HTTP_413_CONTENT_TOO_LARGE, f"a picture has at most {most_bytes} bytes, got {len(body)}"
        )
    return body


def _audit(session: Session, principal: Principal, action: str, subject: str) -> None:
    audit(session, actor=principal.username, address=principal.address, action=action, subject=subject)
