"""Imports in SQL: functions that run inside one transaction."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import and_, case, delete, func, or_, select, update
from sqlalchemy.orm import Session, undefer

from services.gateway.badges import badge_of
from services.gateway.import_plan import KnownPerson, Plan, PlannedPerson, StagedFile, plan_import
from services.gateway.import_schemas import (
    ImportCounts,
    ImportInfo,
    ImportPerson,
    ImportProblem,
    ImportSummary,
)
from services.gateway.import_tables import ImportFile, PhotoImport
from services.gateway.people import NotFoundError, new_id
from services.gateway.tables import Person, Photo, utc_now

_SAMPLES: Final = 3
_PROBLEMS_TOLD: Final = 500


def require_import(session: Session, import_id: str) -> PhotoImport:
    """Return an import's row.

    Raises:
        NotFoundError: There is none of this id.
    """
    found = session.get(PhotoImport, import_id)
    if found is None:
        raise NotFoundError(f"there is no import {import_id!r}")
    return found


def list_imports(session: Session) -> list[ImportSummary]:
    """Return all imports, the newest first."""
    rows = session.scalars(select(PhotoImport).order_by(PhotoImport.created_at.desc()))
    return [_summary(session, row) for row in rows]


def summary(session: Session, import_id: str) -> ImportSummary:
    """Return an import at a glance.

    Raises:
        NotFoundError: There is none of this id.
    """
    return _summary(session, require_import(session, import_id))


def get_import(session: Session, import_id: str) -> ImportInfo:
    """Return an import with its people: those planned before it runs, those that got photos after.

    Raises:
        NotFoundError: There is none of this id.
    """
    row = require_import(session, import_id)
    fields = _summary(session, row).model_dump()
    if row.state in {"draft", "reading"}:
        plan = current_plan(session, import_id)
        people = [_planned_person(import_id, person) for person in plan.people]
        problems = [ImportProblem(path=one.path, kind="refused", words=one.words) for one in plan.left_out]
        fields["counts"] |= {
            "files": sum(len(person.files) for person in plan.people),
            "refused": len(plan.left_out),
        }
    else:
        people, problems = _people(session, row), _problems(session, import_id)
    return ImportInfo(
        **fields, consent_note=row.consent_note, people=people, problems=problems[:_PROBLEMS_TOLD]
    )


def current_plan(session: Session, import_id: str) -> Plan:
    """Return what the import would do as things are now."""
    files = session.execute(
        select(ImportFile.file_id, ImportFile.path, ImportFile.upload_sha256, ImportFile.explanation)
        .where(ImportFile.import_id == import_id)
        .order_by(ImportFile.path)
    )
    staged = [StagedFile(*row) for row in files]
    people = session.execute(select(Person.person_id, Person.name).order_by(Person.created_at))
    known = {person_id: KnownPerson(person_id, name) for person_id, name in people}
    hashes = select(ImportFile.upload_sha256).where(ImportFile.import_id == import_id)
    owners = session.execute(
        select(Photo.upload_sha256, Photo.person_id).where(
            Photo.upload_sha256.in_(hashes), Photo.status != "rejected"
        )
    )
    enrolled = {sha256: known[person_id] for sha256, person_id in owners if sha256}
    return plan_import(staged, list(known.values()), enrolled)


def freeze_plan(session: Session, import_id: str, *, consent_note: str) -> int:
    """Add the people who are new and note whose photo each file becomes; returns how many photos."""
    plan = current_plan(session, import_id)
    for person in plan.people:
        person_id = person.person_id
        if person_id is None and person.files:
            person_id = new_id()
            session.add(
                Person(person_id=person_id, name=person.name, consent_note=consent_note, import_id=import_id)
            )
        for file in person.files:
            session.execute(
                update(ImportFile)
                .where(ImportFile.file_id == file.file_id)
                .values(state="wanted", person_id=person_id, emotion_label=file.emotion)
            )
    for left_out in plan.left_out:
        session.execute(
            update(ImportFile)
            .where(ImportFile.file_id == left_out.file_id)
            .values(state="refused", explanation=left_out.words, image_jpeg=None)
        )
    row = require_import(session, import_id)
    row.consent_note, row.state = consent_note, "running"
    return sum(len(person.files) for person in plan.people)


def place_files(session: Session, limit: int) -> int:
    """Turn wanted files into photos; returns how many."""
    files = session.scalars(
        select(ImportFile)
        .join(PhotoImport, PhotoImport.import_id == ImportFile.import_id)
        .options(undefer(ImportFile.image_jpeg))
        .where(PhotoImport.state == "running", ImportFile.state == "wanted")
        .order_by(ImportFile.file_id)
        .limit(limit)
    ).all()
    now = utc_now()
    for number, file in enumerate(files):
        image, file.image_jpeg = file.image_jpeg, None
        if file.person_id is None or session.get(Person, file.person_id) is None:
            file.state, file.explanation = "refused", "the person was deleted meanwhile"
            continue
        file.state = "placed"
        session.add(
            Photo(
                photo_id=new_id(),
                person_id=file.person_id,
                filename=file.path.rpartition("/")[2][:255],
                status="pending",
                image_jpeg=image,
                emotion_label=file.emotion_label,
                upload_sha256=file.upload_sha256,
                import_id=file.import_id,
                created_at=now + timedelta(microseconds=number),
            )
        )
    return len(files)


def finish_imports(session: Session) -> None:
    """Note which running imports have nothing left to wait for."""
    for row in session.scalars(select(PhotoImport).where(PhotoImport.state == "running")):
        if not _summary(session, row).counts.waiting:
            row.state, row.finished_at = "done", utc_now()


def photos_of(session: Session, import_id: str, limit: int) -> list[str]:
    """Return ids of photos that came with an import."""
    return list(session.scalars(select(Photo.photo_id).where(Photo.import_id == import_id).limit(limit)))


def people_left_empty(session: Session, import_id: str) -> list[str]:
    """Return the people whom an import brought and who have no photo."""
    has_photo = select(Photo.photo_id).where(Photo.person_id == Person.person_id).exists()
    return list(session.scalars(select(Person.person_id).where(Person.import_id == import_id, ~has_photo)))


def sweep(session: Session, *, drafts_before: datetime, reports_before: datetime) -> list[str]:
    """Delete forgotten drafts, and the files of old reports; returns the imports that are gone."""
    old = and_(PhotoImport.state.in_(("draft", "reading")), PhotoImport.created_at < drafts_before)
    gone = list(session.scalars(select(PhotoImport.import_id).where(old)))
    session.execute(delete(PhotoImport).where(PhotoImport.import_id.in_(gone)))
    session.execute(delete(ImportFile).where(ImportFile.import_id.in_(gone)))
    told = select(PhotoImport.import_id).where(PhotoImport.finished_at < reports_before)
    session.execute(delete(ImportFile).where(ImportFile.import_id.in_(told)))
    return gone


def _summary(session: Session, row: PhotoImport) -> ImportSummary:
    files: Counter[str] = Counter(
        dict(
            session.execute(
                select(ImportFile.state, func.count())
                .where(ImportFile.import_id == row.import_id)
                .group_by(ImportFile.state)
            ).all()
        )
    )
    waiting = or_(Photo.status == "pending", and_(Photo.status == "enrolled", Photo.likeness.is_(None)))
    photos = session.execute(
        select(
            func.sum(case((waiting, 1), else_=0)),
            func.sum(case((and_(Photo.status == "enrolled", ~waiting, ~Photo.set_aside), 1), else_=0)),
            func.sum(case((and_(Photo.status == "enrolled", ~waiting, Photo.set_aside), 1), else_=0)),
            func.sum(case((Photo.status == "rejected", 1), else_=0)),
        ).where(Photo.import_id == row.import_id)
    ).one()
    pending, enrolled, set_aside, rejected = (int(count or 0) for count in photos)
    done = row.state not in {"draft", "reading"}
    return ImportSummary(
        import_id=row.import_id,
        source=row.source,
        state=row.state,
        created_by=row.created_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
        problem=row.problem,
        counts=ImportCounts(
            entries=row.entries,
            read=row.entries if row.state != "reading" else row.entries_read,
            files=pending + enrolled + set_aside + rejected + files["wanted"] if done else files["staged"],
            waiting=pending + files["wanted"],
            enrolled=enrolled,
            set_aside=set_aside,
            refused=rejected + files["refused"],
            skipped=row.skipped,
        ),
    )


def _planned_person(import_id: str, person: PlannedPerson) -> ImportPerson:
    return ImportPerson(
        name=person.name,
        person_id=person.person_id,
        is_new=person.person_id is None,
        photos=len(person.files),
        left_out=person.left_out,
        emotions=dict(Counter(file.emotion for file in person.files if file.emotion)),
        samples=[f"/api/imports/{import_id}/files/{file.file_id}.jpg" for file in person.files[:_SAMPLES]],
    )


def _people(session: Session, row: PhotoImport) -> list[ImportPerson]:
    found: dict[str, ImportPerson] = {}
    photos = session.execute(
        select(Person, Photo.photo_id, Photo.emotion_label, Photo.set_aside, Photo.status)
        .join(Photo, Photo.person_id == Person.person_id)
        .where(Photo.import_id == row.import_id)
        .order_by(func.lower(Person.name), Photo.created_at)
    )
    for person, photo_id, emotion, set_aside, status in photos:
        one = found.setdefault(
            person.person_id,
            ImportPerson(
                name=person.name,
                person_id=person.person_id,
                is_new=person.import_id == row.import_id,
                photos=0,
                left_out=0,
                emotions={},
                samples=[],
            ),
        )
        if set_aside or status == "rejected":
            one.left_out += 1
            continue
        one.photos += 1
        if emotion:
            one.emotions[emotion] = one.emotions.get(emotion, 0) + 1
        if len(one.samples) < _SAMPLES:
            one.samples.append(f"/api/people/{person.person_id}/photos/{photo_id}/image.jpg")
    return list(found.values())


def _problems(session: Session, import_id: str) -> list[ImportProblem]:
    refused = session.execute(
        select(ImportFile.path, ImportFile.explanation)
        .where(ImportFile.import_id == import_id, ImportFile.state == "refused")
        .order_by(ImportFile.path)
    )
    problems = [ImportProblem(path=path, kind="refused", words=words or "") for path, words in refused]
    photos: Sequence[Photo] = session.scalars(
        select(Photo)
        .where(Photo.import_id == import_id, or_(Photo.status == "rejected", Photo.set_aside))
        .order_by(Photo.filename)
    ).all()
    names = dict(session.execute(select(Person.person_id, Person.name)).all()) if photos else {}
    for photo in photos:
        badge = badge_of(photo, names, {})
        words = badge.findings[0].words if badge and badge.findings else "It is set aside."
        kind = "set_aside" if photo.status == "enrolled" else "refused"
        path = f"{names.get(photo.person_id, '')}: {photo.filename}"
        problems.append(ImportProblem(path=path, kind=kind, words=words))
    return problems
