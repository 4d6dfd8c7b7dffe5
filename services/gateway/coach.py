"""Guided enrolments in SQL: functions that run inside one transaction."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from services.gateway.coach_schemas import EnrolmentSessionInfo
from services.gateway.people import NotFoundError, require_person
from services.gateway.tables import EnrolmentSession, Person, Photo

_MOST_CONSENT_NOTE = 2000


def begin_session(session: Session, row: EnrolmentSession) -> None:
    """Write down a consent, also where people look for it first: on the person's page.

    Raises:
        NotFoundError: There is no such person.
    """
    person = require_person(session, row.person_id)
    session.add(row)
    session.flush()
    line = (
        f"{row.consented_at:%Y-%m-%d}: {row.consented_by} agreed at the webcam ({row.recorded_by} was there)."
    )
    person.consent_note = "\n".join(filter(None, (person.consent_note, line)))[-_MOST_CONSENT_NOTE:]


def require_session_row(session: Session, session_id: str) -> EnrolmentSession:
    """Return a guided enrolment.

    Raises:
        NotFoundError: There is none of this id.
    """
    row = session.get(EnrolmentSession, session_id)
    if row is None:
        raise NotFoundError(f"there is no enrolment {session_id!r}: everything of it may have been deleted")
    return row


def session_info(session: Session, row: EnrolmentSession) -> EnrolmentSessionInfo:
    """Return a guided enrolment with what its person's photos show by now."""
    usable = select(Photo.pose_label, Photo.emotion_label).where(
        Photo.person_id == row.person_id, Photo.status != "rejected"
    )
    labels = session.execute(usable).all()
    count = select(func.count()).where(Photo.enrolment_session_id == row.session_id)
    return EnrolmentSessionInfo.model_validate(
        {
            "session_id": row.session_id,
            "person_id": row.person_id,
            "person_name": require_person(session, row.person_id).name,
            "consent_text": row.consent_text,
            "consented_by": row.consented_by,
            "consented_at": row.consented_at,
            "recorded_by": row.recorded_by,
            "is_new_person": row.is_new_person,
            "photo_count": session.scalar(count) or 0,
            "poses": sorted({pose for pose, _ in labels if pose}),
            "emotions": sorted({emotion for _, emotion in labels if emotion}),
        }
    )


def list_sessions(session: Session, person_id: str) -> list[EnrolmentSessionInfo]:
    """Return a person's guided enrolments, the last one in front.

    Raises:
        NotFoundError: There is no such person.
    """
    require_person(session, person_id)
    rows = session.scalars(
        select(EnrolmentSession)
        .where(EnrolmentSession.person_id == person_id)
        .order_by(EnrolmentSession.consented_at.desc())
    )
    return [session_info(session, row) for row in rows]


def photos_of_session(session: Session, session_id: str) -> list[str]:
    """Return the ids of the photos that were kept of a guided enrolment."""
    require_session_row(session, session_id)
    return list(session.scalars(select(Photo.photo_id).where(Photo.enrolment_session_id == session_id)))


def delete_session(session: Session, session_id: str) -> bool:
    """Delete a guided enrolment with its photos and consent, and the person if there was nothing before it.

    Returns:
        Whether the person is gone, too.
    """
    row = require_session_row(session, session_id)
    person_id, is_new_person = row.person_id, row.is_new_person
    session.execute(delete(Photo).where(Photo.enrolment_session_id == session_id))
    session.delete(row)
    session.flush()
    rest = select(Photo.photo_id).where(Photo.person_id == person_id).limit(1)
    person = session.get(Person, person_id)
    if is_new_person and person is not None and session.scalar(rest) is None:
        session.delete(person)
        return True
    return False
