"""Every Kafka topic, in one table.

A camera lives on one partition, the same number on every topic; it is chosen when the camera is
registered. ``deploy/kafka/topics.yml`` states the same table for a broker that we don't start.
"""

from dataclasses import dataclass
from typing import Final

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""Largest message any topic takes: a 4K JPEG or an enrolment photo fits, a raw frame does not."""


@dataclass(frozen=True)
class Topic:
    """A topic's name, retention and number of partitions.

    Attributes:
        name: Full name, ending in the version of the contract.
        retention_ms: How long a message may be read.
        segment_ms: Kafka deletes whole segments only, so a short retention needs short segments.
        retention_bytes: Cap per partition; None leaves it to time alone.
        partitions: A fixed number of partitions; None means one per camera slot (``MIEN_KAFKA_PARTITIONS``).
    """

    name: str
    retention_ms: int
    segment_ms: int
    retention_bytes: int | None = None
    partitions: int | None = None

    @property
    def configs(self) -> dict[str, str]:
        """The topic's settings under Kafka's names."""
        configs = {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "segment.ms": str(self.segment_ms),
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
        }
        if self.retention_bytes is not None:
            configs["retention.bytes"] = str(self.retention_bytes)
            configs["segment.bytes"] = str(max(self.retention_bytes // 4, 1024 * 1024))
        return configs


CAMERAS: Final = Topic("mien.cameras.v1", _DAY_MS, _HOUR_MS)
CAMERA_REQUESTS: Final = Topic("mien.camera-requests.v1", 5 * _MINUTE_MS, _MINUTE_MS)
CAMERA_REPLIES: Final = Topic("mien.camera-replies.v1", 5 * _MINUTE_MS, _MINUTE_MS)
CAMERA_STATES: Final = Topic("mien.camera-states.v1", _DAY_MS, _HOUR_MS)
FRAMES: Final = Topic("mien.frames.v1", _MINUTE_MS, 30_000, retention_bytes=64 * 1024 * 1024)
TRACKS: Final = Topic("mien.tracks.v1", _MINUTE_MS, 30_000)
TRACK_EVENTS: Final = Topic("mien.track-events.v1", _HOUR_MS, 10 * _MINUTE_MS)
IDENTITY_FACES: Final = Topic("mien.identity-faces.v1", 5 * _MINUTE_MS, _MINUTE_MS)
EMOTION_FACES: Final = Topic("mien.emotion-faces.v1", 5 * _MINUTE_MS, _MINUTE_MS)
IDENTITIES: Final = Topic("mien.identities.v1", _HOUR_MS, 10 * _MINUTE_MS)
EMOTIONS: Final = Topic("mien.emotions.v1", _HOUR_MS, 10 * _MINUTE_MS)
TIREDNESS: Final = Topic("mien.tiredness.v1", _HOUR_MS, 10 * _MINUTE_MS)
ENROLMENTS: Final = Topic("mien.enrolments.v1", _DAY_MS, _HOUR_MS)
ENROLMENT_RESULTS: Final = Topic("mien.enrolment-results.v1", _DAY_MS, _HOUR_MS)
FACE_CHECKS: Final = Topic("mien.face-checks.v1", _MINUTE_MS, 30_000, retention_bytes=64 * 1024 * 1024)
STRANGERS: Final = Topic("mien.strangers.v1", _HOUR_MS, 10 * _MINUTE_MS)
SIGHTINGS: Final = Topic("mien.sightings.v1", 7 * _DAY_MS, _DAY_MS)
DEAD_LETTERS: Final = Topic("mien.dead-letters.v1", 7 * _DAY_MS, _DAY_MS, partitions=1)

TOPICS: Final = (
    CAMERAS,
    CAMERA_REQUESTS,
    CAMERA_REPLIES,
    CAMERA_STATES,
    FRAMES,
    TRACKS,
    TRACK_EVENTS,
    IDENTITY_FACES,
    EMOTION_FACES,
    IDENTITIES,
    EMOTIONS,
    TIREDNESS,
    ENROLMENTS,
    ENROLMENT_RESULTS,
    FACE_CHECKS,
    STRANGERS,
    SIGHTINGS,
    DEAD_LETTERS,
)
