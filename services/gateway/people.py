"""People and photos in SQL: functions that run inside one transaction."""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from mien.contracts.events import PhotoRejected, TemplateCreated
from mien.errors import MienError
from mien.vision.strays import SET_ASIDE
from services.gateway.photo_judge import judge_again
from services.gateway.schemas import EmotionPhotoInfo, PersonInfo
from services.gateway.tables import Person, Photo


class NotFoundError(MienError):
    """There is no such person, photo or picture."""


def new_id() -> str:
    """Return a random id that nobody can guess."""
    return secrets.token_hex(12)


def list_people(session: Session, *conditions: ColumnElement[bool]) -> list[PersonInfo]:
    """Return people by name, with what there is of each."""
    counts = (
        select(
            Photo.person_id,
            func.count().label("photos"),
            func.sum(case((and_(Photo.status == "enrolled", ~Photo.set_aside), 1), else_=0)).label(
                "templates"
            ),
            func.sum(case((needs_a_look(), 1), else_=0)).label("problems"),
            func.min(case((and_(Photo.has_face, ~Photo.set_aside), Photo.photo_id))).label("cover"),
        )
        .group_by(Photo.person_id)
        .subquery()
    )
    rows = session.execute(
        select(Person, counts.c.photos, counts.c.templates, counts.c.problems, counts.c.cover)
        .outerjoin(counts, counts.c.person_id == Person.person_id)
        .where(*conditions)
        .order_by(func.lower(Person.name))
    )
    return [_person_info(*row) for row in rows]


def needs_a_look() -> ColumnElement[bool]:
    """Return which photos somebody should decide on: those that may be under the wrong name."""
    return and_(
        Photo.status == "enrolled",
        ~Photo.use_anyway,
        or_(
            and_(Photo.set_aside, Photo.set_aside_reason.in_(SET_ASIDE)),
            and_(~Photo.set_aside, Photo.likeness.in_(("differs", "lookalike"))),
        ),
    )


def get_person(session: Session, person_id: str) -> PersonInfo:
    """Return one person.

    Raises:
        NotFoundError: There is none of this id.
    """
    people = list_people(session, Person.person_id == person_id)
    if not people:
        raise NotFoundError(f"there is no person {person_id!r}")
    return people[0]


def require_person(session: Session, person_id: str) -> Person:
    """Return one person's row.

    Raises:
        NotFoundError: There is none of this id.
    """
    person = session.get(Person, person_id)
    if person is None:
        raise NotFoundError(f"there is no person {person_id!r}")
    return person


def require_photo(session: Session, person_id: str, photo_id: str) -> Photo:
    """Return one photo's row, without its pictures.

    Raises:
        NotFoundError: This person has no such photo.
    """
    photo = session.get(Photo, photo_id)
    if photo is None or photo.person_id != person_id:
        raise NotFoundError(f"there is no photo {photo_id!r} of person {person_id!r}")
    return photo


def unsubmitted_photos(session: Session, limit: int) -> list[Photo]:
    """Return photos that the broker has not got yet, pictures included."""
    return list(
        session.scalars(
            select(Photo)
            .options(undefer(Photo.image_jpeg))
            .where(Photo.status == "pending", Photo.submitted.is_(False))
            .order_by(Photo.created_at)
            .limit(limit)
        )
    )


def mark_submitted(session: Session, photo_ids: Sequence[str]) -> None:
    """Note that the broker has these photos."""
    session.execute(update(Photo).where(Photo.photo_id.in_(photo_ids)).values(submitted=True))


def settle_photo(session: Session, result: TemplateCreated | PhotoRejected) -> bool:
    """Write down what became of a photo; returns False when it has been deleted meanwhile."""
    photo = session.get(Photo, result.photo_id)
    if photo is None:
        return False
    if isinstance(result, TemplateCreated):
        photo.status, photo.reason, photo.explanation = "enrolled", None, None
        photo.quality = round(result.quality.score, 3)
        photo.measures = msgspec.structs.asdict(result.quality)
        photo.template_id = result.template_id
        judge_again(session, photo.person_id)
        photo.face_jpeg, photo.has_face = result.face_jpeg, True
    else:
        photo.status, photo.reason = "rejected", result.reason
        photo.explanation = result.explanation[:500]
    photo.submitted = True
    return True


def apply_edit(photo: Photo, changes: dict[str, Any]) -> str:
    """Change a photo's person, or whether it is compared with; returns what the audit calls it."""
    moved = changes.get("person_id", photo.person_id) != photo.person_id
    photo.person_id = changes.get("person_id", photo.person_id)
    if moved:
        photo.use_anyway = False
    if changes.get("set_aside", photo.set_aside) == photo.set_aside:
        return "photo.moved" if moved else "photo.edited"
    photo.set_aside = not photo.set_aside
    photo.set_aside_reason = "by_hand" if photo.set_aside else None
    photo.use_anyway = not photo.set_aside and not moved
    if moved:
        return "photo.moved"
    return "photo.set_aside" if photo.set_aside else "photo.used_anyway"


def list_emotion_photos(session: Session) -> list[EmotionPhotoInfo]:
    """Return the photos whose expression is known, by label and person, of people who may be recognised."""
    chosen = (
        select(Photo)
        .join(Person, Person.person_id == Photo.person_id)
        .where(
            Photo.emotion_label.is_not(None),
            Photo.reason.is_distinct_from("not_an_image"),
            Person.active.is_(True),
        )
    )
    return [
        EmotionPhotoInfo(
            photo_id=photo.photo_id,
            person_id=photo.person_id,
            label=photo.emotion_label or "",
            image_url=f"/api/people/{photo.person_id}/photos/{photo.photo_id}/image.jpg",
        )
        for photo in session.scalars(chosen.order_by(Photo.emotion_label, Photo.person_id, Photo.photo_id))
    ]


def _person_info(
    person: Person,
    photos: int | None,
    templates: int | None,
    problems: int | None,
    cover_photo_id: str | None,
) -> PersonInfo:
    cover = f"/api/people/{person.person_id}/photos/{cover_photo_id}/face.jpg" if cover_photo_id else None
    return PersonInfo(
        person_id=person.person_id,
        name=person.name,
        notes=person.notes,
        consent_note=person.consent_note,
        active=person.active,
        ignored=person.ignored,
        created_at=person.created_at,
        photo_count=photos or 0,
        template_count=templates or 0,
        problem_count=problems or 0,
        cover_photo_url=cover,
        demo_note=person.demo_note,
    )
