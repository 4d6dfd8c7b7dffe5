"""Strangers and their visits in SQL: functions that run inside one transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, undefer

from mien.contracts.events import StrangerSeen, StrangerWithdrawn
from mien.contracts.recognition import Rules
from services.gateway.people import NotFoundError, new_id
from services.gateway.recognition_schemas import StrangerInfo, VisitInfo
from services.gateway.sighting_rows import visit_face_url
from services.gateway.tables import Person, Photo, Sighting, Stranger, StrangerVisit
from services.gateway.who import WhoIsWho

MOST_VISITS_TOLD: Final = 200
MOST_FACES_ENROLLED: Final = 5
_LEAST_QUALITY_ENROLLED: Final = 0.4
"""Below it a view says little; what is above still has to pass the gate that every photo passes."""


def record_visit(session: Session, seen: StrangerSeen, *, camera_name: str) -> bool:
    """Write down a visit, or a better view of it; returns whether the stranger is new here."""
    seen_at = datetime.fromtimestamp(seen.captured_at_ns / 1e9, UTC)
    stranger = session.scalar(select(Stranger).where(Stranger.stranger_id == seen.stranger_id))
    is_new = stranger is None
    if stranger is None:
        session.add(Stranger(stranger_id=seen.stranger_id, last_seen_at=seen_at))
    else:
        stranger.last_seen_at = max(stranger.last_seen_at, seen_at)
    visit = session.get(StrangerVisit, seen.member_id)
    if visit is None:
        visit = StrangerVisit(
            member_id=seen.member_id,
            stranger_id=seen.stranger_id,
            track_id=seen.track_id,
            camera_id=seen.camera_id,
            camera_name=camera_name,
            seen_at=seen_at,
            quality=seen.quality,
            face_jpeg=seen.face_jpeg,
        )
        session.add(visit)
    elif seen.quality >= visit.quality:
        visit.quality, visit.face_jpeg = seen.quality, seen.face_jpeg
    return is_new


def withdraw_visit(session: Session, withdrawn: StrangerWithdrawn) -> None:
    """Take a visit back; a stranger who has none left was never there."""
    session.execute(delete(StrangerVisit).where(StrangerVisit.member_id == withdrawn.member_id))
    session.flush()
    delete_empty(session, [withdrawn.stranger_id])


def delete_empty(session: Session, stranger_ids: Iterable[str]) -> None:
    """Delete those of the strangers who have no visits left and were never given a name."""
    for stranger_id in stranger_ids:
        visit = select(StrangerVisit.member_id).where(StrangerVisit.stranger_id == stranger_id).limit(1)
        if session.scalar(visit) is None:
            session.execute(
                delete(Stranger).where(Stranger.stranger_id == stranger_id, Stranger.person_id.is_(None))
            )


def list_strangers(session: Session, who: WhoIsWho, rules: Rules) -> list[StrangerInfo]:
    """Return all strangers, the one seen last in front; those who were joined count as one."""
    visits: dict[str, list[StrangerVisit]] = defaultdict(list)
    for visit in session.scalars(select(StrangerVisit).order_by(StrangerVisit.seen_at.desc())):
        visits[rules.root_of(visit.stranger_id)].append(visit)
    members: dict[str, list[str]] = defaultdict(list)
    for stranger_id, name in who.strangers.items():
        members[name.root_id].append(stranger_id)
    infos = [
        _stranger_info(root_id, ids, visits[root_id], who)
        for root_id, ids in members.items()
        if visits[root_id]
    ]
    return sorted(infos, key=lambda info: info.last_seen_at, reverse=True)


def get_stranger(session: Session, who: WhoIsWho, stranger_id: str) -> StrangerInfo:
    """Return one stranger, by any of their ids.

    Raises:
        NotFoundError: Nobody of this id is remembered.
    """
    ids = ids_of(who, [stranger_id])
    visits = list_visits(session, ids)
    if not visits:
        raise _unknown(stranger_id)
    return _stranger_info(root_of(who, stranger_id), ids, visits, who)


def list_visits(session: Session, stranger_ids: Collection[str]) -> list[StrangerVisit]:
    """Return visits of strangers, the last one in front."""
    return list(
        session.scalars(
            select(StrangerVisit)
            .where(StrangerVisit.stranger_id.in_(stranger_ids))
            .order_by(StrangerVisit.seen_at.desc(), StrangerVisit.member_id)
        )
    )


def ids_of(who: WhoIsWho, stranger_ids: Iterable[str]) -> list[str]:
    """Return all ids of strangers who were joined with any of these.

    Raises:
        NotFoundError: One of them is not known.
    """
    roots = {root_of(who, stranger_id) for stranger_id in stranger_ids}
    return [stranger_id for stranger_id, name in who.strangers.items() if name.root_id in roots]


def root_of(who: WhoIsWho, stranger_id: str) -> str:
    """Return the id of the stranger whom this one counts as.

    Raises:
        NotFoundError: Nobody of this id is remembered.
    """
    if stranger_id not in who.strangers:
        raise _unknown(stranger_id)
    return who.strangers[stranger_id].root_id


def _unknown(stranger_id: str) -> NotFoundError:
    return NotFoundError(f"there is no stranger {stranger_id!r}: they may have been forgotten meanwhile")


def photos_from(session: Session, stranger_ids: Sequence[str]) -> list[str]:
    """Return the ids of the photos that were made of strangers' faces."""
    return list(session.scalars(select(Photo.photo_id).where(Photo.from_stranger_id.in_(stranger_ids))))


def give_name(session: Session, stranger_ids: Sequence[str], person_id: str) -> int:
    """Say who strangers are, and let their best faces be enrolled; returns how many are.

    Raises:
        NotFoundError: There is no such person.
    """
    if session.get(Person, person_id) is None:
        raise NotFoundError(f"there is no person {person_id!r}")
    session.execute(
        update(Stranger).where(Stranger.stranger_id.in_(stranger_ids)).values(person_id=person_id)
    )
    best = session.scalars(
        select(StrangerVisit)
        .options(undefer(StrangerVisit.face_jpeg))
        .where(StrangerVisit.stranger_id.in_(stranger_ids), StrangerVisit.quality >= _LEAST_QUALITY_ENROLLED)
        .order_by(StrangerVisit.quality.desc())
        .limit(MOST_FACES_ENROLLED)
    ).all()
    for visit in best:
        photo = Photo(
            photo_id=new_id(),
            person_id=person_id,
            filename=f"{visit.camera_name}, {visit.seen_at:%Y-%m-%d %H:%M}"[:255],
            status="pending",
            image_jpeg=visit.face_jpeg,
            from_stranger_id=visit.stranger_id,
        )
        session.add(photo)
    return len(best)


def take_name(session: Session, stranger_ids: Sequence[str]) -> None:
    """Take the name back, with the photos that came from these strangers."""
    named = select(Stranger.person_id).where(Stranger.stranger_id.in_(stranger_ids)).distinct()
    people = [person_id for person_id in session.scalars(named) if person_id is not None]
    session.execute(delete(Photo).where(Photo.from_stranger_id.in_(stranger_ids)))
    session.execute(update(Stranger).where(Stranger.stranger_id.in_(stranger_ids)).values(person_id=None))
    for person_id in people:
        person = session.get(Person, person_id)
        rest = session.scalar(select(Photo.photo_id).where(Photo.person_id == person_id).limit(1))
        if person is not None and person.from_stranger_id in stranger_ids and rest is None:
            session.delete(person)  # somebody who existed only by that name


def rename_history(session: Session, who: WhoIsWho, stranger_ids: Iterable[str]) -> None:
    """Let past sightings say who strangers are by now."""
    for stranger_id in stranger_ids:
        name = who.strangers.get(stranger_id)
        person_id = name.person_id if name and name.person_id in who.people else None
        denied = [track_id for track_id, denied_id in who.denials.items() if denied_id == person_id]
        session.execute(
            update(Sighting)
            .where(Sighting.stranger_id == stranger_id, Sighting.track_id.not_in(denied))
            .values(person_id=person_id, answer="known" if person_id else "unknown", similarity=None)
        )


def split_off(session: Session, member_ids: Collection[str], stranger_id: str) -> list[str]:
    """Count visits to another stranger; returns the ids of their tracks."""
    visits = list(session.scalars(select(StrangerVisit).where(StrangerVisit.member_id.in_(member_ids))))
    track_ids = [visit.track_id for visit in visits]
    if session.scalar(select(Stranger).where(Stranger.stranger_id == stranger_id)) is None and visits:
        session.add(Stranger(stranger_id=stranger_id, last_seen_at=max(visit.seen_at for visit in visits)))
    for visit in visits:
        visit.stranger_id = stranger_id
    session.execute(update(Sighting).where(Sighting.track_id.in_(track_ids)).values(stranger_id=stranger_id))
    return track_ids


def forget(session: Session, stranger_ids: Collection[str]) -> None:
    """Delete strangers with their faces; past sightings keep neither number nor likeness."""
    session.execute(delete(StrangerVisit).where(StrangerVisit.stranger_id.in_(stranger_ids)))
    session.execute(delete(Stranger).where(Stranger.stranger_id.in_(stranger_ids)))
    session.execute(update(Sighting).where(Sighting.stranger_id.in_(stranger_ids)).values(stranger_id=None))


def expired(session: Session, rules: Rules, before: datetime) -> list[str]:
    """Return the strangers who were last seen before a time, under none of their ids later."""
    last_seen: dict[str, datetime] = {}
    groups: dict[str, list[str]] = defaultdict(list)
    for stranger_id, seen_at in session.execute(select(Stranger.stranger_id, Stranger.last_seen_at)):
        root_id = rules.root_of(stranger_id)
        groups[root_id].append(stranger_id)
        last_seen[root_id] = max(seen_at, last_seen.get(root_id, seen_at))
    return [id_ for root_id, ids in groups.items() if last_seen[root_id] < before for id_ in ids]


def drop_old_visits(session: Session, before: datetime) -> None:
    """Delete visits, faces included, that are older than strangers are remembered."""
    session.execute(delete(StrangerVisit).where(StrangerVisit.seen_at < before))


def visit_info(visit: StrangerVisit) -> VisitInfo:
    """Return a visit as people may see it."""
    return VisitInfo(
        visit_id=visit.member_id,
        stranger_id=visit.stranger_id,
        camera_id=visit.camera_id,
        camera_name=visit.camera_name,
        seen_at=visit.seen_at,
        quality=visit.quality,
        face_url=visit_face_url(visit.member_id),
    )


def _stranger_info(
    root_id: str, ids: Sequence[str], visits: Sequence[StrangerVisit], who: WhoIsWho
) -> StrangerInfo:
    name = who.strangers[ids[0]]
    best = max(visits, key=lambda visit: visit.quality)
    person_id = next((who.strangers[id_].person_id for id_ in ids if who.strangers[id_].person_id), None)
    return StrangerInfo(
        stranger_id=root_id,
        label=name.label,
        person_id=person_id,
        person_name=who.people.get(person_id) if person_id else None,
        ignored=name.ignored,
        joined_ids=[id_ for id_ in ids if id_ != root_id],
        first_seen_at=min(visit.seen_at for visit in visits),
        last_seen_at=max(visit.seen_at for visit in visits),
        visit_count=len({visit.track_id for visit in visits}),
        cameras=sorted({visit.camera_name for visit in visits}),
        visit_times=[visit.seen_at for visit in visits[:MOST_VISITS_TOLD]],
        face_url=visit_face_url(best.member_id),
        best_quality=best.quality,
    )
