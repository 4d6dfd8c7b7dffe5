"""What the gateway keeps in SQL: users, people, photos, strangers, sightings, cameras' states, audit."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, LargeBinary, String, false
from sqlalchemy.orm import DeclarativeBase, Mapped, deferred, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A time with its zone, also where the database (SQLite) keeps none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Write in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Read as UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """All tables of the gateway."""


class User(Base):
    """Somebody who may log in; the password is an argon2 hash."""

    __tablename__ = "users"
    username: Mapped[str] = mapped_column(String(100), primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20), default="admin")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class LoginSession(Base):
    """A login; the token itself is only in the browser's cookie."""

    __tablename__ = "sessions"
    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey("users.username", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Person(Base):
    """Somebody who may be recognized."""

    __tablename__ = "people"
    person_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    notes: Mapped[str] = mapped_column(String(2000), default="")
    consent_note: Mapped[str] = mapped_column(String(2000), default="")
    demo_note: Mapped[str | None] = mapped_column(String(500))
    active: Mapped[bool] = mapped_column(default=True)
    ignored: Mapped[bool] = mapped_column(default=False, server_default=false())
    from_stranger_id: Mapped[str | None] = mapped_column(String(40))
    import_id: Mapped[str | None] = mapped_column(String(40), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class Photo(Base):
    """A photo on its way to a template; *submitted* once the broker has it.

    Attributes:
        emotion_label, pose_label: What the face is known to show, from a file's name or from whoever took it.
        measures: :class:`mien.contracts.events.Quality` by field.
        likeness: :data:`mien.vision.strays.Verdict`; None until it is judged, or judged again.
        set_aside_reason: The verdict, or ``by_hand``.
        use_anyway: Somebody said to use it whatever it looks like.
        upload_sha256: Of the file as it was uploaded, in hexadecimal digits.
    """

    __tablename__ = "photos"
    photo_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.person_id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(20), default="pending", index=True)
    submitted: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None] = mapped_column(String(40))
    explanation: Mapped[str | None] = mapped_column(String(500))
    quality: Mapped[float | None]
    template_id: Mapped[str | None] = mapped_column(String(100))
    image_jpeg: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    face_jpeg: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    has_face: Mapped[bool] = mapped_column(default=False)
    set_aside: Mapped[bool] = mapped_column(default=False, server_default=false())
    from_stranger_id: Mapped[str | None] = mapped_column(String(40), index=True)
    measures: Mapped[dict[str, float] | None] = mapped_column(JSON)
    likeness: Mapped[str | None] = mapped_column(String(12), index=True)
    own_similarity: Mapped[float | None]
    other_similarity: Mapped[float | None]
    other_person_id: Mapped[str | None] = mapped_column(String(40), index=True)
    duplicate_of: Mapped[str | None] = mapped_column(String(40))
    set_aside_reason: Mapped[str | None] = mapped_column(String(12))
    use_anyway: Mapped[bool] = mapped_column(default=False, server_default=false())
    upload_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    import_id: Mapped[str | None] = mapped_column(String(40), index=True)
    emotion_label: Mapped[str | None] = mapped_column(String(40))
    pose_label: Mapped[str | None] = mapped_column(String(40))
    enrolment_session_id: Mapped[str | None] = mapped_column(String(40), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class EnrolmentSession(Base):
    """A guided enrolment at a webcam: who agreed to what, and who was there to see it.

    Attributes:
        consent_text: What was agreed to, as it stood on the screen.
        recorded_by: Who was signed in.
        is_new_person: Whether the person was added for it.
    """

    __tablename__ = "enrolment_sessions"
    session_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.person_id", ondelete="CASCADE"), index=True)
    consent_text: Mapped[str] = mapped_column(String(4000))
    consented_by: Mapped[str] = mapped_column(String(200))
    consented_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    recorded_by: Mapped[str] = mapped_column(String(100))
    is_new_person: Mapped[bool] = mapped_column(default=False)


class Stranger(Base):
    """Somebody unknown who was seen, under one of the ids that recognizers gave them.

    Which of them count as one is said by the rules in Redis. *person_id* is who this one was said to be.
    """

    __tablename__ = "strangers"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    stranger_id: Mapped[str] = mapped_column(String(40), unique=True)
    person_id: Mapped[str | None] = mapped_column(
        ForeignKey("people.person_id", ondelete="SET NULL"), index=True
    )
    ignored: Mapped[bool] = mapped_column(default=False)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    __table_args__ = ({"sqlite_autoincrement": True},)


class StrangerVisit(Base):
    """One track of a stranger, with the face that was seen best; both expire."""

    __tablename__ = "stranger_visits"
    member_id: Mapped[str] = mapped_column(String(130), primary_key=True)
    stranger_id: Mapped[str] = mapped_column(String(40), index=True)
    track_id: Mapped[str] = mapped_column(String(120), index=True)
    camera_id: Mapped[str] = mapped_column(String(48))
    camera_name: Mapped[str] = mapped_column(String(200))
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    quality: Mapped[float]
    face_jpeg: Mapped[bytes] = deferred(mapped_column(LargeBinary))


class Sighting(Base):
    """A track that has ended: who was where, from when to when. No pixels, no templates."""

    __tablename__ = "sightings"
    track_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(48))
    camera_name: Mapped[str] = mapped_column(String(200))
    person_id: Mapped[str | None] = mapped_column(
        ForeignKey("people.person_id", ondelete="SET NULL"), index=True
    )
    answer: Mapped[str] = mapped_column(String(20))
    similarity: Mapped[float | None]
    accept_similarity: Mapped[float | None]
    stranger_id: Mapped[str | None] = mapped_column(String(40), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    emotions: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))
    emotion_timeline: Mapped[list[tuple[int, str]] | None] = mapped_column(JSON(none_as_null=True))
    tiredness: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (Index("ix_sightings_camera_ended", "camera_id", "ended_at"),)


class CameraStateEntry(Base):
    """When a camera's state became this one; it ends with the next entry of the same camera."""

    __tablename__ = "camera_states"
    event_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(48))
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(500), default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    __table_args__ = (Index("ix_camera_states_camera_started", "camera_id", "started_at"),)


class AuditEntry(Base):
    """Who did what, from where; kept apart from what it was done to."""

    __tablename__ = "audit"
    audit_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    actor: Mapped[str] = mapped_column(String(100))
    address: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200), default="")


class CameraImport(Base):
    """Cameras that came from one file together, so that they can be taken back together."""

    __tablename__ = "camera_imports"
    import_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    filename: Mapped[str] = mapped_column(String(255))
    actor: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, index=True)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    camera_ids: Mapped[list[str]] = mapped_column(JSON)
