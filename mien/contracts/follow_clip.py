"""What the detector answers about the frames of a clip: one JSON line in, one out, per frame."""

import msgspec

from mien.contracts.events import BoxXyxy, ShotPurpose


class ClipFrame(msgspec.Struct, frozen=True, kw_only=True):
    """A frame to look at: a JPEG file, and when it was captured.

    Attributes:
        clip: A frame of another clip than the one before begins anew, as another camera would.
    """

    clip: str
    path: str
    captured_at_ns: int


class ShotSent(msgspec.Struct, frozen=True, kw_only=True):
    """A shot that was taken of a track in this frame."""

    track_id: str
    purpose: ShotPurpose
    quality: float


class FrameFollowed(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame of a clip came to.

    Attributes:
        boxes_xyxy: Every face found, pixels of the frame; this list and the next four run in parallel.
        track_ids: None where a face is not (yet) followed.
        track_ids_by_boxes: The same of a tracker that does not see what faces look like, to compare with.
        qualities: Quality of each face as a view, 0 to 1.
        skipped: Why faces were not sent on, and how many.
        looked_near: Only the places where faces were expected were looked at.
        cpu_seconds: Processor time of decoding, searching, following and choosing shots.
    """

    clip: str
    captured_at_ns: int
    boxes_xyxy: list[BoxXyxy]
    scores: list[float]
    track_ids: list[str | None]
    track_ids_by_boxes: list[str | None]
    qualities: list[float]
    shots: list[ShotSent]
    skipped: dict[str, int]
    looked_near: bool
    cpu_seconds: float
