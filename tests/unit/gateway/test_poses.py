"""The coach says one thing at a time, in the person's own directions, and takes what enrolment takes."""

import msgspec
import pytest

from mien.contracts.events import RejectionReason
from mien.contracts.shared_state import FaceChecked
from services.gateway.poses import Pose, StraightLook, advise

STRAIGHT = StraightLook()
GOOD = FaceChecked(
    request_id="r", size_wh=(640, 480), faces=1, box_xyxy=(220.0, 140.0, 420.0, 340.0), face_px=200.0,
    score=0.9, sharpness=200.0, yaw=0.0, pitch=0.0, brightness=120.0,
)  # fmt: skip
TURNS: dict[Pose, tuple[float, float]] = {
    "front": (0.0, 0.0),
    "left": (0.4, 0.0),
    "right": (-0.4, 0.0),
    "up": (0.0, -0.3),
    "down": (0.0, 0.3),
}


def checked(**changes: object) -> FaceChecked:
    return msgspec.structs.replace(GOOD, **changes)


@pytest.mark.parametrize("wanted", TURNS)
@pytest.mark.parametrize("shown", TURNS)
def test_only_the_pose_that_is_wanted_is_taken(wanted: Pose, shown: Pose) -> None:
    """Left is the person's own left, where the nose moves to the right in the picture."""
    yaw, pitch = TURNS[shown]
    assert advise(checked(yaw=yaw, pitch=pitch), wanted, STRAIGHT).is_good == (wanted == shown)


@pytest.mark.parametrize(("pose", "is_good"), [(pose, pose not in ("left", "right")) for pose in TURNS])
def test_an_expression_may_come_with_a_nod_but_not_with_a_turn(pose: Pose, is_good: bool) -> None:
    """Who looks sad hangs their head; half a face shows half an expression."""
    yaw, pitch = TURNS[pose]
    assert advise(checked(yaw=yaw, pitch=pitch), None, STRAIGHT).is_good == is_good


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"box_xyxy": None, "reason": "no_face"}, "Look into the camera: no face is seen yet."),
        ({"box_xyxy": None, "reason": "several_faces"}, "Only one person in the picture, please."),
        ({"face_px": 60.0}, "Come closer."),
        ({"face_px": 460.0}, "Move back a little."),
        ({"box_xyxy": (0.0, 140.0, 200.0, 340.0)}, "Move to the middle of the picture."),
        ({"brightness": 30.0}, "More light on your face, please."),
        ({"brightness": 230.0}, "Less light on your face, please."),
        ({"sharpness": 8.0}, "Hold still for a moment."),
        ({"yaw": 0.3}, "Turn back a little to your right."),
        ({"yaw": -0.3}, "Turn back a little to your left."),
        ({"pitch": -0.4}, "Lower your chin a little."),
    ],
)
def test_what_is_wrong_is_said_in_words(changes: dict[str, object], words: str) -> None:
    """The first thing that stands in the way of a picture straight ahead."""
    advice = advise(checked(**changes), "front", STRAIGHT)
    assert (advice.is_good, advice.words) == (False, words)


def test_nearly_there_is_said_so() -> None:
    """A turn that is on its way asks for a little more, and shows how far it has come."""
    nothing, half, nearly = (advise(checked(yaw=yaw), "left", STRAIGHT) for yaw in (0.0, 0.15, 0.21))
    assert nothing.words == "Turn to your left."
    assert half.words == "Turn a little more to your left."
    assert nothing.progress < half.progress < nearly.progress < 1


def test_a_turn_is_measured_from_the_persons_own_straight_look() -> None:
    """A nose that is never quite in the middle does not count as a turn."""
    crooked = StraightLook(yaw=0.15, pitch=0.1)
    assert not advise(checked(yaw=0.25), "left", crooked).is_good
    assert advise(checked(yaw=0.25), "left", STRAIGHT).is_good
    assert advise(checked(yaw=-0.1), "right", crooked).is_good


@pytest.mark.parametrize("reason", ["blurred", "turned_away", "too_small"])
def test_what_enrolment_would_refuse_is_never_taken(reason: RejectionReason) -> None:
    """However good the pose is, the gate has the last word."""
    advice = advise(checked(reason=reason, explanation="Expected better."), "front", STRAIGHT)
    assert (advice.is_good, advice.words) == (False, "Expected better.")
