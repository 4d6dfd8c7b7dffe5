"""What may be read from faces beside who they are, emotion and tiredness, and what is kept of it in Redis.

Every service asks the two functions here, so that a policy means the same everywhere.
"""

from typing import Final, Literal

import msgspec

from mien.contracts.cameras import Camera

PROHIBITED_CONTEXTS: Final = ("workplace", "education")
"""Where the EU's AI Act, article 5(1)(f), forbids inferring emotions but for medical or safety reasons."""

READING_STOP_KEY: Final = "mien:reading-stop"
""":class:`ReadingStop`, while all reading is stopped."""

BASELINE_TTL_SECONDS: Final = 30 * 24 * 3600
BUCKET_TTL_SECONDS: Final = {60: 2 * 3600, 900: 26 * 3600}
"""Looks are counted by the minute for the last hour and by the quarter hour for the last day."""

CountSpan = Literal["hour", "day"]
BUCKET_SECONDS: Final[dict[CountSpan, int]] = {"hour": 60, "day": 900}
SPAN_SECONDS: Final[dict[CountSpan, int]] = {"hour": 3600, "day": 24 * 3600}


class ReadingStop(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody has stopped all reading of emotion and tiredness, whatever the cameras' policies say."""

    by: str
    at_ns: int
    reason: str = ""


class EmotionBaseline(msgspec.Struct, frozen=True, kw_only=True):
    """How one person usually looks to the network, learned where the policy is ``per_person``.

    Attributes:
        mean_probabilities: In the order of EMOTION_LABELS.
        shots: How many shots it comes from.
        tracks: Over how many visits.
        last_track_id: The visit that counts among *tracks* already.
        model: Whose probabilities these are, with *model_version*.
    """

    mean_probabilities: list[float]
    shots: int
    tracks: int
    last_track_id: str
    model: str
    model_version: int


def emotion_allowed(camera: Camera | None) -> bool:
    """Whether emotion may be read on a camera; one that nobody knows allows nothing."""
    return (
        camera is not None
        and camera.enabled
        and camera.emotion_policy != "off"
        and bool(camera.emotion_purpose.strip())
        and (camera.context not in PROHIBITED_CONTEXTS or camera.emotion_exemption != "none")
    )


def tiredness_allowed(camera: Camera | None) -> bool:
    """Whether tiredness may be read on a camera."""
    return (
        camera is not None
        and camera.enabled
        and camera.tiredness_policy != "off"
        and bool(camera.tiredness_purpose.strip())
    )


def without_readings(camera: Camera) -> Camera:
    """Return a camera on which neither emotion nor tiredness is read."""
    return msgspec.structs.replace(camera, emotion_policy="off", tiredness_policy="off")


def emotion_counts_key(camera_id: str, bucket_seconds: int, bucket: int) -> str:
    """How many tracks last looked how within a stretch of time: a hash of label → count.

    Args:
        bucket: Counts *bucket_seconds* since 1970.
    """
    return f"mien:emotion-counts:{camera_id}:{bucket_seconds}:{bucket}"


def emotion_baseline_key(person_id: str) -> str:
    """A person's :class:`EmotionBaseline`; expires after :data:`BASELINE_TTL_SECONDS` without a visit."""
    return f"mien:emotion-baseline:{person_id}"
