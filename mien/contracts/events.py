"""Everything that travels on a Kafka topic, but frames (see :mod:`mien.contracts.frames`).

Events are frozen and encoded as MessagePack maps. Inside a version only optional fields are added
(readers ignore fields they don't know); a golden file per version decodes for ever.
"""

import hashlib
from typing import Any, Final, Literal

import msgspec

from mien.contracts.cameras import CameraState
from mien.errors import ContractError

IdentityState = Literal["provisional", "confirmed", "revised"]
IdentityAnswer = Literal["known", "unknown", "unclear"]
"""Somebody; nobody we know; not good enough to say."""
TirednessAnswer = Literal["tired", "awake", "not_enough"]
NotEnoughReason = Literal["too_short", "eyes_too_small", "turned_away", "unclear"]
"""Not watched for long enough yet; or most views show the eyes too small, from the side, or not well."""
ShotPurpose = Literal["identity", "emotion", "enrolment"]
RejectionReason = Literal[
    "no_face", "several_faces", "too_small", "blurred", "turned_away", "not_an_image", "no_embedding"
]

BoxXyxy = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""
PointXy = tuple[float, float]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What all events carry.

    Attributes:
        camera_id: Camera the event is about; empty when it is about none (enrolment).
        event_id: Derived from what the event is about, so that a replay repeats it.
        captured_at_ns: When the picture behind it was taken, Unix time.
        trace: W3C traceparent, or empty.
    """

    camera_id: str
    event_id: str
    captured_at_ns: int
    trace: str = ""


class CameraChanged(Event, frozen=True, kw_only=True):
    """A camera was added, edited or removed; the registry in Redis says what holds now."""

    revision: int


class CameraStateChanged(Event, frozen=True, kw_only=True):
    """A camera's state became another one, or its reason did; the one before ends with it.

    Attributes:
        captured_at_ns: When the state began.
        reason: In words; empty while all is well. Never holds credentials.
        replica: Which ingest process says so.
    """

    state: CameraState
    reason: str = ""
    replica: str = ""


class TracksObserved(Event, frozen=True, kw_only=True):
    """Where the tracks of one frame are. May be dropped.

    Boxes are in pixels of the frame; the three lists run in parallel and may be empty.
    """

    frame_id: str
    size_wh: tuple[int, int]
    boxes_xyxy: list[BoxXyxy]
    track_ids: list[str]
    scores: list[float]


class TrackStarted(Event, frozen=True, kw_only=True, tag="started"):
    """A face was seen often enough to be followed."""

    track_id: str
    frame_id: str


class TrackEnded(Event, frozen=True, kw_only=True, tag="ended"):
    """A followed face was gone for longer than the tracker waits."""

    track_id: str
    started_at_ns: int
    last_seen_at_ns: int
    frames_seen: int
    identity_shots: int = 0
    emotion_shots: int = 0


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How good a view of a face is.

    Attributes:
        score: All of it in one number, 0 (useless) to 1.
        size_px: Distance between the eyes, pixels of the frame.
        sharpness: Variance of the Laplacian on the aligned face.
        yaw: Sideways turn estimated from the landmarks, -1 (left) to 1 (right), 0 is frontal.
        brightness: Mean luma of the face, 0 to 255.
        detection_score: The detector's own confidence, 0 to 1.
        pitch: Nod estimated from the landmarks, -1 (seen from below) to 1 (seen from above), 0 is level.
        evenness: 1 where nothing is smeared by movement, near 0 where the face is.
    """

    score: float
    size_px: float
    sharpness: float
    yaw: float
    brightness: float
    detection_score: float
    pitch: float = 0.0
    evenness: float = 1.0


class FaceShot(Event, frozen=True, kw_only=True):
    """One face cut out of one frame, for recognition, emotion or enrolment.

    Attributes:
        track_id: The track it belongs to; for enrolment the photo's id.
        frame_id: The frame it was cut from; empty for enrolment.
        shot_number: Counts the shots of this purpose in this track, from 1.
        crop_jpeg: The face with a margin around it, at most 256 px on its longer side.
        box_xyxy: The face's box in pixels of the crop.
        landmarks_xy: Left eye, right eye, nose, left and right mouth corner, in pixels of the crop.
        purpose: What it is for.
        person_id: For enrolment, whose template it becomes.
    """

    track_id: str
    frame_id: str
    shot_number: int
    crop_jpeg: bytes
    box_xyxy: BoxXyxy
    landmarks_xy: list[PointXy]
    quality: Quality
    purpose: ShotPurpose
    person_id: str | None = None


class IdentityDecided(Event, frozen=True, kw_only=True):
    """Who a track is, from its shots up to *shot_number*.

    Attributes:
        similarity: Cosine similarity to the nearest person, the mean over the shots, rounded to two digits;
            None without a gallery.
        person_id: Set when *answer* is ``known``.
        gallery_generation: State of the gallery that was asked.
        classifier_version: Version of the identity classifier that had a say; None without one.
        accept_similarity: From where on that person would have been named, rounded to two digits.
        stranger_id: Set when *answer* is ``unknown`` and strangers are remembered: who of them it is.
    """

    track_id: str
    shot_number: int
    state: IdentityState
    answer: IdentityAnswer
    model: str
    model_version: int
    gallery_generation: int
    person_id: str | None = None
    similarity: float | None = None
    classifier_version: int | None = None
    accept_similarity: float | None = None
    stranger_id: str | None = None


class EmotionEstimated(Event, frozen=True, kw_only=True):
    """How a track looks, smoothed over its shots up to *shot_number*.

    Attributes:
        label: One of :data:`mien.contracts.models.EMOTIONS`, or ``uncertain``.
        probabilities: Smoothed probability by label.
        timeline: From when on which label was said, Unix seconds, the oldest first; bounded.
    """

    track_id: str
    shot_number: int
    label: str
    probabilities: dict[str, float]
    model: str
    model_version: int
    timeline: list[tuple[int, str]] = []


class TirednessEstimated(Event, frozen=True, kw_only=True):
    """Whether somebody looks tired, from a track's shots up to *shot_number*.

    Attributes:
        reason: Why there is not enough to say; None otherwise.
        perclos: Share of the last minute in which the eyes were closed; None while there is not enough.
        yawns: Within the last minutes.
        watched_seconds: How much of the last minute the eyes were seen.
        was_tired: Whether *answer* has been tired at any time of the track.
        model: Which network judged the eyes; *model_version* is 0 while no view was good enough to ask it.
    """

    track_id: str
    shot_number: int
    answer: TirednessAnswer
    reason: NotEnoughReason | None
    perclos: float | None
    yawns: int
    watched_seconds: float
    model: str
    model_version: int
    was_tired: bool = False


class PhotoSubmitted(Event, frozen=True, kw_only=True):
    """A photo was uploaded to enrol a person; it was decoded and encoded anew by the gateway."""

    photo_id: str
    person_id: str
    photo_jpeg: bytes


class FaceCheckRequested(Event, frozen=True, kw_only=True):
    """Somebody at a webcam wants to know what enrolment would say of this picture; live, so it goes stale.

    The answer is a :class:`~mien.contracts.shared_state.FaceChecked` in Redis, and nothing is stored.
    """

    request_id: str
    photo_jpeg: bytes


class TemplateCreated(Event, frozen=True, kw_only=True, tag="created"):
    """A photo became a template in the gallery."""

    photo_id: str
    person_id: str
    template_id: str
    model: str
    model_version: int
    quality: Quality
    face_jpeg: bytes


class PhotoRejected(Event, frozen=True, kw_only=True, tag="rejected"):
    """A photo could not become a template."""

    photo_id: str
    person_id: str
    reason: RejectionReason
    explanation: str


class StrangerSeen(Event, frozen=True, kw_only=True, tag="seen"):
    """A track was counted to a stranger, or a better view of it came; a later one replaces an earlier.

    Attributes:
        member_id: This visit; the track's id, with a suffix where one track held several people.
        stranger_id: Whose visit it is.
        quality: Of the view, 0 to 1.
        face_jpeg: The face with a margin around it, at most 256 px on its longer side.
    """

    member_id: str
    track_id: str
    stranger_id: str
    quality: float
    face_jpeg: bytes


class StrangerWithdrawn(Event, frozen=True, kw_only=True, tag="withdrawn"):
    """A visit was no stranger's after all: with more views it turned out to be somebody known."""

    member_id: str
    stranger_id: str


class DeadLetter(Event, frozen=True, kw_only=True):
    """A message that could not be worked on, without its pixels."""

    service: str
    topic: str
    partition: int
    offset: int
    error: str
    value_bytes: int


TrackEvent = TrackStarted | TrackEnded
EnrolmentResult = TemplateCreated | PhotoRejected
StrangerEvent = StrangerSeen | StrangerWithdrawn

_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODERS: Final[dict[Any, msgspec.msgpack.Decoder[Any]]] = {}


def encode_event(event: Event) -> bytes:
    """Encode an event as MessagePack."""
    return _ENCODER.encode(event)


def decode_event(value: bytes | None, event_type: Any) -> Any:
    """Decode an event of a known type or of a union of types.

    Raises:
        ContractError: The bytes are no such event.
    """
    decoder = _DECODERS.get(event_type)
    if decoder is None:
        decoder = _DECODERS[event_type] = msgspec.msgpack.Decoder(event_type)
    try:
        return decoder.decode(value or b"")
    except msgspec.MsgspecError as error:
        expected = getattr(event_type, "__name__", str(event_type))
        raise ContractError(f"expected a {expected}, got {len(value or b'')} bytes: {error}") from error


def derive_event_id(*parts: object) -> str:
    """Return the same id for the same parts, so that a replayed event is recognised as the same."""
    joined = "\x1f".join(str(part) for part in parts)
    return hashlib.blake2b(joined.encode(), digest_size=12).hexdigest()
