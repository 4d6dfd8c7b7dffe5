"""How fit a camera is for faces: the best view of everybody who passes, and what they say together. No I/O.

A camera is judged by the share of people of whom it gives at least one view that can be recognised, and
what the others lack decides the advice. What is needed is said, with its reasons, in ``mien.vision.quality``.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from mien.contracts.camera_status import FITNESS_MIN_TRACKS, CameraFitness, Fitness, Obstacle, PassedFace
from mien.contracts.cameras import Camera
from mien.vision.quality import NEEDED, FaceQuality
from services.detector.advice import advise

WINDOW_TRACKS: Final = 100
WINDOW_SECONDS: Final = 24 * 3600
# Whoever stays (at a desk, in a queue) counts after this, and not only on leaving; then again each time the
# stay has doubled, so that a desk is judged within hours and a whole day there counts twelve times.
_COUNTED_AFTER_SECONDS: Final = 10.0
# The recognizer calls nobody a stranger on a worse view (its own default). LFW at this score, shrunk,
# blurred or smeared, keeps 65 to 93 % of what is recognised of it unspoilt.
_USABLE_SCORE: Final = 0.25
_DOUBTFUL_DETECTION_SCORE: Final = 0.9
_NEAR_SMALLEST: Final = 1.25

_GOOD_USABLE_SHARE: Final = 0.8
_FAIR_USABLE_SHARE: Final = 0.5
# An obstacle that half of the people meet keeps a camera from being good, one that a quarter meets is told.
_SPOILING_SHARE: Final = 0.5
_TOLD_SHARE: Final = 0.25


@dataclass
class _Passing:
    began_at_ns: int
    counts_at_ns: int
    best: PassedFace | None = None
    """Since it last counted."""
    has_counted: bool = False


class PassingFaces:
    """The best view so far of each face in front of one camera; a face counts when it leaves, or stays."""

    def __init__(self) -> None:
        self._passing: dict[str, _Passing] = {}
        self._passed: list[PassedFace] = []

    def see(self, track_id: str, quality: FaceQuality, *, face_px: float, captured_at_ns: int) -> None:
        """Take in a view of a track; *face_px* is the longer side of its box."""
        if track_id not in self._passing:
            counts_at_ns = captured_at_ns + int(_COUNTED_AFTER_SECONDS * 1e9)
            self._passing[track_id] = _Passing(captured_at_ns, counts_at_ns)
        passing = self._passing[track_id]
        view = PassedFace(
            started_at_ns=passing.began_at_ns,
            ended_at_ns=captured_at_ns,
            score=round(quality.score, 3),
            detection_score=round(quality.detection_score, 3),
            face_px=round(face_px, 1),
            sharpness=round(quality.sharpness, 1),
            evenness=round(quality.evenness, 3),
            yaw=round(abs(quality.yaw), 3),
            pitch=round(quality.pitch, 3),
            brightness=round(quality.brightness, 1),
        )
        # Of views that are all useless, the nearest says most.
        if passing.best is None or (view.score, view.face_px) > (passing.best.score, passing.best.face_px):
            passing.best = view
        if captured_at_ns >= passing.counts_at_ns:
            self._passed.append(passing.best)
            passing.best, passing.has_counted = None, True
            passing.counts_at_ns = 2 * captured_at_ns - passing.began_at_ns

    def leave(self, track_id: str) -> None:
        """Count a track that has ended; one of which no view was judged says nothing."""
        left = self._passing.pop(track_id, None)
        if left is not None and left.best is not None and not left.has_counted:
            self._passed.append(left.best)

    def take_passed(self) -> list[PassedFace]:
        """Return who has passed since this was last asked."""
        passed, self._passed = self._passed, []
        return passed


def judge_camera(
    camera: Camera, faces: Iterable[PassedFace], *, delivered_width_px: int | None, now_ns: int
) -> CameraFitness:
    """Judge a camera by the last hundred that passed it within a day.

    Args:
        camera: As it is set now.
        faces: In the order in which they were counted.
        delivered_width_px: Width of the camera's own picture, where it is known: frames may be narrower.
        now_ns: Unix time.
    """
    oldest_ns = now_ns - WINDOW_SECONDS * 10**9
    counted = [face for face in faces if face.ended_at_ns >= oldest_ns][-WINDOW_TRACKS:]
    if not counted:
        return CameraFitness(camera_id=camera.camera_id)
    met = [(face, obstacles_of(face, camera)) for face in counted]
    worst_first = Counter(obstacle for _, obstacles in met for obstacle in obstacles).most_common()
    shares: dict[str, float] = {obstacle: round(count / len(counted), 3) for obstacle, count in worst_first}
    usable_share = sum(map(is_usable, counted)) / len(counted)
    worst_share = max(shares.values(), default=0.0)
    fitness = _rate(len(counted), usable_share, worst_share)
    advice = ""
    if fitness in ("fair", "poor") or (fitness == "good" and worst_share >= _TOLD_SHARE):
        worst = worst_first[0][0] if worst_first else None
        those = [face for face, obstacles in met if worst is None or worst in obstacles]
        advice = advise(worst, camera, those, worst_share, delivered_width_px=delivered_width_px)
    return CameraFitness(
        camera_id=camera.camera_id,
        fitness=fitness,
        since_ns=min(face.started_at_ns for face in counted),
        until_ns=max(face.ended_at_ns for face in counted),
        tracks=len(counted),
        usable_share=round(usable_share, 3),
        median_face_px=_median([face.face_px for face in counted]),
        median_sharpness=_median([face.sharpness for face in counted]),
        median_yaw=_median([face.yaw for face in counted]),
        median_brightness=_median([face.brightness for face in counted]),
        median_pitch=_median([face.pitch for face in counted]),
        obstacles=shares,
        advice=advice,
    )


def is_usable(face: PassedFace) -> bool:
    """Whether somebody's best view can be recognised."""
    return face.score >= _USABLE_SCORE


def obstacles_of(face: PassedFace, camera: Camera) -> list[Obstacle]:
    """Return what keeps somebody's best view from being a good one; empty when nothing does."""
    found: list[Obstacle] = []
    is_small = not NEEDED["face_px"].holds(face.face_px)
    is_lit = NEEDED["brightness"].holds(face.brightness)
    if is_small:
        found.append("small")
    elif camera.main_stream_url is None and face.face_px < _NEAR_SMALLEST * camera.min_face_px:
        found.append("cut_off")
    if not is_lit:
        found.append("dark" if face.brightness < 128 else "bright")
    # What is small or badly lit looks blurred, too; the lens is not to blame for it.
    if is_lit and not is_small:
        if not NEEDED["evenness"].holds(face.evenness):
            found.append("smeared")
        elif not NEEDED["sharpness"].holds(face.sharpness):
            found.append("blurred")
    if not NEEDED["yaw"].holds(face.yaw):
        found.append("turned")
    elif not NEEDED["pitch"].holds(face.pitch):
        found.append("from_above" if face.pitch > 0 else "from_below")
    if face.detection_score < _DOUBTFUL_DETECTION_SCORE:
        found.append("doubtful")
    return found


def _rate(tracks: int, usable_share: float, worst_share: float) -> Fitness:
    if tracks < FITNESS_MIN_TRACKS:
        return "unknown"
    if usable_share >= _GOOD_USABLE_SHARE and worst_share < _SPOILING_SHARE:
        return "good"
    return "fair" if usable_share >= _FAIR_USABLE_SHARE else "poor"


def _median(values: Sequence[float]) -> float:
    return round(median(values), 3)
