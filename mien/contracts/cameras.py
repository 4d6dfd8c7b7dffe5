"""A camera as it stands in the registry, and the state that ingest reports for it."""

from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec

CameraState = Literal[
    "unassigned",
    "connecting",
    "streaming",
    "stalled",
    "frozen",
    "slow",
    "backoff",
    "auth_failed",
    "not_found",
    "unsupported",
    "untrusted",
    "stopped",
]
"""*frozen*: pictures come, but always the same one; *slow*: far fewer come than should; *untrusted*: nobody
vouches for the certificate that the camera shows."""
SourceKind = Literal["rtsp", "mjpeg", "snapshot", "hls", "file", "usb", "browser"]
"""How a camera's pictures are had. Those of a *browser* are published by the gateway, not read by ingest."""
Transport = Literal["tcp", "udp"]
DecodePolicy = Literal["auto", "keyframes", "all"]
"""Which pictures are decoded: with *auto* keyframes only, where these are as many as are sampled."""
LoopFilter = Literal["on", "off"]
"""Whether H.264 and H.265 are decoded with their loop filter, which smooths the edges of blocks. Without it
reading costs an eighth less (H.265: a fourteenth), and pictures drift until the next keyframe."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
IdentityPolicy = Literal["off", "on"]
EmotionPolicy = Literal["off", "aggregate", "per_person"]
"""Emotion is off until somebody turns it on for a camera, with a purpose."""
TirednessPolicy = Literal["off", "per_person"]
"""Tiredness is a state of the body, no emotion, so it has a switch of its own; off until it is turned on."""
CameraContext = Literal["unspecified", "public", "private", "research", "workplace", "education"]
"""Where a camera looks. In the last two the EU forbids reading emotions (see docs/emotion-and-the-law.md)."""
EmotionExemption = Literal["none", "medical", "safety"]
"""The reasons for which the EU allows it there all the same."""

ZoneIgnores = Literal["movement", "everything"]
"""What doesn't count in a zone: movement alone (a tree, a clock in the picture), or faces too (a poster)."""

BROWSER_SCHEME = "browser"
"""A camera whose frames a browser sends to the gateway has the address ``browser://<session>``; ingest leaves
it alone, and nobody can type one in."""

CAMERA_ID_PATTERN = r"^[a-z0-9]([a-z0-9-]{0,46}[a-z0-9])?$"
CameraId = Annotated[str, msgspec.Meta(pattern=CAMERA_ID_PATTERN)]


Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class IgnoredZone(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the picture in which something doesn't count.

    Attributes:
        points_xy: Corners of a polygon, in shares of the picture's width and height, so that the zone
            stays where it is when the camera's resolution changes.
        ignores: What doesn't count in it.
    """

    points_xy: Annotated[list[tuple[Share, Share]], msgspec.Meta(min_length=3, max_length=32)]
    ignores: ZoneIgnores = "movement"


class OpenHours(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of some days of the week.

    Attributes:
        days: On which it begins.
        start: ``HH:MM``.
        end: ``HH:MM``; not later than *start* means the day after, ``24:00`` the end of the day.
    """

    days: Annotated[list[Weekday], msgspec.Meta(min_length=1, max_length=7)]
    start: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    end: Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When a camera is open; at all other times it is closed.

    Attributes:
        time_zone: Name of the IANA database, as in ``Europe/Berlin``: hours are those of its clocks.
    """

    time_zone: Annotated[str, msgspec.Meta(max_length=64)]
    hours: Annotated[list[OpenHours], msgspec.Meta(min_length=1, max_length=28)]


class Camera(msgspec.Struct, frozen=True, kw_only=True):
    """A registered camera; credentials travel beside its *url*, never in it, and never leave the back end.

    Attributes:
        camera_id: Lower-case letters, digits and dashes; stable for ever.
        name: What people call it.
        url: ``rtsp(s)://``, ``http(s)://``, ``file:`` or ``usb:`` address, without credentials; of a
            browser's webcam ``browser://``.
        kind: How its pictures are had; None goes by the address (:func:`source_kind`).
        transport: Of RTSP; TCP loses nothing, UDP is for cameras that know nothing else.
        decode: Which of its pictures are decoded.
        loop_filter: Whether its pictures are decoded exactly; those of its main stream always are.
        jpeg_quality: Of frames that ingest encodes; None leaves it to ingest's setting.
        schedule: When it is open; None is always.
        certificate_sha256: Fingerprint of a certificate that is accepted though nobody vouches for it, in
            lower-case hexadecimal digits.
        main_stream_url: The same camera's large stream, with the same credentials: faces are found in the
            pictures of *url* (the sub-stream) and cut out of this one's picture of the same time.
        ignored_zones: Where movement, or everything, doesn't count.
        partition: Its partition on every topic, chosen when it was registered.
        revision: Counts edits.
        enabled: A disabled camera is not opened.
        sampled_fps: Pictures per second that go on to detection, at most.
        frame_width_px: Frames wider than this are scaled down before they are published.
        min_face_px: Smallest face side the detector looks for, pixels of the published frame.
        max_age_ms: Frames older than this are dropped.
        emotion_purpose: Why emotion is on, shown wherever it is shown.
        emotion_exemption: For a camera at work or in education: the reason for which emotion is on.
        emotion_exemption_note: That reason in words, and who decided it.
        emotion_set_by: Who last changed how emotion is read, at *emotion_set_at_ns*; empty when nobody has.
        tiredness_purpose: Why tiredness is on, shown wherever it is shown.
        tiredness_set_by: Who last changed whether tiredness is read, at *tiredness_set_at_ns*.
        username: For RTSP or HTTP authentication.
        password: Never returned by any interface, never logged.
        demo: Registered by the demo, says so on its tile.
    """

    camera_id: CameraId
    name: str
    url: str
    partition: int
    revision: int = 1
    enabled: bool = True
    sampled_fps: Annotated[float, msgspec.Meta(gt=0, le=30)] = 5.0
    frame_width_px: Annotated[int, msgspec.Meta(ge=160, le=3840)] = 1280
    min_face_px: Annotated[int, msgspec.Meta(ge=20, le=1000)] = 40
    max_age_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] = 1500
    identity_policy: IdentityPolicy = "on"
    emotion_policy: EmotionPolicy = "off"
    emotion_purpose: str = ""
    username: str | None = None
    password: str | None = None
    demo: bool = False
    main_stream_url: str | None = None
    ignored_zones: Annotated[list[IgnoredZone], msgspec.Meta(max_length=16)] = []
    kind: SourceKind | None = None
    transport: Transport = "tcp"
    decode: DecodePolicy = "auto"
    jpeg_quality: Annotated[int, msgspec.Meta(ge=30, le=100)] | None = None
    schedule: Schedule | None = None
    certificate_sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")] | None = None
    context: CameraContext = "unspecified"
    emotion_exemption: EmotionExemption = "none"
    emotion_exemption_note: str = ""
    emotion_set_by: str = ""
    emotion_set_at_ns: int = 0
    tiredness_policy: TirednessPolicy = "off"
    tiredness_purpose: str = ""
    tiredness_set_by: str = ""
    tiredness_set_at_ns: int = 0
    loop_filter: LoopFilter = "on"

    @property
    def source(self) -> SourceKind | None:
        """How its pictures are had; None where the address tells of no kind there is."""
        return self.kind or source_kind(self.url)

    @property
    def is_browser(self) -> bool:
        """Whether it is a browser's webcam, whose frames the gateway publishes."""
        return self.url.startswith(f"{BROWSER_SCHEME}:")

    def __repr__(self) -> str:
        """Name the camera without what must not reach a log."""
        return f"Camera({self.camera_id!r}, partition={self.partition}, revision={self.revision})"


_KIND_BY_SCHEME: Final[dict[str, SourceKind]] = {
    "rtsp": "rtsp",
    "rtsps": "rtsp",
    "file": "file",
    "usb": "usb",
    "browser": "browser",
}
_SNAPSHOT_ENDINGS: Final = (
    ".jpg",
    ".jpeg",
    "/snapshot",
    "/snapshot.cgi",
    "/picture",
    "/snap.cgi",
    "/image.cgi",
)


def source_kind(url: str) -> SourceKind | None:
    """Return how the pictures at an address are had, by its looks; None when no kind has such addresses.

    Over HTTP the path tells: a playlist, a single picture, and a stream of JPEGs otherwise.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return _KIND_BY_SCHEME.get(parts.scheme)
    path = parts.path.lower()
    if path.endswith(".m3u8"):
        return "hls"
    return "snapshot" if path.endswith(_SNAPSHOT_ENDINGS) else "mjpeg"
