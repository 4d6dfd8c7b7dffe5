"""Following faces through the frames of one camera.

Kalman prediction (`motion`), then the assignment of least cost by place, size and look (`matching`). A face
too far from where it was expected, or too unlike, is a new track: a wrong name is worse than asking again.
What goes on in doubt says so. Pure: time comes with the frames, and a gap in the stream is only a longer
time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.detector.detection import Detections
from services.detector.looks import Looks, unit_rows
from services.detector.matching import likeness_of, match, pair_costs
from services.detector.motion import BoxMotion

_LOOK_FOLLOWS = 0.3
"""How much of a track's look comes from its newest face."""


@dataclass(frozen=True)
class TrackerSettings:
    """When a track starts, when it ends, how far a face may move.

    Attributes:
        confirm_hits: Frames in a row that make a track.
        confirm_score: A detection of at least this score makes one at once.
        max_gap_seconds: A track that was not seen for longer has ended.
        max_cost: A face that costs more, by `matching`, continues no track. At five frames a second a face
            of the same look may be about its own width from where it was expected.
        doubt_within: Goes on, but in doubt, where another reading of the frame costs at most so much more.
        max_tracks: More faces than this are not followed.
    """

    confirm_hits: int = 2
    confirm_score: float = 0.98
    max_gap_seconds: float = 1.5
    max_cost: float = 7.0
    doubt_within: float = 3.0
    max_tracks: int = 64


@dataclass(frozen=True)
class FollowedFace:
    """A confirmed track and the detection (its row) that is its face in this frame.

    Attributes:
        is_doubtful: It may be somebody else: it was gone for a frame or more, or another match was nearly as
            likely.
    """

    track_id: str
    detection_index: int
    is_doubtful: bool = False


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
    look: Looks | None
    frames_seen: int = 1
    is_confirmed: bool = False
    is_doubtful: bool = False

    def see(self, box_xyxy: NDArray[np.float32], look: Looks | None, now_ns: int) -> None:
        """Take in where and how the face was seen."""
        self.motion.correct(box_xyxy)
        if look is not None:
            before = look if self.look is None else self.look
            self.look = unit_rows(before + _LOOK_FOLLOWS * (look - before))
        self.frames_seen += 1
        self.last_seen_at_ns = now_ns


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

    def expected(self, captured_at_ns: int) -> NDArray[np.float32] | None:
        """Return where the faces should be at a later time, shape (N, 4).

        None where that says too little: nobody is followed, or a track is unsure or was not seen just now.
        """
        now_ns = self._now_ns
        if now_ns is None or not self._tracks:
            return None
        if not all(track.is_confirmed and track.last_seen_at_ns == now_ns for track in self._tracks):
            return None
        return np.stack([track.motion.box_after((captured_at_ns - now_ns) / 1e9) for track in self._tracks])

    def update(self, detections: Detections, captured_at_ns: int, looks: Looks | None = None) -> TrackingStep:
        """Take in the faces of the next frame and, where known, their looks, shape (N, 192).

        Raises:
            ValueError: The frame is not newer than the one before.
        """
        before_ns = self._now_ns
        if before_ns is not None:
            if captured_at_ns <= before_ns:
                raise ValueError(f"expected a frame after {before_ns}, got {captured_at_ns}")
            for track in self._tracks:
                track.motion.advance((captured_at_ns - before_ns) / 1e9)
        self._now_ns = captured_at_ns
        ended = self._end_those_gone(captured_at_ns)
        followed = self._match(detections, looks, before_ns)
        for row, track in followed.items():
            track.see(detections.boxes_xyxy[row], None if looks is None else looks[row], captured_at_ns)
        self._drop_unconfirmed_but(list(followed.values()))
        refused = self._follow_strangers(detections, looks, followed, captured_at_ns)
        started = [
            track.track_id
            for row, track in sorted(followed.items())
            if self._becomes_confirmed(track, float(detections.scores[row]))
        ]
        faces = [
            FollowedFace(track.track_id, row, track.is_doubtful)
            for row, track in sorted(followed.items())
            if track.is_confirmed
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

    def _match(self, detections: Detections, looks: Looks | None, before_ns: int | None) -> dict[int, _Track]:
        """Return the track that each detection continues, by the detection's row."""
        if not self._tracks or not len(detections):
            return {}
        costs = pair_costs(
            np.stack([track.motion.box_xyxy for track in self._tracks]),
            np.array([track.motion.std_in_sides for track in self._tracks]),
            detections.boxes_xyxy,
            likeness_of([track.look for track in self._tracks], looks),
        )
        followed = {}
        limit, doubt_within = self._settings.max_cost, self._settings.doubt_within
        for found in match(costs, limit=limit, doubt_within=doubt_within):
            track = followed[found.face] = self._tracks[found.track]
            track.is_doubtful = found.is_doubtful or track.last_seen_at_ns != before_ns
        return followed

    def _drop_unconfirmed_but(self, seen: list[_Track]) -> None:
        # Hits must be in a row: what flickers is no face.
        self._tracks = [track for track in self._tracks if track.is_confirmed or track in seen]

    def _follow_strangers(
        self, detections: Detections, looks: Looks | None, followed: dict[int, _Track], now_ns: int
    ) -> int:
        """Begin tracks for the faces that continue none; returns how many found no room."""
        strangers = [row for row in range(len(detections)) if row not in followed]
        room = max(self._settings.max_tracks - len(self._tracks), 0)
        for row in strangers[:room]:
            self._count += 1
            motion = BoxMotion(detections.boxes_xyxy[row])
            look = None if looks is None else looks[row]
            followed[row] = _Track(f"{self._prefix}:{self._count}", motion, now_ns, now_ns, look)
            self._tracks.append(followed[row])
        return len(strangers[room:])

    def _becomes_confirmed(self, track: _Track, score: float) -> bool:
        enough = track.frames_seen >= self._settings.confirm_hits or score >= self._settings.confirm_score
        becomes = enough and not track.is_confirmed
        track.is_confirmed |= becomes
        return becomes


def _as_ended(track: _Track) -> EndedTrack:
    return EndedTrack(track.track_id, track.started_at_ns, track.last_seen_at_ns, track.frames_seen)
