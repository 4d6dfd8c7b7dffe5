"""Keys, channels and records in Redis: the only place where two services see the same thing.

Commands up to Redis 6.2 only. All records are MessagePack, but :class:`Presence`, statuses and fitness,
which are read by eye (JSON).
"""

from typing import Literal

import msgspec

from mien.contracts.events import (
    BoxXyxy,
    EmotionEstimated,
    IdentityDecided,
    RejectionReason,
    TirednessEstimated,
)

CAMERAS_KEY = "mien:cameras"
"""Hash of camera id → :class:`~mien.contracts.cameras.Camera`."""
CAMERAS_GENERATION_KEY = "mien:cameras:generation"
"""Counts changes to the registry; whoever holds cameras in memory polls it each second."""
CAMERA_STATUS_TTL_SECONDS = 10
WATCH_TTL_SECONDS = 5
CLOSEUP_TTL_SECONDS = 3
"""A detector renews its wish for close-ups more often than this, for as long as it has it."""
FITNESS_TTL_SECONDS = 7 * 24 * 3600
WORK_BUCKET_SECONDS = 300
WORK_TTL_SECONDS = 2 * 3600
TRACK_TTL_SECONDS = 3600
"""As long as the results and the end of a track can still be read from Kafka."""
TRACK_STATE_TTL_SECONDS = 120
"""For what a worker keeps of a track between two of its shots, which are seconds apart."""
PRESENCE_TTL_SECONDS = 6
GALLERIES_KEY = "mien:galleries"
"""Set of the embedders that have made templates, so that a person is forgotten in all of them."""
PRESENCE_PATTERN = "mien:presence:*"


def camera_status_key(camera_id: str) -> str:
    """Status of a camera, JSON, expires after :data:`CAMERA_STATUS_TTL_SECONDS`."""
    return f"mien:camera-status:{camera_id}"


CAMERA_STATUS_CHANNEL = "mien:camera-status"
"""Each status as it is written."""


def camera_epoch_key(camera_id: str) -> str:
    """Counts the openings of a camera by ingest."""
    return f"mien:epoch:{camera_id}"


def track_epoch_key(camera_id: str) -> str:
    """Counts how often a detector started on a camera."""
    return f"mien:track-epoch:{camera_id}"


def watch_key(camera_id: str) -> str:
    """Exists while somebody watches the camera live."""
    return f"mien:watch:{camera_id}"


def closeup_key(camera_id: str) -> str:
    """Exists while the detector follows somebody of whom it wants a better view, from the main stream."""
    return f"mien:closeup:{camera_id}"


def fitness_key(camera_id: str) -> str:
    """How well a camera is placed: :class:`~mien.contracts.camera_status.CameraFitness`, JSON."""
    return f"mien:fitness:{camera_id}"


def passed_faces_key(camera_id: str) -> str:
    """The last people that passed a camera: a list of :class:`~mien.contracts.camera_status.PassedFace`."""
    return f"mien:passed-faces:{camera_id}"


def work_key(camera_id: str, bucket: int) -> str:
    """What was done with a camera's pictures in five minutes: a hash of :data:`WorkStep`, or reason → count.

    *bucket* counts :data:`WORK_BUCKET_SECONDS` since 1970; reasons for which a face was not sent on begin
    with :data:`SKIPPED_PREFIX`.
    """
    return f"mien:work:{camera_id}:{bucket}"


WorkStep = Literal[
    "captured",
    "sampled",
    "unchanged",
    "published",
    "looked_at",
    "remembered",
    "faces",
    "tracks",
    "identity_shots",
    "emotion_shots",
]
"""A picture is captured; every so often one is sampled. When nothing moved in it, it is unchanged and not
published, or the detector remembers its faces; else it is looked at. Faces, tracks and shots come of that."""
SKIPPED_PREFIX = "skipped."


def preview_channel(camera_id: str) -> str:
    """Carries a :class:`Preview` per frame while the camera is watched; nothing is stored."""
    return f"mien:preview:{camera_id}"


def results_channel(camera_id: str) -> str:
    """Carries a :class:`TrackResult` whenever a track's merged result changes."""
    return f"mien:results:{camera_id}"


def track_key(track_id: str) -> str:
    """Merged result of a track: a hash of ``identity``, ``emotion``, ``tiredness`` with their guards."""
    return f"mien:track:{track_id}"


def vote_key(track_id: str) -> str:
    """A recognizer's running vote about a track, so that the next owner goes on."""
    return f"mien:vote:{track_id}"


def emotion_state_key(track_id: str) -> str:
    """The emotion worker's smoothed state of a track."""
    return f"mien:emotion-state:{track_id}"


def track_shots_key(track_id: str) -> str:
    """The best views of a track lately: a list of :class:`TrackShot`, the best first; expires by itself."""
    return f"mien:track-shots:{track_id}"


def webcam_key(session: str) -> str:
    """:class:`WebcamRecord` of a login; a webcam whose record has expired is removed."""
    return f"mien:webcam:{session}"


def face_check_key(request_id: str) -> str:
    """List that the one :class:`FaceChecked` of a request is pushed to; expires within seconds."""
    return f"mien:face-check:{request_id}"


def tiredness_state_key(track_id: str) -> str:
    """What the emotion worker has seen of a track's eyes and mouth."""
    return f"mien:tiredness-state:{track_id}"


def gallery_key(embedder: str) -> str:
    """Replicated hash of template id → :class:`Template` made by this embedder."""
    return f"mien:gallery:{embedder}"


def camera_request_key(request_id: str) -> str:
    """What is asked about a camera that may not be registered, until somebody takes it up to answer.

    A :data:`~mien.contracts.camera_requests.CameraRequest`, JSON, encrypted, for it may hold a password; it
    expires within a minute and is deleted as it is read.
    """
    return f"mien:camera-request:{request_id}"


def camera_replies_key(request_id: str) -> str:
    """List of the answers so far, each a :data:`~mien.contracts.camera_requests.CameraReply`."""
    return f"mien:camera-replies:{request_id}"


def gallery_owners_key(embedder: str) -> str:
    """Sorted set, by name, of an entry for each template's person and one for its photo.

    So what is a person's, or was made from a photo, is found without looking at anybody else's; see
    :func:`template_owner`.
    """
    return f"mien:gallery:{embedder}:owners"


TemplateOwner = Literal["person", "photo"]


def template_owner(kind: TemplateOwner, owner_id: str, template_id: str = "") -> str:
    """Return an entry of :func:`gallery_owners_key`; without a template, what an owner's begin with."""
    return f"{kind}\0{owner_id}\0{template_id}"


def presence_key(service: str, instance: str) -> str:
    """A running process, JSON, expires after :data:`PRESENCE_TTL_SECONDS`."""
    return f"mien:presence:{service}:{instance}"


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A face of an enrolled person as an embedder sees it.

    Attributes:
        vector: float32 little-endian, unit length, as many values as the embedder has dimensions.
        set_aside: Kept, but compared with nobody.
    """

    template_id: str
    person_id: str
    photo_id: str
    model: str
    model_version: int
    vector: bytes
    quality: float = 0.0
    set_aside: bool = False


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """A frame with its own boxes, for whoever watches; boxes in pixels of the frame."""

    camera_id: str
    frame_id: str
    captured_at_ns: int
    detected_at_ns: int
    size_wh: tuple[int, int]
    boxes_xyxy: list[BoxXyxy]
    track_ids: list[str]
    scores: list[float]
    jpeg: bytes


class TrackResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a track by now, merged from recognizer and emotion worker."""

    camera_id: str
    track_id: str
    identity: IdentityDecided | None = None
    emotion: EmotionEstimated | None = None
    tiredness: TirednessEstimated | None = None


class WebcamRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Which camera a login's webcam is, and which connection feeds it; the last one to open it.

    Attributes:
        connection_id: Drawn by the gateway for each connection, so that an older one sees that it was
            replaced.
    """

    camera_id: str
    connection_id: str


class FaceChecked(msgspec.Struct, frozen=True, kw_only=True):
    """What enrolment would say of a picture; the measures are as in ``mien.vision.quality.FaceQuality``.

    Attributes:
        size_wh: Of the picture as it was sent; None when it could not be read.
        faces: How many were found.
        box_xyxy: The face the picture is about, pixels of it; None where there is none.
        face_px: Longer side of that box.
        reason: Why it could not become a template; None when it could.
        explanation: The same in words.
    """

    request_id: str
    size_wh: tuple[int, int] | None = None
    faces: int = 0
    box_xyxy: BoxXyxy | None = None
    face_px: float = 0.0
    score: float = 0.0
    sharpness: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    brightness: float = 0.0
    reason: RejectionReason | None = None
    explanation: str = ""


class TrackShot(msgspec.Struct, frozen=True, kw_only=True):
    """A good view of a followed face, kept for a while so that somebody can say who it is.

    Attributes:
        quality: 0 to 1.
        face_jpeg: The face with a margin around it, at most 256 px on its longer side.
    """

    quality: float
    captured_at_ns: int
    face_jpeg: bytes


class Presence(msgspec.Struct, frozen=True, kw_only=True):
    """A process that is alive, and what keeps it from being ready."""

    service: str
    instance: str
    started_at_ns: int
    state: Literal["starting", "ready", "degraded", "stopping"]
    problems: list[str] = []
