"""What the frames of one camera come to: tracks, their beginnings and ends, and face shots. No I/O."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.contracts.camera_status import PassedFace
from mien.contracts.cameras import Camera
from mien.contracts.events import FaceShot, TrackEnded, TracksObserved, TrackStarted, derive_event_id
from mien.contracts.frames import Frame
from mien.contracts.readings import emotion_allowed, tiredness_allowed
from mien.vision.quality import FaceQuality, assess_face
from services.detector.closeups import Closeup, FaceView
from services.detector.crops import cut_face
from services.detector.detection import Detections, LandmarkFinder, VideoFaceDetector
from services.detector.fitness import PassingFaces
from services.detector.looks import Looks, looks_of
from services.detector.outgoing import as_box, shot_of
from services.detector.search import SearchPlan, SearchSettings
from services.detector.shots import Purpose, ShotPlan, ShotSettings, View
from services.detector.tracker import EndedTrack, FaceTracker, FollowedFace, TrackerSettings

# A frame that is marked still shows what the last one showed; it is looked at again after this.
_STILL_LOOK_SECONDS = 0.9


@dataclass(frozen=True)
class Observation:
    """What one frame says.

    Attributes:
        observed: Where the confirmed tracks are.
        started: Tracks that this frame confirmed.
        ended: Tracks that are over.
        faces: The tracks in this frame with their rows in *detections*.
        refused: Faces not followed because there are too many.
        looked_near: Only the places where faces were expected were looked at.
    """

    observed: TracksObserved
    started: list[TrackStarted]
    ended: list[TrackEnded]
    faces: list[FollowedFace]
    detections: Detections
    refused: int
    looked_near: bool

    @property
    def changes(self) -> list[TrackStarted | TrackEnded]:
        """What must not be lost of it."""
        return [*self.started, *self.ended]


@dataclass(frozen=True)
class Shots:
    """The shots taken from one frame, and how many faces were not sent on, by reason."""

    taken: list[FaceShot]
    skipped: Counter[str]


class CameraPipeline:
    """Follows the faces of one camera from the epoch that its detector drew."""

    def __init__(
        self,
        camera_id: str,
        epoch: int,
        *,
        tracking: TrackerSettings,
        shots: ShotSettings,
        search: SearchSettings,
    ) -> None:
        self._camera_id = camera_id
        self._tracker = FaceTracker(camera_id, epoch, settings=tracking)
        self._shot_settings = shots
        self._plans: dict[str, ShotPlan] = {}
        self._passing = PassingFaces()
        self._last_look: tuple[int, Detections, Looks] | None = None
        self._last_captured_at_ns = 0
        self._search = SearchPlan(search)

    @property
    def active_tracks(self) -> int:
        """How many tracks are followed now."""
        return self._tracker.confirmed_count

    def remembered(self, frame: Frame) -> Detections | None:
        """Return the faces of a frame in which nothing moved; None when it is worth a look."""
        if not frame.still or self._last_look is None:
            return None
        looked_at_ns, detections, _ = self._last_look
        since_seconds = (frame.captured_at_ns - looked_at_ns) / 1e9
        return detections if 0 <= since_seconds < _STILL_LOOK_SECONDS else None

    def look(
        self, frame: Frame, image_rgb: NDArray[np.uint8], detector: VideoFaceDetector, *, min_face_px: int
    ) -> Detections:
        """Return the faces of a frame, of which only as much is searched as is worth it."""
        expected = self._tracker.expected(frame.captured_at_ns)
        if self._search.is_near_enough(image_rgb, frame.captured_at_ns, expected) and expected is not None:
            found = detector.detect_near(image_rgb, expected)
            if len(found) >= len(expected):
                return found
        self._search.searched_at_ns = frame.captured_at_ns
        return detector.detect(image_rgb, min_face_px)

    def observe(
        self, frame: Frame, detections: Detections, image_rgb: NDArray[np.uint8] | None
    ) -> Observation:
        """Take in the faces of the next frame, and its picture, None when they are those remembered."""
        ended = []
        looks = self._last_look[2] if self._last_look is not None and image_rgb is None else None
        if frame.captured_at_ns <= self._last_captured_at_ns:
            ended = self.end_tracks()  # the clock was set back: time between the two means nothing
        if image_rgb is not None:
            looks = looks_of(image_rgb, detections.boxes_xyxy)
            self._last_look = (frame.captured_at_ns, detections, looks)
        self._last_captured_at_ns = frame.captured_at_ns
        step = self._tracker.update(detections, frame.captured_at_ns, looks)
        ended += [self._ended(track) for track in step.ended]
        self._plans |= {track_id: ShotPlan(self._shot_settings) for track_id in step.started}
        rows = [face.detection_index for face in step.faces]
        observed = TracksObserved(
            camera_id=self._camera_id,
            event_id=derive_event_id("tracks", frame.frame_id),
            captured_at_ns=frame.captured_at_ns,
            trace=frame.trace,
            frame_id=frame.frame_id,
            size_wh=frame.size_wh,
            boxes_xyxy=[as_box(detections.boxes_xyxy[row]) for row in rows],
            track_ids=[face.track_id for face in step.faces],
            scores=[round(float(detections.scores[row]), 3) for row in rows],
        )
        started = [self._started(track_id, frame) for track_id in step.started]
        looked_near = image_rgb is not None and self._search.searched_at_ns != frame.captured_at_ns
        return Observation(observed, started, ended, step.faces, detections, step.refused, looked_near)

    def take_shots(
        self,
        frame: Frame,
        image_rgb: NDArray[np.uint8],
        observation: Observation,
        camera: Camera,
        landmark_finder: LandmarkFinder,
        closeup: Closeup | None = None,
    ) -> Shots:
        """Cut out the faces of a frame that are worth sending on, for what the camera's policies allow.

        Out of its close-up where there is one and shows them better; they are judged by what is cut.
        Landmarks are found again for those that are sent on only.
        """
        purposes = allowed_purposes(camera)
        taken: list[FaceShot] = []
        skipped: Counter[str] = Counter()
        for face in observation.faces if purposes else []:
            plan, now_ns = self._plans[face.track_id], frame.captured_at_ns
            found = FaceView.of(image_rgb, observation.detections, face.detection_index)
            cut, quality = found, _assess(found)
            if closeup is not None and plan.is_open(now_ns, purposes, is_doubtful=face.is_doubtful):
                cut, quality = _better_view(found, quality, closeup)
            face_px = float((cut.box_xyxy[2:] - cut.box_xyxy[:2]).max())
            self._passing.see(face.track_id, quality, face_px=face_px, captured_at_ns=now_ns)
            view = View(quality.score, found.box_xyxy, face.is_doubtful)
            choice = plan.choose(view, now_ns, purposes, reads_tiredness=tiredness_allowed(camera))
            skipped.update(choice.skipped)
            if choice.numbers:
                (landmarks,) = landmark_finder.look_again(cut.image_rgb, cut.box_xyxy[None])
                crop = cut_face(cut.image_rgb, cut.box_xyxy, landmarks)
                taken += [
                    shot_of(frame, face.track_id, crop, quality, purpose=purpose, number=number)
                    for purpose, number in choice.numbers.items()
                ]
        return Shots(taken, skipped)

    def wants_closeup(self, observation: Observation, camera: Camera) -> bool:
        """Whether any of the faces that a frame shows is to be identified and wants a better view."""
        if camera.main_stream_url is None or camera.identity_policy == "off":
            return False
        now_ns = observation.observed.captured_at_ns
        return any(self._plans[face.track_id].wants_identity(now_ns) for face in observation.faces)

    def end_tracks(self) -> list[TrackEnded]:
        """Forget all tracks, because the camera is silent, gone, or somebody else's; returns their ends."""
        self._last_look = None
        return [self._ended(track) for track in self._tracker.end_all()]

    def take_passed(self) -> list[PassedFace]:
        """Return the best views of those who passed since this was last asked."""
        return self._passing.take_passed()

    def _started(self, track_id: str, frame: Frame) -> TrackStarted:
        return TrackStarted(
            camera_id=self._camera_id,
            event_id=derive_event_id(track_id, "started"),
            captured_at_ns=frame.captured_at_ns,
            trace=frame.trace,
            track_id=track_id,
            frame_id=frame.frame_id,
        )

    def _ended(self, track: EndedTrack) -> TrackEnded:
        plan = self._plans.pop(track.track_id)
        self._passing.leave(track.track_id)
        return TrackEnded(
            camera_id=self._camera_id,
            event_id=derive_event_id(track.track_id, "ended"),
            captured_at_ns=track.last_seen_at_ns,
            track_id=track.track_id,
            started_at_ns=track.started_at_ns,
            last_seen_at_ns=track.last_seen_at_ns,
            frames_seen=track.frames_seen,
            identity_shots=plan.identity_shots,
            emotion_shots=plan.emotion_shots,
        )


def allowed_purposes(camera: Camera) -> list[Purpose]:
    """Return what a camera's policies let its faces be used for."""
    purposes: list[Purpose] = []
    if camera.identity_policy == "on":
        purposes.append("identity")
    if emotion_allowed(camera) or tiredness_allowed(camera):
        purposes.append("emotion")
    return purposes


def _assess(view: FaceView) -> FaceQuality:
    return assess_face(view.image_rgb, view.box_xyxy, view.landmarks_xy, view.score)


def _better_view(view: FaceView, quality: FaceQuality, closeup: Closeup) -> tuple[FaceView, FaceQuality]:
    """Return a face's view in the close-up if it is at least as good as the frame's, and its quality."""
    close = closeup.find(view.box_xyxy)
    if close is None:
        return view, quality
    close_quality = _assess(close)
    if close_quality.score < quality.score:
        closeup.outcomes["no_better"] += 1
        return view, quality
    closeup.outcomes["used"] += 1
    return close, close_quality
