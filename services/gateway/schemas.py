"""What the REST interface takes and gives; the dashboard's types are generated from these."""

from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from mien.contracts.cameras import (
    CAMERA_ID_PATTERN,
    CameraContext,
    CameraState,
    DecodePolicy,
    EmotionExemption,
    EmotionPolicy,
    Fitness,
    IdentityPolicy,
    SourceKind,
    TirednessPolicy,
    Transport,
    Weekday,
    ZoneIgnores,
)
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


class IgnoredZoneInfo(Schema):
    """A polygon in shares of the picture's width and height, and what doesn't count in it."""

    points_xy: Annotated[list[tuple[Share, Share]], Field(min_length=3, max_length=32)]
    ignores: ZoneIgnores = "movement"


class OpenHoursInfo(Schema):
    """A stretch of some days of the week; an end not later than the start is on the day after."""

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    start: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


class ScheduleInfo(Schema):
    """When a camera is open, on the clocks of its place; at all other times it is closed."""

    time_zone: str
    hours: Annotated[list[OpenHoursInfo], Field(min_length=1, max_length=28)]

    @field_validator("time_zone")
    @classmethod
    def _check_time_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("expected the name of a time zone, as in Europe/Berlin")
        return name


Sha256 = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")]


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
    kind: SourceKind | None = None
    transport: Transport = "tcp"
    decode: DecodePolicy = "auto"
    jpeg_quality: Annotated[int, Field(ge=30, le=100)] | None = None
    schedule: ScheduleInfo | None = None
    certificate_sha256: Sha256 | None = None
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


class ShownCertificateInfo(Schema):
    """A certificate that a camera shows and that nobody vouches for."""

    sha256: str
    subject: str
    not_after: str


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
    opens_at_ns: int | None
    clock_skew_seconds: float | None
    stated_fps: float | None
    keyframes_only: bool
    certificate: ShownCertificateInfo | None


class CameraPeriod(Schema):
    """What a camera's state was for a while, and why; the one of now has no end yet."""

    state: CameraState
    reason: str
    started_at: datetime
    ended_at: datetime | None


class CameraHistory(Schema):
    """How a camera was over a time.

    *uptime* is the share in which it delivered pictures, of the time in which it should have; None where
    that was no time at all.
    """

    since: datetime
    uptime: float | None
    losses: int
    periods: list[CameraPeriod]


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
    kind: SourceKind | None
    source: SourceKind | None
    transport: Transport
    decode: DecodePolicy
    jpeg_quality: int | None
    schedule: ScheduleInfo | None
    certificate_sha256: str | None
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
