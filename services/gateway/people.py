"""People, photos and history in SQL: functions that run inside one transaction."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from mien.contracts.events import PhotoRejected, TemplateCreated
from mien.errors import MienError
from mien.vision.strays import SET_ASIDE
from services.gateway.photo_judge import judge_again
from services.gateway.schemas import EmotionPhotoInfo, PersonInfo, SightingInfo
from services.gateway.tables import Person, Photo, Sighting, StrangerVisit
from services.gateway.who import WhoIsWho, is_ignored

DELETED_PERSON: Final = "deleted person"


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
    """Return the photos whose expression is known, by label and person."""
    chosen = select(Photo).where(
        Photo.emotion_label.is_not(None), Photo.reason.is_distinct_from("not_an_image")
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


def list_sightings(
    session: Session,
    who: WhoIsWho,
    *,
    camera_id: str | None,
    person_id: str | None,
    before: datetime | None,
    limit: int,
    stranger_id: str | None = None,
    with_ignored: bool = False,
) -> list[SightingInfo]:
    """Return history, the newest first; without those who are ignored unless they are asked for."""
    query = (
        select(Sighting, Person.name, StrangerVisit.member_id)
        .outerjoin(Person, Person.person_id == Sighting.person_id)
        .outerjoin(StrangerVisit, StrangerVisit.member_id == Sighting.track_id)
        .order_by(Sighting.ended_at.desc(), Sighting.track_id)
        .limit(limit)
    )
    if camera_id is not None:
        query = query.where(Sighting.camera_id == camera_id)
    if person_id is not None:
        query = query.where(Sighting.person_id == person_id)
    if stranger_id is not None:
        root_id = who.strangers[stranger_id].root_id if stranger_id in who.strangers else stranger_id
        ids = [id_ for id_, stranger in who.strangers.items() if stranger.root_id == root_id]
        query = query.where(Sighting.stranger_id.in_(ids))
    if before is not None:
        query = query.where(Sighting.ended_at < before)
    if not with_ignored:
        query = query.where(
            or_(Person.ignored.is_(None), ~Person.ignored),
            or_(Sighting.stranger_id.is_(None), Sighting.stranger_id.not_in(who.ignored_strangers)),
        )
    return [_sighting_info(*row, who) for row in session.execute(query)]


def require_sighting(session: Session, track_id: str) -> Sighting:
    """Return one sighting's row.

    Raises:
        NotFoundError: There is none of this id.
    """
    sighting = session.get(Sighting, track_id)
    if sighting is None:
        raise NotFoundError(f"there is no sighting {track_id!r}")
    return sighting


def get_sighting(session: Session, who: WhoIsWho, track_id: str) -> SightingInfo:
    """Return one sighting.

    Raises:
        NotFoundError: There is none of this id.
    """
    sighting = require_sighting(session, track_id)
    person = session.get(Person, sighting.person_id) if sighting.person_id else None
    visit = session.get(StrangerVisit, track_id)
    return _sighting_info(sighting, person.name if person else None, visit.member_id if visit else None, who)


def visit_face_url(visit_id: str) -> str:
    """Return where the face of a stranger's visit is read."""
    return f"/api/strangers/faces/{visit_id}.jpg"


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


def _sighting_info(
    sighting: Sighting, person_name: str | None, visit_id: str | None, who: WhoIsWho
) -> SightingInfo:
    stranger = who.strangers.get(sighting.stranger_id) if sighting.stranger_id else None
    denied_id = who.denials.get(sighting.track_id)
    forgotten = sighting.answer == "known" and sighting.person_id is None
    fields: dict[str, Any] = {
        column: getattr(sighting, column)
        for column in (
            "camera_id",
            "camera_name",
            "track_id",
            "person_id",
            "answer",
            "similarity",
            "accept_similarity",
            "started_at",
            "ended_at",
            "emotions",
            "emotion_timeline",
            "tiredness",
        )
    }
    return SightingInfo(
        sighting_id=sighting.track_id,
        person_name=DELETED_PERSON if forgotten else person_name,
        stranger_id=stranger.root_id if stranger else None,
        stranger_label=stranger.label if stranger else None,
        denied_person_id=denied_id,
        denied_person_name=who.people.get(denied_id) if denied_id else None,
        face_url=visit_face_url(visit_id) if visit_id else None,
        ignored=is_ignored(sighting.person_id, sighting.stranger_id, who),
        **fields,
    )
