"""A face is found again in the large picture, or the small one is used."""

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.vision.jpeg import decode_jpeg_rgb, encode_jpeg_rgb
from services.detector.closeups import Closeup
from services.detector.detection import Detections
from tests.unit.detector.faces import SeesFrontalFaces, at, detections
from tests.unit.detector.test_pipeline import Watching, sure

FRAME_WH = (640, 360)
RNG = np.random.default_rng(5)
SMALL = np.asarray(cv2.GaussianBlur(RNG.integers(0, 256, (360, 640, 3), dtype=np.uint8), (0, 0), 2))
LARGE = RNG.integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
BOX = np.array([100, 50, 140, 90], np.float32)
"""In the frame; (300, 150) to (420, 270) in a picture three times as large."""


@dataclass
class FakeDetector(SeesFrontalFaces):
    """Finds what it is told to, and notes where it was asked to look."""

    found: Detections = field(default_factory=Detections.none)
    asked: list[tuple[tuple[int, ...], int]] = field(default_factory=list)

    def detect(self, image_rgb: NDArray[np.uint8], min_face_px: int) -> Detections:
        self.asked.append((image_rgb.shape[:2], min_face_px))
        return self.found


def closeup(
    detector: FakeDetector, *, image: NDArray[np.uint8] = LARGE, jpeg: bytes | None = None
) -> Closeup:
    return Closeup(
        jpeg or encode_jpeg_rgb(image), frame_wh=FRAME_WH, detector=detector, max_pixels=3840 * 2160
    )


def test_a_face_is_looked_for_where_it_is_expected() -> None:
    """Only around its place in the large picture; what is found is told in that picture's pixels."""
    detector = FakeDetector(at((130, 135), side=110, score=0.99))
    view = closeup(detector).find(BOX)
    # Its place is 120 px wide, and as much as 0.6 of that is added on each side.
    assert detector.asked == [((264, 264), 72)]
    assert view is not None
    assert view.box_xyxy == pytest.approx([228 + 75, 78 + 80, 228 + 185, 78 + 190])
    assert all(view.box_xyxy[0] < x < view.box_xyxy[2] for x in view.landmarks_xy[:, 0])
    assert view.score == pytest.approx(0.99)
    assert view.image_rgb.shape == (1080, 1920, 3)


def test_somebody_elses_face_beside_it_is_not_taken() -> None:
    """Of several faces the one that covers the place, and none where none does."""
    both = detections([[0, 0, 90, 90], [80, 70, 190, 190]], [0.99, 0.9])
    view = closeup(FakeDetector(both)).find(BOX)
    assert view is not None
    assert view.score == pytest.approx(0.9)
    beside = closeup(FakeDetector(detections([[0, 0, 90, 90]], [0.99])))
    assert beside.find(BOX) is None
    assert beside.outcomes == {"no_face": 1}


@pytest.mark.parametrize("box", [[0, 0, 30, 30], [600, 320, 640, 360], [-40, -40, -20, -20]])
def test_a_face_at_the_edge_is_looked_for_within_the_picture(box: list[float]) -> None:
    """Beyond the edge there is nothing to see, and no error either."""
    detector = FakeDetector()
    assert closeup(detector).find(np.array(box, np.float32)) is None
    assert all(0 < side <= 264 for shape, _ in detector.asked for side in shape)


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({"image": np.zeros((960, 1280, 3), np.uint8)}, "other_view"),
        ({"jpeg": b"\xff\xd8 no picture"}, "broken"),
    ],
)
def test_a_useless_closeup_is_counted_and_not_looked_at(options: dict[str, object], outcome: str) -> None:
    """4:3 beside 16:9 is another field of view; a damaged JPEG is none."""
    detector = FakeDetector()
    useless = closeup(detector, **options)  # type: ignore[arg-type]
    assert [useless.find(BOX), useless.find(BOX)] == [None, None]
    assert useless.outcomes == {outcome: 2}
    assert detector.asked == []


def test_a_shot_is_cut_from_the_closeup_and_judged_by_it() -> None:
    """The crop's face is as large as in the main stream, and its quality is that view's."""
    watching = Watching()
    frame = watching.frame(seconds=0)
    observation = watching.pipeline.observe(frame, sure((120, 70), side=40), SMALL)
    close = closeup(FakeDetector(at((132, 132), side=120, score=0.99)))
    (shot,) = watching.pipeline.take_shots(
        frame, SMALL, observation, watching.camera, FakeDetector(), close
    ).taken
    left, top, right, bottom = shot.box_xyxy
    assert (right - left, bottom - top) == pytest.approx((120, 120))
    assert decode_jpeg_rgb(shot.crop_jpeg).shape[:2] == (192, 192)
    assert shot.quality.size_px == pytest.approx(3 * 40 * 0.38, abs=1)
    assert close.outcomes == {"used": 1}


def test_the_frame_serves_where_the_closeup_is_worse() -> None:
    """A face that is blurred or missing in the close-up is cut from the frame."""
    for found, image, outcome in (
        (Detections.none(), LARGE, "no_face"),
        (at((264, 210), side=240, score=0.99), np.full_like(LARGE, 90), "no_better"),
    ):
        watching = Watching()
        frame = watching.frame(seconds=0)
        observation = watching.pipeline.observe(frame, sure((120, 70), side=80), LARGE[:360, :640])
        close = closeup(FakeDetector(found), image=image)
        (shot,) = watching.pipeline.take_shots(
            frame, LARGE[:360, :640], observation, watching.camera, FakeDetector(), close
        ).taken
        assert shot.box_xyxy[2] - shot.box_xyxy[0] == pytest.approx(80)
        assert close.outcomes[outcome] == 1  # type: ignore[index]


def test_a_closeup_is_not_even_decoded_when_no_shot_is_due() -> None:
    """A track that has had its shots costs nothing more."""
    watching = Watching()
    for index in range(5):
        watching.see(sure((120, 70), side=100), seconds=index / 5)
    frame = watching.frame(seconds=1.0)
    observation = watching.pipeline.observe(frame, sure((120, 70), side=100), SMALL)
    detector = FakeDetector()
    watching.pipeline.take_shots(frame, SMALL, observation, watching.camera, detector, closeup(detector))
    assert detector.asked == []


def test_closeups_are_wanted_while_a_better_view_would_be_sent() -> None:
    """From the first look at a face until its views are as good as can be; again before it is verified."""
    watching = Watching(main_stream_url="rtsp://x/main")
    wanted = []
    for index in range(60):
        observation, _ = watching.see(sure((320, 180), side=200), seconds=index / 5)
        wanted.append(watching.pipeline.wants_closeup(observation, watching.camera))
    # Three shots vote (0 s, 0.4 s, 0.8 s); asked again after ten seconds.
    assert wanted.index(False) == 4
    assert wanted.index(True, 4) == round(5 * (0.8 + 10 - 1)) + 1
    empty, _ = watching.see(Detections.none(), seconds=13)
    assert not watching.pipeline.wants_closeup(empty, watching.camera)


@pytest.mark.parametrize(
    "fields",
    [{}, {"main_stream_url": "rtsp://x/main", "identity_policy": "off", "emotion_policy": "per_person"}],
)
def test_nothing_is_wanted_where_there_is_no_use_for_it(fields: dict[str, str]) -> None:
    """A camera without a main stream, or one on which nobody may be recognised."""
    watching = Watching(**fields)
    observation, _ = watching.see(sure((320, 180)), seconds=0)
    assert not watching.pipeline.wants_closeup(observation, watching.camera)
