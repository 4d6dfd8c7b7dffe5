"""What the interface says of photos."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from mien.contracts.events import RejectionReason
from services.gateway.schemas import Schema

PhotoStatus = Literal["pending", "enrolled", "rejected"]
BadgeLevel = Literal["good", "fair", "bad"]


class Finding(Schema):
    """Something about a photo, in words with its figures; *kind* is for programs."""

    kind: str
    level: BadgeLevel
    words: str


class Badge(Schema):
    """What a photo is worth; without findings there is nothing wrong with it."""

    level: BadgeLevel
    findings: list[Finding]


class PhotoInfo(Schema):
    """A photo and what became of it.

    Attributes:
        badge: None while the photo is on its way, or waits to be compared with others.
        set_aside_reason: ``stray`` or ``odd`` where Mien did it, see :data:`mien.vision.strays.Verdict`.
        use_anyway: Somebody said to use it, whatever it looks like.
        measures: :class:`mien.contracts.events.Quality` by field.
        other_person_id: Whom it resembles most besides.
        emotion_label, pose_label: What the face is known to show.
    """

    photo_id: str
    person_id: str
    filename: str
    status: PhotoStatus
    reason: RejectionReason | None
    explanation: str | None
    quality: float | None
    image_url: str | None
    face_url: str | None
    set_aside: bool
    set_aside_reason: Literal["stray", "odd", "by_hand"] | None
    use_anyway: bool
    badge: Badge | None
    measures: dict[str, float] | None
    other_person_id: str | None
    other_person_name: str | None
    emotion_label: str | None
    pose_label: str | None
    created_at: datetime


class PhotoEdit(Schema):
    """Changes to a photo: another person's, kept but not compared with, or used whatever it is like."""

    person_id: Annotated[str, StringConstraints(max_length=40)] = ""
    set_aside: bool = False
