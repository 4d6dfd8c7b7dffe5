"""How fit a camera is: who counts, what is held against it, and which one thing is told."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.camera_status import FITNESS_MIN_TRACKS, CameraFitness, Obstacle, PassedFace
from mien.contracts.cameras import Camera
from mien.vision.quality import FaceQuality, assess_face
from services.detector.config import DetectorSettings
from services.detector.fitness import (
    WINDOW_SECONDS,
    WINDOW_TRACKS,
    PassingFaces,
    is_usable,
    judge_camera,
    obstacles_of,
)
from services.detector.mtcnn import MtcnnDetector
from tests.faces import people, read_rgb

NOW_NS = 1_790_000_000_000_000_000
SECOND_NS = 10**9


def camera(*, url: str = "rtsp://x", **fields: Any) -> Camera:
    return Camera(camera_id="door", name="Door", url=url, partition=0, **fields)


def face(**measures: Any) -> PassedFace:
    """Return a view that lacks nothing, but for what is given."""
    return PassedFace(
        **{
            "started_at_ns": NOW_NS - 5 * SECOND_NS,
            "ended_at_ns": NOW_NS,
            "score": 0.8,
            "detection_score": 0.99,
            "face_px": 120.0,
            "sharpness": 100.0,
            "evenness": 0.8,
            "yaw": 0.1,
            "pitch": 0.0,
            "brightness": 120.0,
            **measures,
        }
    )


def judge(faces: list[PassedFace], *, delivered_width_px: int | None = 1280, **fields: Any) -> CameraFitness:
    return judge_camera(camera(**fields), faces, delivered_width_px=delivered_width_px, now_ns=NOW_NS)


def quality(score: float = 0.5, **measures: float) -> FaceQuality:
    fields = {"size_px": 40.0, "sharpness": 90.0, "yaw": -0.2, "brightness": 110.0, "detection_score": 0.99}
    return FaceQuality(score=score, **(fields | measures))


def see(passing: PassingFaces, *, seconds: float, score: float = 0.5, face_px: float = 100) -> None:
    at_ns = NOW_NS + int(seconds * SECOND_NS)
    passing.see("door:1:1", quality(score), face_px=face_px, captured_at_ns=at_ns)


def test_a_face_counts_with_its_best_view() -> None:
    """The best of its views, from when the first was taken; a turn to the left is a turn."""
    passing = PassingFaces()
    for seconds, score in enumerate((0.3, 0.6, 0.4)):
        see(passing, seconds=seconds, score=score)
    assert passing.take_passed() == []
    passing.leave("door:1:1")
    (passed,) = passing.take_passed()
    assert (passed.score, passed.yaw) == (0.6, 0.2)
    assert (passed.started_at_ns, passed.ended_at_ns) == (NOW_NS, NOW_NS + SECOND_NS)
    assert passing.take_passed() == []


def test_of_useless_views_the_nearest_counts() -> None:
    """In the dark every score is nought; the largest face shows what the camera can give."""
    passing = PassingFaces()
    for seconds, face_px in enumerate((50.0, 90.0, 70.0)):
        see(passing, seconds=seconds, score=0.0, face_px=face_px)
    passing.leave("door:1:1")
    assert [passed.face_px for passed in passing.take_passed()] == [90.0]


def test_somebody_who_stays_counts_soon_and_then_ever_more_rarely() -> None:
    """After ten seconds and each time the stay has doubled, with the best view since; not when leaving."""
    passing = PassingFaces()
    counted_at = []
    for seconds in range(100):
        see(passing, seconds=seconds, score=0.9 if seconds == 0 else 0.5)
        counted_at += [(seconds, passed.score) for passed in passing.take_passed()]
    assert counted_at == [(10, 0.9), (20, 0.5), (40, 0.5), (80, 0.5)]
    passing.leave("door:1:1")
    assert passing.take_passed() == []


def test_a_track_without_a_judged_view_says_nothing() -> None:
    """Where policies allow no shots, no face is judged."""
    passing = PassingFaces()
    passing.leave("door:1:1")
    assert passing.take_passed() == []


def test_nobody_passed() -> None:
    """Without anybody everything is unknown, and there is nothing to advise."""
    assert judge([]) == CameraFitness(camera_id="door")


def test_too_few_people_are_no_verdict() -> None:
    """Figures are shown, a rating and advice wait for enough people."""
    few = judge([face(face_px=30.0, score=0.1)] * (FITNESS_MIN_TRACKS - 1))
    assert (few.fitness, few.advice, few.tracks, few.median_face_px) == ("unknown", "", 9, 30.0)
    assert judge([face(face_px=30.0, score=0.1)] * FITNESS_MIN_TRACKS).fitness == "poor"


@pytest.mark.parametrize(
    ("usable", "fitness"), [(20, "good"), (16, "good"), (15, "fair"), (10, "fair"), (9, "poor"), (0, "poor")]
)
def test_the_share_of_usable_people_rates(usable: int, fitness: str) -> None:
    """Four of five make a good camera, half a fair one."""
    judged = judge([face()] * usable + [face(score=0.1, sharpness=15.0)] * (20 - usable))
    assert judged.fitness == fitness
    assert judged.usable_share == usable / 20


def test_an_obstacle_that_half_the_people_meet_keeps_a_camera_from_being_good() -> None:
    """Heads seen from above can be usable by their score and are still worth a ladder."""
    judged = judge([face(pitch=0.5)] * 6 + [face()] * 4)
    assert judged.fitness == "fair"
    assert "Lower the camera" in judged.advice


def test_a_good_camera_is_left_alone() -> None:
    """One blurred face in ten is nobody's business."""
    judged = judge([face(sharpness=10.0)] + [face()] * 9)
    assert (judged.fitness, judged.advice, judged.obstacles) == ("good", "", {"blurred": 0.1})


def test_a_good_camera_is_told_of_what_a_quarter_meets() -> None:
    """Good can be better."""
    judged = judge([face(brightness=30.0)] * 3 + [face()] * 7)
    assert judged.fitness == "good"
    assert judged.advice.startswith("30 % of the faces are too dark: brightness 30 of 255")


def test_only_the_last_hundred_of_a_day_count() -> None:
    """What was before a camera was cleaned is forgotten in time."""
    old = face(started_at_ns=0, ended_at_ns=NOW_NS - (WINDOW_SECONDS + 1) * SECOND_NS, face_px=10.0)
    judged = judge([old] * 5 + [face(face_px=20.0)] * 7 + [face()] * WINDOW_TRACKS)
    assert (judged.tracks, judged.median_face_px, judged.since_ns) == (100, 120.0, NOW_NS - 5 * SECOND_NS)
    assert judge([old] * 50) == CameraFitness(camera_id="door")


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        ({}, []),
        ({"face_px": 34.0, "sharpness": 10.0, "evenness": 0.1}, ["small"]),
        ({"brightness": 20.0, "sharpness": 10.0}, ["dark"]),
        ({"brightness": 230.0, "sharpness": 10.0}, ["bright"]),
        ({"sharpness": 10.0}, ["blurred"]),
        ({"sharpness": 10.0, "evenness": 0.1}, ["smeared"]),
        ({"yaw": 0.7, "pitch": 0.6}, ["turned"]),
        ({"pitch": 0.5}, ["from_above"]),
        ({"pitch": -0.5}, ["from_below"]),
        ({"detection_score": 0.85}, ["doubtful"]),
        ({"face_px": 34.0, "brightness": 20.0, "yaw": 0.7}, ["small", "dark", "turned"]),
    ],
)
def test_each_obstacle_is_told_from_what_only_looks_like_it(
    measures: dict[str, float], expected: list[Obstacle]
) -> None:
    """Small and dark faces look blurred, turned ones look bent; only the cause is named."""
    assert obstacles_of(face(**measures), camera()) == expected


def test_faces_at_the_size_where_looking_ends_are_cut_off() -> None:
    """Unless they come from a main stream, whose pixels the smallest face isn't counted in."""
    assert obstacles_of(face(face_px=110.0), camera(min_face_px=100)) == ["cut_off"]
    assert obstacles_of(face(face_px=130.0), camera(min_face_px=100)) == []
    with_main_stream = camera(min_face_px=100, main_stream_url="rtsp://y")
    assert obstacles_of(face(face_px=110.0), with_main_stream) == []


@pytest.mark.parametrize(
    ("fields", "delivered_width_px", "words"),
    [
        ({}, 1280, "Give the address of the camera's main stream"),
        ({}, None, "Give the address of the camera's main stream"),
        ({"frame_width_px": 1280}, 1920, "Raise the picture width from 1280 to 1920"),
        ({"frame_width_px": 1280}, 7680, "Raise the picture width from 1280 to 3840"),
        ({"main_stream_url": "rtsp://y"}, 1920, "Zoom in, or move the camera closer"),
        ({"url": "file:///door.mp4"}, 1280, "Zoom in, or move the camera closer"),
    ],
)
def test_small_faces_are_helped_by_what_is_left_to_do(
    fields: dict[str, Any], delivered_width_px: int | None, words: str
) -> None:
    """The cheapest first, and nothing that has been done already."""
    judged = judge([face(face_px=34.0, score=0.2)] * 20, delivered_width_px=delivered_width_px, **fields)
    assert judged.advice.startswith("All faces are too small: 34 px, where 80 are enough. ")
    assert words in judged.advice


@pytest.mark.parametrize(
    ("measures", "fields", "words"),
    [
        ({"face_px": 110.0}, {"min_face_px": 100}, "smallest that is looked for, 100 px"),
        ({"evenness": 0.1}, {}, "blurred by movement. Shorten the exposure"),
        ({"sharpness": 12.0}, {}, "sharpness 12, where 20 is enough"),
        ({"yaw": 0.8}, {}, "never seen from the front"),
        ({"pitch": -0.6}, {}, "Raise the camera"),
        ({"brightness": 231.0}, {}, "brightness 231 of 255, where 200 is the most"),
        ({"detection_score": 0.85}, {}, "Ignore the parts of the picture"),
        ({"face_px": 85.0}, {}, "Hardly a face is large, sharp and frontal at once: 85 px"),
    ],
)
def test_every_obstacle_has_its_advice(
    measures: dict[str, float], fields: dict[str, Any], words: str
) -> None:
    """Poor views are never without a word on what to do."""
    assert words in judge([face(score=0.1, **measures)] * 20, **fields).advice


def test_the_worst_obstacle_is_told_with_the_figures_of_those_who_meet_it() -> None:
    """Bright faces do not lighten the dark ones' figure."""
    judged = judge([face(brightness=25.0, score=0.1)] * 6 + [face(yaw=0.8, score=0.1)] * 5 + [face()] * 9)
    assert list(judged.obstacles.items()) == [("dark", 0.3), ("turned", 0.25)]
    assert "30 % of the faces are too dark: brightness 25" in judged.advice


Spoil = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]


def shrunk(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA), np.uint8)


def smeared(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    kernel = np.zeros((13, 13), np.float32)
    kernel[6] = 1 / 13
    return np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)


@pytest.fixture(scope="module")
def detector() -> MtcnnDetector:
    return MtcnnDetector(limits=DetectorSettings().mtcnn_limits(), inference_threads=1)


@pytest.mark.parametrize(
    ("spoil", "fitness", "worst"),
    [
        (lambda image: image, "good", None),
        (shrunk, "poor", "small"),
        (lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), 3), np.uint8), "poor", "blurred"),
        (smeared, "poor", "smeared"),
        (lambda image: (image * 0.2).astype(np.uint8), "poor", "dark"),
        (lambda image: (image * 0.35).astype(np.uint8), "poor", "dark"),
    ],
)
def test_real_faces_spoilt_in_one_way_are_told_that_way(
    spoil: Spoil, fitness: str, worst: str | None, detector: MtcnnDetector
) -> None:
    """Twenty photographs as a camera might have taken them: what was done to them is what is advised."""
    faces = []
    for person in list(people())[:20]:
        image = read_rgb(people()[person]["probe"][0])
        found = detector.detect(image, 60)
        if not len(found):
            continue
        spoilt = spoil(image)
        scale = np.float32(spoilt.shape[0] / image.shape[0])
        box, landmarks = found.boxes_xyxy[0] * scale, found.landmarks_xy[0] * scale
        passing = PassingFaces()
        view = assess_face(spoilt, box, landmarks, float(found.scores[0]))
        passing.see("door:1:1", view, face_px=float((box[2:] - box[:2]).max()), captured_at_ns=NOW_NS)
        passing.leave("door:1:1")
        faces += passing.take_passed()
    judged = judge(faces)
    assert judged.fitness == fitness
    assert next(iter(judged.obstacles), None) == worst if worst else not judged.advice


def test_usable_falls_with_the_score() -> None:
    """Where the recognizer calls nobody a stranger any more, a view is not usable."""
    usable = [is_usable(face(score=score)) for score in (1.0, 0.5, 0.25, 0.24, 0.0)]
    assert usable == [True, True, True, False, False]
    assert all(a >= b for a, b in pairwise(usable))
