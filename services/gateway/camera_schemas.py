"""What the interface says of cameras."""

from datetime import datetime
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import Field, StringConstraints, field_validator

from mien.contracts.camera_status import Fitness
from mien.contracts.cameras import (
    CAMERA_ID_PATTERN,
    CameraContext,
    CameraState,
    DecodePolicy,
    EmotionExemption,
    EmotionPolicy,
    IdentityPolicy,
    LoopFilter,
    SourceKind,
    TirednessPolicy,
    Transport,
    Weekday,
    ZoneIgnores,
)
from services.gateway.schemas import Credential, Name, Note, Schema, Sha256, Share, Url


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
    ignored_zones: Annotated[list[IgnoredZoneInfo], Field(max_length=16)] = Field([])
    kind: SourceKind | None = None
    transport: Transport = "tcp"
    decode: DecodePolicy = "auto"
    loop_filter: LoopFilter = "on"
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
    loop_filter: LoopFilter
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
