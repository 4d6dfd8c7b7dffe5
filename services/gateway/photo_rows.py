"""Photos as people may see them, from SQL: functions that run inside one transaction."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.gateway.badges import badge_of
from services.gateway.people import require_person
from services.gateway.photo_schemas import PhotoInfo
from services.gateway.tables import Person, Photo


def list_photos(session: Session, person_id: str) -> list[PhotoInfo]:
    """Return a person's photos, the oldest first.

    Raises:
        NotFoundError: There is no such person.
    """
    require_person(session, person_id)
    return photo_infos(
        session,
        session.scalars(
            select(Photo).where(Photo.person_id == person_id).order_by(Photo.created_at, Photo.photo_id)
        ).all(),
    )


def photo_infos(session: Session, photos: Sequence[Photo]) -> list[PhotoInfo]:
    """Return photos with their badges, in the order given."""
    people = {photo.person_id for photo in photos} | {photo.other_person_id for photo in photos}
    named = select(Person.person_id, Person.name).where(Person.person_id.in_(people))
    names = dict(session.execute(named).all())
    originals = {photo.duplicate_of for photo in photos if photo.duplicate_of}
    called = select(Photo.photo_id, Photo.filename).where(Photo.photo_id.in_(originals))
    filenames = dict(session.execute(called).all())
    return [_photo_info(photo, names, filenames) for photo in photos]


def _photo_info(photo: Photo, names: dict[str, str], filenames: dict[str, str]) -> PhotoInfo:
    address = f"/api/people/{photo.person_id}/photos/{photo.photo_id}"
    return PhotoInfo.model_validate(
        {
            "photo_id": photo.photo_id,
            "person_id": photo.person_id,
            "filename": photo.filename,
            "status": photo.status,
            "reason": photo.reason,
            "explanation": photo.explanation,
            "quality": photo.quality,
            "image_url": None if photo.reason == "not_an_image" else f"{address}/image.jpg",
            "face_url": f"{address}/face.jpg" if photo.has_face else None,
            "set_aside": photo.set_aside,
            "set_aside_reason": photo.set_aside_reason if photo.set_aside else None,
            "use_anyway": photo.use_anyway,
            "badge": badge_of(photo, names, filenames),
            "measures": photo.measures,
            "other_person_id": photo.other_person_id if photo.other_person_id in names else None,
            "other_person_name": names.get(photo.other_person_id or ""),
            "emotion_label": photo.emotion_label,
            "pose_label": photo.pose_label,
            "created_at": photo.created_at,
        }
    )
