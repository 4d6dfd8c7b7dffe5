"""Every metric Mien exports, declared once. Labels come from small closed sets, never a person or a track."""

from typing import Final, get_args

from prometheus_client import Counter, Enum, Gauge, Histogram

from mien.contracts.cameras import CameraState

_LATENCY_BUCKETS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.5, 5.0)

FRAMES: Final = Counter("mien_frames_total", "Frames that reached a stage", ["stage", "camera_id"])
DROPPED: Final = Counter("mien_dropped_total", "Work given up, by stage and reason", ["stage", "reason"])
SKIPPED: Final = Counter(
    "mien_skipped_total", "Work saved on purpose, by stage and reason", ["stage", "reason"]
)
STAGE_SECONDS: Final = Histogram(
    "mien_stage_duration_seconds", "Time one unit of work took", ["stage"], buckets=_LATENCY_BUCKETS
)
FRAME_AGE_SECONDS: Final = Histogram(
    "mien_frame_age_seconds", "Time since capture at the end of a stage", ["stage"], buckets=_LATENCY_BUCKETS
)
EVENTS: Final = Counter("mien_events_total", "Events handled, by topic and outcome", ["topic", "outcome"])
DEAD_LETTERS: Final = Counter("mien_dead_letters_total", "Messages that could not be worked on", ["topic"])
REBALANCES: Final = Counter("mien_rebalances_total", "Assignments received from a consumer group", ["group"])
ASSIGNED_PARTITIONS: Final = Gauge("mien_assigned_partitions", "Partitions this process owns", ["group"])

CAMERA_STREAMING: Final = Gauge("mien_camera_streaming", "1 while a camera delivers pictures", ["camera_id"])
CAMERA_STATE: Final = Enum(
    "mien_camera_state", "State of a camera", ["camera_id"], states=list(get_args(CameraState))
)
CAMERA_CLOCK_SKEW_SECONDS: Final = Gauge(
    "mien_camera_clock_skew_seconds", "How far a camera's own clock is ahead of ours", ["camera_id"]
)
CAMERA_RECONNECTS: Final = Counter(
    "mien_camera_reconnects_total", "Times a camera was opened again", ["camera_id", "reason"]
)
CAMERA_LAG_SECONDS: Final = Gauge(
    "mien_camera_lag_seconds", "How far decoding is behind the camera", ["camera_id"]
)

CLOSEUPS: Final = Counter(
    "mien_closeups_total", "Close-ups that a stage had a use for, by what came of it", ["stage", "outcome"]
)

FACES: Final = Counter("mien_faces_total", "Faces found", ["camera_id"])
TRACKS_ACTIVE: Final = Gauge("mien_tracks_active", "Tracks followed now", ["camera_id"])
SHOTS: Final = Counter("mien_shots_total", "Face shots sent on", ["purpose"])
IDENTITIES: Final = Counter("mien_identities_total", "Identity decisions", ["answer", "state"])
EMOTIONS: Final = Counter("mien_emotions_total", "Emotion estimates", ["label"])
TIREDNESS: Final = Counter("mien_tiredness_total", "Tiredness estimates told", ["answer"])
GALLERY_TEMPLATES: Final = Gauge("mien_gallery_templates", "Templates held in memory")
STRANGERS: Final = Gauge("mien_strangers", "Strangers remembered")
STRANGER_VISITS: Final = Counter("mien_stranger_visits_total", "Visits of strangers, new or back", ["kind"])
VOTES_RESTARTED: Final = Counter(
    "mien_votes_restarted_total", "Tracks that clearly showed somebody else from one shot to the next"
)

SERVING_SECONDS: Final = Histogram(
    "mien_serving_call_seconds", "Calls to the model server", ["model", "code"], buckets=_LATENCY_BUCKETS
)
MODEL_BATCH_SIZE: Final = Histogram(
    "mien_model_batch_size", "Examples per execution", ["model"], buckets=(1, 2, 4, 8, 16, 32, 64)
)
MODEL_SECONDS: Final = Histogram(
    "mien_model_execution_seconds", "One execution of a batch", ["model"], buckets=_LATENCY_BUCKETS
)
MODEL_QUEUED: Final = Gauge("mien_model_queued_examples", "Examples waiting", ["model"])
MODEL_REQUESTS: Final = Counter(
    "mien_model_requests_total", "Predict calls, by status code", ["model", "code"]
)

VIEWERS: Final = Gauge("mien_viewers", "Open live websockets")
LIVE_SENT: Final = Counter("mien_live_frames_sent_total", "Frames sent to browsers")
"""Frames a slow browser never got are in ``mien_dropped_total{stage="gateway"}``."""
