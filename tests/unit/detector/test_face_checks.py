"""A live picture is judged as enrolment would, and the answer waits for whoever asked."""

import time

import fakeredis
import msgspec
import numpy as np
import pytest

from mien.contracts.events import FaceCheckRequested
from mien.contracts.shared_state import FaceChecked, face_check_key
from mien.runtime.event_loop import Received
from mien.vision.jpeg import encode_jpeg_rgb
from services.detector.face_checks import FaceCheckRoad, check_face
from tests.unit.detector.test_enrolment import NOISE, ScriptedDetector, face


def request(jpeg: bytes | None = None, *, age_seconds: float = 0.0) -> FaceCheckRequested:
    return FaceCheckRequested(
        camera_id="",
        event_id="x",
        captured_at_ns=time.time_ns() - int(age_seconds * 1e9),
        request_id="r",
        photo_jpeg=encode_jpeg_rgb(NOISE) if jpeg is None else jpeg,
    )


def test_a_good_face_comes_back_with_its_measures() -> None:
    """Box and size are in pixels of the picture as it was sent."""
    checked = check_face(request(), ScriptedDetector(face([100, 100, 220, 220])))
    assert (checked.reason, checked.faces, checked.size_wh) == (None, 1, (600, 400))
    assert checked.box_xyxy == (100.0, 100.0, 220.0, 220.0)
    assert checked.face_px == 120
    assert checked.score > 0


def test_a_large_picture_is_judged_smaller_and_answered_in_its_own_pixels() -> None:
    """Enrolment looks at 1600 pixels at most."""
    large = np.random.default_rng(1).integers(0, 256, (800, 2400, 3), dtype=np.uint8)
    detector = ScriptedDetector(face([160, 160, 320, 320]))
    checked = check_face(request(encode_jpeg_rgb(large)), detector)
    assert detector.shown[0][0] == (533, 1600, 3)
    assert checked.size_wh == (2400, 800)
    assert checked.box_xyxy == pytest.approx((240, 240, 480, 480))


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([], "no_face"),
        ([[0, 0, 100, 100], [200, 0, 300, 100]], "several_faces"),
        ([[0, 0, 30, 30]], "too_small"),
    ],
)
def test_what_enrolment_would_refuse_is_said_so(boxes: list[list[float]], reason: str) -> None:
    """With the words of enrolment, and the face where there is one."""
    checked = check_face(request(), ScriptedDetector(face(*boxes)))
    assert checked.reason == reason
    assert checked.explanation
    assert (checked.box_xyxy is not None) == (reason == "too_small")


def test_bytes_that_are_no_picture_are_an_answer_too() -> None:
    """The person at the webcam learns it; nothing breaks."""
    assert check_face(request(b"\xff\xd8 no"), ScriptedDetector(face())).reason == "not_an_image"


async def test_the_answer_waits_for_whoever_asked_and_stale_requests_get_none() -> None:
    """It expires within seconds, and nothing else is stored."""
    redis = fakeredis.FakeAsyncRedis()
    road = FaceCheckRoad(ScriptedDetector(face([100, 100, 220, 220])), redis)
    await road.handle([Received(request(age_seconds=5), 0, 1)])
    assert await redis.keys() == []
    await road.handle([Received(request(), 0, 2)])
    answer = msgspec.msgpack.decode(await redis.lpop(face_check_key("r")) or b"", type=FaceChecked)
    assert answer.request_id == "r"
    assert await redis.keys() == []
