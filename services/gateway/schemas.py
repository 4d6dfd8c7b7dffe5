"""What the REST interface takes and gives; the dashboard's types are generated from these."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mien.contracts.events import IdentityAnswer, TirednessAnswer

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Credential = Annotated[str, StringConstraints(max_length=200)]


class Schema(BaseModel):
    """A message that is refused when it holds a field nobody knows."""

    model_config = ConfigDict(extra="forbid")


class ErrorMessage(Schema):
    """What went wrong, in words."""

    detail: str


class Credentials(Schema):
    """A login."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SessionInfo(Schema):
    """Who is logged in."""

    username: str
    role: str


class PasswordChange(Schema):
    """A new password for the user who is logged in."""

    old_password: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    new_password: Annotated[str, StringConstraints(min_length=10, max_length=200)]


Share = Annotated[float, Field(ge=0, le=1)]


Sha256 = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")]


class PersonCreate(Schema):
    """A new person."""

    name: Name
    notes: Note = ""
    consent_note: Note = ""
    demo_note: Annotated[str, StringConstraints(max_length=500)] | None = None


class PersonEdit(Schema):
    """Changes to a person: what is absent stays."""

    name: Name = ""
    notes: Note = ""
    consent_note: Note = ""
    active: bool = True
    ignored: bool = False


class PersonInfo(Schema):
    """A person, with how many photos and templates there are; of somebody *ignored* nobody is alerted.

    *problem_count* photos may be under the wrong name; somebody should look at them.
    """

    person_id: str
    name: str
    notes: str
    consent_note: str
    active: bool
    ignored: bool
    created_at: datetime
    photo_count: int
    template_count: int
    problem_count: int
    cover_photo_url: str | None
    demo_note: str | None


class EmotionPhotoInfo(Schema):
    """A photo whose expression is known; a person is only a number here."""

    photo_id: str
    person_id: str
    label: str
    image_url: str


class DenialCreate(Schema):
    """Whom a track is not; needed while it is in view, for a sighting says it itself."""

    person_id: Annotated[str, StringConstraints(max_length=40)] | None = None


class SightingInfo(Schema):
    """Somebody, or somebody unknown, was seen by a camera from … to ….

    *similarity* is the cosine to the nearest person, *accept_similarity* from where on that person would have
    been named; *denied_person_id* is whom somebody said it is not. *emotion_timeline* tells from which Unix
    second on somebody looked how.
    """

    sighting_id: str
    camera_id: str
    camera_name: str
    track_id: str
    person_id: str | None
    person_name: str | None
    answer: IdentityAnswer
    similarity: float | None
    accept_similarity: float | None
    stranger_id: str | None
    stranger_label: str | None
    denied_person_id: str | None
    denied_person_name: str | None
    ignored: bool
    started_at: datetime
    ended_at: datetime
    emotions: dict[str, float] | None
    emotion_timeline: list[tuple[int, str]] | None
    tiredness: TirednessAnswer | None
    face_url: str | None = None


class ServiceInfo(Schema):
    """A running process."""

    service: str
    instance: str
    state: Literal["starting", "ready", "degraded", "stopping"]
    problems: list[str]
    started_at: datetime


class Counts(Schema):
    """How much there is of what; None where Redis does not answer."""

    cameras: int | None
    streaming: int | None
    people: int
    viewers: int


class SystemInfo(Schema):
    """The whole system at a glance."""

    version: str
    partitions: int
    gateway_started_at: datetime
    services: list[ServiceInfo]
    missing: list[str]
    counts: Counts


class HealthInfo(Schema):
    """The gateway answers."""

    ok: bool
