"""How cameras are, as ingest and detectors report it."""

from typing import Literal

import msgspec

from mien.contracts.cameras import CameraState

Fitness = Literal["unknown", "good", "fair", "poor"]
"""How well a camera is placed and set for faces; unknown until enough people have passed."""


FITNESS_MIN_TRACKS = 10
"""So many; a share of ten is right to about 15 points."""


Obstacle = Literal[
    "small",
    "cut_off",
    "smeared",
    "blurred",
    "turned",
    "from_above",
    "from_below",
    "dark",
    "bright",
    "doubtful",
]
"""What keeps a view from being recognised; *cut_off* is near the smallest face that is looked for, *smeared*
is blurred by movement, *doubtful* may be no face."""


class MainStreamStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a camera's main stream is; without it the camera goes on with the pictures of its own stream.

    Attributes:
        reason: Why it isn't used, in words; empty while all is well. Never holds credentials.
        since_ns: When *state* began.
        retry_at_ns: When the next attempt is due.
        wanted: Whether close-ups are asked of it now.
    """

    state: CameraState
    reason: str = ""
    since_ns: int = 0
    retry_at_ns: int | None = None
    size_wh: tuple[int, int] | None = None
    codec: str | None = None
    wanted: bool = False


class ShownCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that a camera shows and that nobody vouches for.

    Attributes:
        sha256: Its fingerprint, in lower-case hexadecimal digits.
        subject: Whom it names.
        not_after: Until when it is valid, as it says itself.
    """

    sha256: str
    subject: str
    not_after: str


class CameraStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the ingest replica that owns a camera last said about it; it expires when nobody says anything.

    Attributes:
        reason: In words, for people; empty while all is well. Never holds credentials.
        since_ns: When *state* began.
        retry_at_ns: When the next attempt is due, in ``backoff`` and its like.
        captured_fps: Pictures per second that the camera delivers.
        published_fps: Frames per second that go on to detection.
        replica: Which ingest process owns the camera.
        main_stream: None where the camera has no main stream.
        opens_at_ns: When the schedule opens the camera again, while it keeps it closed.
        clock_skew_seconds: How far the camera's clock is ahead of ours; None where it doesn't tell.
        stated_fps: Pictures per second that the stream says it has; None where it doesn't.
        keyframes_only: Whether nothing but keyframes is decoded now.
        certificate: What it shows, in state ``untrusted``.
    """

    camera_id: str
    state: CameraState
    reason: str = ""
    since_ns: int = 0
    retry_at_ns: int | None = None
    captured_fps: float = 0.0
    published_fps: float = 0.0
    size_wh: tuple[int, int] | None = None
    codec: str | None = None
    replica: str = ""
    reconnects: int = 0
    dropped: dict[str, int] = {}
    main_stream: MainStreamStatus | None = None
    opens_at_ns: int | None = None
    clock_skew_seconds: float | None = None
    stated_fps: float | None = None
    keyframes_only: bool = False
    certificate: ShownCertificate | None = None


class CameraFitness(msgspec.Struct, frozen=True, kw_only=True):
    """How well a camera serves recognition, from the people that lately passed it.

    Attributes:
        since_ns: Start of the oldest track counted.
        until_ns: End of the newest.
        tracks: How many tracks the figures are of; one of somebody who stays may count several times.
        usable_share: Share of them with at least one view good enough to recognise.
        median_face_px: Longer side of the face's box in each track's best view, pixels of the picture that
            it was cut from; the other medians are of the same views.
        median_sharpness: Variance of the Laplacian on the aligned face, as in FaceQuality.
        median_yaw: Sideways turn without its sign, 0 (frontal) to 1.
        median_brightness: Mean luma, 0 to 255.
        obstacles: Share of the tracks whose best view suffers from each reason, the worst first.
        advice: A sentence for the person who can move the camera, with what to do about the worst obstacle;
            empty when there is nothing to do.
        median_pitch: Nod, -1 (seen from below) to 1 (seen from above).
    """

    camera_id: str
    fitness: Fitness = "unknown"
    since_ns: int = 0
    until_ns: int = 0
    tracks: int = 0
    usable_share: float = 0.0
    median_face_px: float = 0.0
    median_sharpness: float = 0.0
    median_yaw: float = 0.0
    median_brightness: float = 0.0
    obstacles: dict[str, float] = {}
    advice: str = ""
    median_pitch: float = 0.0


class PassedFace(msgspec.Struct, frozen=True, kw_only=True):
    """The best view of somebody who passed a camera; measures as in ``mien.vision.quality.FaceQuality``.

    Attributes:
        score: All of the quality in one number, 0 to 1.
        face_px: Longer side of the face's box, pixels of the picture that it was cut from.
    """

    started_at_ns: int
    ended_at_ns: int
    score: float
    detection_score: float
    face_px: float
    sharpness: float
    evenness: float
    yaw: float
    pitch: float
    brightness: float
