"""What frames come to: tracks, shots for what a camera allows, and nothing else."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.cameras import Camera, IgnoredZone
from mien.contracts.frames import Frame
from mien.vision.jpeg import decode_jpeg_rgb
from services.detector.detection import Detections
from services.detector.ignored_zones import outside_ignored_zones
from services.detector.outgoing import preview_of
from services.detector.pipeline import CameraPipeline, Observation, Shots
from services.detector.search import SearchSettings
from services.detector.shots import ShotSettings
from services.detector.tracker import TrackerSettings
from tests.unit.detector.faces import SeesFrontalFaces, at

START_NS = 1_790_000_000_000_000_000
IMAGE = np.random.default_rng(3).integers(0, 256, (360, 640, 3), dtype=np.uint8)
SLOPE = np.broadcast_to(np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None], (360, 640, 3))
"""Looks the same however large the face on it is."""

WHY = {"emotion_purpose": "study"}


class Watching:
    """A pipeline with a camera, fed with frames."""

    def __init__(self, **policies: Any) -> None:
        self.camera = Camera(camera_id="door", name="Door", url="rtsp://x", partition=0, **policies)
        self.pipeline = CameraPipeline(
            "door", 7, tracking=TrackerSettings(), shots=ShotSettings(), search=SearchSettings()
        )
        self.seq = 0

    def frame(self, *, seconds: float, still: bool = False) -> Frame:
        self.seq += 1
        return Frame(
            frame_id=f"door:1:{self.seq}",
            jpeg=b"\xff\xd8",
            captured_at_ns=START_NS + int(seconds * 1e9),
            size_wh=(640, 360),
            still=still,
            trace="00-abc-def-01",
        )

    def see(
        self, faces: Detections, *, seconds: float, image: NDArray[np.uint8] = IMAGE
    ) -> tuple[Observation, Shots]:
        frame = self.frame(seconds=seconds)
        observation = self.pipeline.observe(frame, faces, image)
        return observation, self.pipeline.take_shots(
            frame, image, observation, self.camera, SeesFrontalFaces()
        )


def sure(*centres: tuple[float, float], side: float = 100) -> Detections:
    return at(*centres, side=side, score=0.99)


def test_a_frame_says_where_its_tracks_are() -> None:
    """Boxes, ids and scores run in parallel, under the frame's own id, time and trace."""
    observation, _ = Watching().see(sure((100, 100), (400, 150)), seconds=0)
    observed = observation.observed
    assert observed.track_ids == ["door:7:1", "door:7:2"]
    assert observed.boxes_xyxy == [(50, 50, 150, 150), (350, 100, 450, 200)]
    assert (observed.frame_id, observed.captured_at_ns, observed.trace) == (
        "door:1:1",
        START_NS,
        "00-abc-def-01",
    )
    assert [started.track_id for started in observation.started] == ["door:7:1", "door:7:2"]


@pytest.mark.parametrize(
    ("policies", "purposes"),
    [
        ({"identity_policy": "on", "emotion_policy": "off"}, {"identity"}),
        ({"identity_policy": "off", "emotion_policy": "per_person", **WHY}, {"emotion"}),
        ({"identity_policy": "off", "emotion_policy": "aggregate", **WHY}, {"emotion"}),
        ({"identity_policy": "off", "emotion_policy": "aggregate"}, set()),
        ({"identity_policy": "off", "emotion_policy": "aggregate", "context": "workplace", **WHY}, set()),
        ({"identity_policy": "off", "tiredness_policy": "per_person"}, set()),
        (
            {"identity_policy": "off", "tiredness_policy": "per_person", "tiredness_purpose": "rest"},
            {"emotion"},
        ),
        ({"identity_policy": "on", "emotion_policy": "per_person", **WHY}, {"identity", "emotion"}),
        ({"identity_policy": "off", "emotion_policy": "off"}, set()),
        ({}, {"identity"}),
    ],
)
def test_faces_are_sent_for_what_the_policies_allow(policies: dict[str, str], purposes: set[str]) -> None:
    """Over thirty frames nothing is sent for a purpose that is off, or that nobody said why it is on."""
    watching = Watching(**policies)
    taken = [shot for i in range(30) for shot in watching.see(sure((200, 200)), seconds=i / 5)[1].taken]
    assert {shot.purpose for shot in taken} == purposes


def test_a_shot_is_a_crop_with_its_own_coordinates() -> None:
    """The crop holds the face with a margin, is at most 256 px, and box and landmarks are in its pixels."""
    _, shots = Watching().see(sure((320, 180), side=300), seconds=0)
    (shot,) = shots.taken
    crop = decode_jpeg_rgb(shot.crop_jpeg)
    assert max(crop.shape[:2]) == 256
    left, top, right, bottom = shot.box_xyxy
    assert (right - left) / (bottom - top) == pytest.approx(1)
    assert 0 < left < right < crop.shape[1]
    assert all(left < x < right and top < y < bottom for x, y in shot.landmarks_xy)
    assert (shot.shot_number, shot.track_id, shot.frame_id) == (1, "door:7:1", "door:1:1")


def test_a_crop_ends_where_the_picture_does() -> None:
    """A face in the corner gives a smaller crop, not one with made-up pixels."""
    _, shots = Watching().see(sure((40, 40), side=60), seconds=0)
    crop = decode_jpeg_rgb(shots.taken[0].crop_jpeg)
    assert crop.shape[:2] == (88, 88)
    assert shots.taken[0].box_xyxy == pytest.approx((10, 10, 70, 70))


def test_the_same_history_gives_the_same_event_ids() -> None:
    """Whoever repeats a track's history repeats its events under their ids; no two events share one."""
    histories = []
    for _ in range(2):
        watching = Watching(emotion_policy="per_person", **WHY)
        ids = []
        for i in range(10):
            observation, shots = watching.see(sure((200, 200)), seconds=i / 5)
            ids += [event.event_id for event in (observation.observed, *observation.changes, *shots.taken)]
        ids += [event.event_id for event in watching.pipeline.end_tracks()]
        histories.append(ids)
    assert histories[0] == histories[1]
    assert len(set(histories[0])) == len(histories[0])


def test_an_ended_track_sums_itself_up() -> None:
    """The end says when the track began, was last seen, in how many frames, with how many shots."""
    watching = Watching(emotion_policy="per_person", **WHY)
    for i in range(6):
        watching.see(sure((200, 200)), seconds=i / 5)
    observation, _ = watching.see(Detections.none(), seconds=3)
    (ended,) = observation.ended
    assert (ended.track_id, ended.frames_seen, ended.identity_shots, ended.emotion_shots) == (
        "door:7:1",
        6,
        3,
        3,
    )
    assert (ended.started_at_ns, ended.last_seen_at_ns) == (START_NS, START_NS + 1_000_000_000)


def test_what_is_not_sent_is_counted() -> None:
    """Ten frames of one face make three shots, and seven that say why not."""
    watching = Watching()
    shots = [watching.see(sure((200, 200)), seconds=i / 5)[1] for i in range(10)]
    assert sum(len(one.taken) for one in shots) == 3
    assert sum(one.skipped.total() for one in shots) == 7


def test_who_passed_is_told_with_the_best_view() -> None:
    """When a track ends, its best view says how large it was; where nothing may be sent, nobody is judged."""
    for policies, expected in (({}, [86.0]), ({"identity_policy": "off"}, [])):
        watching = Watching(**policies)
        for i, side in enumerate((60, 72, 86)):
            watching.see(sure((200, 200), side=side), seconds=i / 5, image=SLOPE)
        watching.see(Detections.none(), seconds=3)
        assert [face.face_px for face in watching.pipeline.take_passed()] == expected


def test_a_still_frame_is_remembered_for_a_while() -> None:
    """Where nothing moved, the last faces stand; after about a second the detector looks again."""
    watching = Watching()
    faces = sure((200, 200))
    assert watching.pipeline.remembered(watching.frame(seconds=0, still=True)) is None
    watching.see(faces, seconds=0)
    assert watching.pipeline.remembered(watching.frame(seconds=0.5, still=True)) is faces
    assert watching.pipeline.remembered(watching.frame(seconds=0.5)) is None
    still = watching.frame(seconds=0.8, still=True)
    watching.pipeline.observe(still, faces, None)
    assert watching.pipeline.remembered(watching.frame(seconds=1.0, still=True)) is None


def test_a_clock_set_back_ends_tracks() -> None:
    """A frame from before the last one ends all tracks and begins new ones."""
    watching = Watching()
    watching.see(sure((200, 200)), seconds=60)
    observation, _ = watching.see(sure((200, 200)), seconds=0)
    assert [ended.track_id for ended in observation.ended] == ["door:7:1"]
    assert observation.observed.track_ids == ["door:7:2"]


def test_a_preview_is_the_frame_with_its_own_boxes() -> None:
    """What a viewer gets is the frame's own JPEG with the boxes found in it."""
    watching = Watching()
    frame = watching.frame(seconds=0)
    observation = watching.pipeline.observe(frame, sure((200, 200)), IMAGE)
    preview = preview_of(frame, observation.observed, detected_at_ns=START_NS + 5)
    assert (preview.frame_id, preview.jpeg) == (frame.frame_id, frame.jpeg)
    assert (preview.track_ids, preview.detected_at_ns) == (["door:7:1"], START_NS + 5)


def test_faces_beyond_the_limit_are_refused() -> None:
    """More faces than may be followed are counted, not followed."""
    pipeline = CameraPipeline(
        "door", 1, tracking=TrackerSettings(max_tracks=1), shots=ShotSettings(), search=SearchSettings()
    )
    frame = Watching().frame(seconds=0)
    observation = pipeline.observe(frame, sure((100, 100), (400, 100)), IMAGE)
    assert (len(observation.faces), observation.refused, pipeline.active_tracks) == (1, 1, 1)


def test_faces_in_a_zone_that_ignores_everything_are_left_out() -> None:
    """A poster's face is no detection, whether or not its box reaches out; one in a zone for movement is."""
    left, right = ([(x, 0.0), (x + 0.5, 0.0), (x + 0.5, 1.0), (x, 1.0)] for x in (0.0, 0.5))
    zones = [IgnoredZone(points_xy=left, ignores="everything"), IgnoredZone(points_xy=right)]
    camera = Watching(ignored_zones=zones).camera
    kept = outside_ignored_zones(sure((310, 100), (330, 100), (600, 300)), (640, 360), camera)
    assert [tuple(box) for box in kept.boxes_xyxy] == [(280, 50, 380, 150), (550, 250, 650, 350)]
    assert (len(kept.scores), len(kept.landmarks_xy)) == (2, 2)
    assert len(outside_ignored_zones(Detections.none(), (640, 360), camera)) == 0


@dataclass
class ScriptedDetector(SeesFrontalFaces):
    """Finds given faces and notes whether it searched everything."""

    faces: Detections
    near: Detections
    searches: list[str] = field(default_factory=list)

    def detect(self, image_rgb: NDArray[np.uint8], min_face_px: int) -> Detections:
        self.searches.append("all")
        return self.faces

    def detect_near(self, image_rgb: NDArray[np.uint8], boxes_xyxy: NDArray[np.float32]) -> Detections:
        self.searches.append("near")
        return self.near


def look(watching: Watching, detector: ScriptedDetector, *, seconds: float) -> Observation:
    frame = watching.frame(seconds=seconds)
    found = watching.pipeline.look(frame, IMAGE, detector, min_face_px=40)
    return watching.pipeline.observe(frame, found, IMAGE)


def test_followed_faces_are_looked_for_where_they_are_expected() -> None:
    """While nothing else moves, all of the picture is searched first, and then once a second."""
    detector = ScriptedDetector(sure((200, 200)), sure((201, 200)))
    watching = Watching()
    observed = [look(watching, detector, seconds=i / 5) for i in range(9)]
    assert detector.searches == ["all", "near", "near", "near", "near", "all", "near", "near", "near"]
    assert [one.looked_near for one in observed] == [search == "near" for search in detector.searches]
    assert {track for one in observed for track in one.observed.track_ids} == {"door:7:1"}


def test_a_face_that_is_not_where_it_was_expected_is_searched_for() -> None:
    """A look nearby that does not find everybody is followed by a search of everything, in the same frame."""
    detector = ScriptedDetector(sure((200, 200)), Detections.none())
    watching = Watching()
    look(watching, detector, seconds=0)
    assert not look(watching, detector, seconds=0.2).looked_near
    assert detector.searches == ["all", "near", "all"]


def test_nobody_is_always_looked_for_everywhere() -> None:
    """Without a face to follow there is nowhere near to look."""
    detector = ScriptedDetector(Detections.none(), Detections.none())
    watching = Watching()
    for i in range(4):
        look(watching, detector, seconds=i / 5)
    assert detector.searches == ["all"] * 4


def test_a_doubtful_face_is_asked_about_at_once() -> None:
    """Who comes back after being covered is sent for identity in that frame, long before the next is due."""
    watching = Watching()
    for i in range(10):
        watching.see(sure((200, 200)), seconds=i / 5)
    watching.see(Detections.none(), seconds=2.0)
    _, shots = watching.see(sure((200, 200)), seconds=2.2)
    assert [shot.purpose for shot in shots.taken] == ["identity"]
