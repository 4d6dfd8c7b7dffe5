"""Sightings in SQL, as the interface tells them."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from services.gateway.people import NotFoundError
from services.gateway.schemas import SightingInfo
from services.gateway.tables import Person, Sighting, StrangerVisit
from services.gateway.who import WhoIsWho, is_ignored

DELETED_PERSON: Final = "deleted person"


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
