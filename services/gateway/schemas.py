"""What the REST interface takes and gives; the dashboard's types are generated from these."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from mien.contracts.cameras import (
    CAMERA_ID_PATTERN,
    CameraContext,
    CameraState,
    EmotionExemption,
    EmotionPolicy,
    Fitness,
    IdentityPolicy,
    TirednessPolicy,
    ZoneIgnores,
)
from mien.contracts.events import IdentityAnswer, RejectionReason, TirednessAnswer

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Credential = Annotated[str, StringConstraints(max_length=200)]
PhotoStatus = Literal["pending", "enrolled", "rejected"]


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


class IgnoredZoneInfo(Schema):
    """A polygon in shares of the picture's width and height, and what doesn't count in it."""

    points_xy: Annotated[list[tuple[Share, Share]], Field(min_length=3, max_length=32)]
    ignores: ZoneIgnores = "movement"


class CameraFields(Schema):
    """What can be said about a camera besides its name and address."""

    username: Credential | None = None
    password: Credential | None = None
    enabled: bool = True
    sampled_fps: Annotated[float, Field(gt=0, le=30)] = 5.0
    frame_width_px: Annotated[int, Field(ge=160, le=3840)] = 1280
    min_face_px: Annotated[int, Field(ge=20, le=1000)] = 40
    max_age_ms: Annotated[int, Field(ge=100, le=60_000)] = 1500
    identity_policy: IdentityPolicy = "on"
    emotion_policy: EmotionPolicy = "off"
    emotion_purpose: Note = ""
    demo: bool = False
    main_stream_url: Url | None = None
    ignored_zones: Annotated[list[IgnoredZoneInfo], Field(max_length=16)] = []
    context: CameraContext = "unspecified"
    emotion_exemption: EmotionExemption = "none"
    emotion_exemption_note: Note = ""
    tiredness_policy: TirednessPolicy = "off"
    tiredness_purpose: Note = ""


class CameraCreate(CameraFields):
    """A new camera; without an id, one is made from the name."""

    camera_id: Annotated[str, StringConstraints(pattern=CAMERA_ID_PATTERN)] | None = None
    name: Name
    url: Url


class CameraEdit(CameraFields):
    """Changes to a camera: what is absent stays, a password of null is removed."""

    name: Name = ""
    url: Url = ""


class MainStreamStatusInfo(Schema):
    """How a camera's main stream is, and why it isn't used."""

    state: CameraState
    reason: str
    since_ns: int
    retry_at_ns: int | None
    size_wh: tuple[int, int] | None
    codec: str | None
    wanted: bool


class CameraStatusInfo(Schema):
    """What ingest last said about a camera; ``unassigned`` when nobody has for a while."""

    camera_id: str
    state: CameraState
    reason: str
    since_ns: int
    retry_at_ns: int | None
    captured_fps: float
    published_fps: float
    size_wh: tuple[int, int] | None
    codec: str | None
    replica: str
    reconnects: int
    dropped: dict[str, int]
    main_stream: MainStreamStatusInfo | None


class FitnessInfo(Schema):
    """How well a camera serves recognition, from the people that lately passed it."""

    fitness: Fitness
    advice: str
    tracks: int
    since_ns: int
    until_ns: int
    usable_share: float
    median_face_px: float
    median_sharpness: float
    median_yaw: float
    median_pitch: float
    median_brightness: float
    obstacles: dict[str, float]


class CameraInfo(Schema):
    """A camera as people may see it: no password, no credentials in the address."""

    camera_id: str
    name: str
    url: str
    has_password: bool
    username: str | None
    enabled: bool
    sampled_fps: float
    frame_width_px: int
    min_face_px: int
    max_age_ms: int
    identity_policy: IdentityPolicy
    emotion_policy: EmotionPolicy
    emotion_purpose: str
    demo: bool
    main_stream_url: str | None
    ignored_zones: list[IgnoredZoneInfo]
    context: CameraContext
    emotion_exemption: EmotionExemption
    emotion_exemption_note: str
    emotion_set_by: str
    emotion_set_at_ns: int
    tiredness_policy: TirednessPolicy
    tiredness_purpose: str
    tiredness_set_by: str
    tiredness_set_at_ns: int
    partition: int
    revision: int
    status: CameraStatusInfo
    fitness: FitnessInfo


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
    """A person, with how many photos and templates there are; of somebody *ignored* nobody is alerted."""

    person_id: str
    name: str
    notes: str
    consent_note: str
    active: bool
    ignored: bool
    created_at: datetime
    photo_count: int
    template_count: int
    cover_photo_url: str | None
    demo_note: str | None


class PhotoInfo(Schema):
    """A photo and what became of it."""

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
    created_at: datetime


class PhotoEdit(Schema):
    """Changes to a photo: another person's, kept but not compared with, or compared with again."""

    person_id: Annotated[str, StringConstraints(max_length=40)] = ""
    set_aside: bool = False


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
