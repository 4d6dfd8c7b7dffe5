"""Following faces through the frames of one camera.

Kalman prediction, distance-IoU, Hungarian assignment. A face that jumps too far from where it was expected
is a new track: a wrong name is worse than asking again. Pure: time comes with the frames.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from mien.vision.boxes import distance_iou_matrix
from services.detector.detection import Detections
from services.detector.motion import BoxMotion

# A pair that may not be matched costs more than any number of pairs that may.
_FORBIDDEN = 1e4


@dataclass(frozen=True)
class TrackerSettings:
    """When a track starts, when it ends, how far a face may move.

    Attributes:
        confirm_hits: Frames in a row that make a track.
        confirm_score: A detection of at least this score makes one at once.
        max_gap_seconds: A track that was not seen for longer has ended.
        min_match: Least distance-IoU of a prediction and the face it is matched with; 0.1 is about two
            thirds of a face's width beside it.
        min_first_match: The same while a track was seen once and its velocity is not known; -0.3 is about
            one and a quarter.
        max_tracks: More faces than this are not followed.
    """

    confirm_hits: int = 2
    confirm_score: float = 0.98
    max_gap_seconds: float = 1.5
    min_match: float = 0.1
    min_first_match: float = -0.3
    max_tracks: int = 64


@dataclass(frozen=True)
class FollowedFace:
    """A confirmed track and the detection (its row) that is its face in this frame."""

    track_id: str
    detection_index: int


@dataclass(frozen=True)
class EndedTrack:
    """A confirmed track that is over."""

    track_id: str
    started_at_ns: int
    last_seen_at_ns: int
    frames_seen: int


@dataclass(frozen=True)
class TrackingStep:
    """What one frame changed.

    Attributes:
        faces: Confirmed tracks seen in this frame.
        started: Track ids confirmed by this frame.
        ended: Confirmed tracks that have been gone for too long.
        refused: Faces not followed because there are too many tracks.
    """

    faces: list[FollowedFace]
    started: list[str]
    ended: list[EndedTrack]
    refused: int


@dataclass(eq=False)
class _Track:
    track_id: str
    motion: BoxMotion
    started_at_ns: int
    last_seen_at_ns: int
    frames_seen: int = 1
    is_confirmed: bool = False


class FaceTracker:
    """Follows the faces of one camera; track ids are ``camera:epoch:n`` and never used again."""

    def __init__(self, camera_id: str, epoch: int, *, settings: TrackerSettings | None = None) -> None:
        self._prefix = f"{camera_id}:{epoch}"
        self._settings = settings or TrackerSettings()
        self._tracks: list[_Track] = []
        self._count = 0
        self._now_ns: int | None = None

    @property
    def confirmed_count(self) -> int:
        """How many confirmed tracks there are now."""
        return sum(track.is_confirmed for track in self._tracks)

    def update(self, detections: Detections, captured_at_ns: int) -> TrackingStep:
        """Take in the faces of the next frame.

        Raises:
            ValueError: The frame is not newer than the one before.
        """
        if self._now_ns is not None:
            if captured_at_ns <= self._now_ns:
                raise ValueError(f"expected a frame after {self._now_ns}, got {captured_at_ns}")
            for track in self._tracks:
                track.motion.advance((captured_at_ns - self._now_ns) / 1e9)
        self._now_ns = captured_at_ns
        ended = self._end_those_gone(captured_at_ns)
        followed = self._match(detections)
        for row, track in followed.items():
            track.motion.correct(detections.boxes_xyxy[row])
            track.frames_seen += 1
            track.last_seen_at_ns = captured_at_ns
        self._drop_unconfirmed_but(list(followed.values()))
        refused = self._follow_strangers(detections, followed, captured_at_ns)
        started = [
            track.track_id
            for row, track in sorted(followed.items())
            if self._becomes_confirmed(track, float(detections.scores[row]))
        ]
        faces = [
            FollowedFace(track.track_id, row) for row, track in sorted(followed.items()) if track.is_confirmed
        ]
        return TrackingStep(faces, started, ended, refused)

    def end_all(self) -> list[EndedTrack]:
        """Forget every track and the time of the last frame; returns the tracks that were confirmed."""
        ended = [_as_ended(track) for track in self._tracks if track.is_confirmed]
        self._tracks, self._now_ns = [], None
        return ended

    def _end_those_gone(self, now_ns: int) -> list[EndedTrack]:
        oldest_ns = now_ns - int(self._settings.max_gap_seconds * 1e9)
        gone = [track for track in self._tracks if track.last_seen_at_ns < oldest_ns]
        self._tracks = [track for track in self._tracks if track.last_seen_at_ns >= oldest_ns]
        return [_as_ended(track) for track in gone if track.is_confirmed]

    def _match(self, detections: Detections) -> dict[int, _Track]:
        """Return the track that each detection continues, by the detection's row."""
        if not self._tracks or not len(detections):
            return {}
        predicted = np.stack([track.motion.box_xyxy for track in self._tracks])
        likeness = distance_iou_matrix(predicted, detections.boxes_xyxy)
        allowed = likeness >= self._least_match()[:, None]
        rows, columns = linear_sum_assignment(np.where(allowed, -likeness, _FORBIDDEN))
        return {
            int(column): self._tracks[row]
            for row, column in zip(rows, columns, strict=True)
            if allowed[row, column]
        }

    def _least_match(self) -> NDArray[np.float32]:
        first, later = self._settings.min_first_match, self._settings.min_match
        return np.array([first if track.frames_seen == 1 else later for track in self._tracks], np.float32)

    def _drop_unconfirmed_but(self, seen: list[_Track]) -> None:
        # Hits must be in a row: what flickers is no face.
        self._tracks = [track for track in self._tracks if track.is_confirmed or track in seen]

    def _follow_strangers(self, detections: Detections, followed: dict[int, _Track], now_ns: int) -> int:
        """Begin tracks for the faces that continue none; returns how many found no room."""
        strangers = [row for row in range(len(detections)) if row not in followed]
        room = max(self._settings.max_tracks - len(self._tracks), 0)
        for row in strangers[:room]:
            self._count += 1
            motion = BoxMotion(detections.boxes_xyxy[row])
            followed[row] = _Track(f"{self._prefix}:{self._count}", motion, now_ns, now_ns)
            self._tracks.append(followed[row])
        return len(strangers[room:])

    def _becomes_confirmed(self, track: _Track, score: float) -> bool:
        enough = track.frames_seen >= self._settings.confirm_hits or score >= self._settings.confirm_score
        becomes = enough and not track.is_confirmed
        track.is_confirmed |= becomes
        return becomes


def _as_ended(track: _Track) -> EndedTrack:
    return EndedTrack(track.track_id, track.started_at_ns, track.last_seen_at_ns, track.frames_seen)
