"""The enrolment coach's eye: is a picture good, does it show the pose that is wanted, and what to say if not.

Directions are the person's own. Turn and nod are measured against their own look straight ahead where that is
known, because noses differ. A turn of 0.5 is about 30 degrees (:mod:`mien.vision.quality`).
"""

from dataclasses import dataclass
from typing import Final, Literal

from mien.contracts.shared_state import FaceChecked

Pose = Literal["front", "left", "right", "up", "down"]

_LEAST_FACE_SHARE: Final = 0.18
"""Longer side of the face, in shares of the picture's shorter side: at 640x480 that is 86 px."""
_MOST_FACE_SHARE: Final = 0.8
_MOST_OFF_CENTRE: Final = 0.3
_LEAST_BRIGHTNESS: Final = 55.0
_MOST_BRIGHTNESS: Final = 205.0
_LEAST_SHARPNESS: Final = 20.0
_STRAIGHT_YAW: Final = 0.2
_STRAIGHT_PITCH: Final = 0.25
_LEAST_TURN: Final = 0.22
_MOST_TURN: Final = 0.6
"""Enrolment takes turns up to 0.7."""
_LEAST_NOD: Final = 0.15
_MOST_NOD: Final = 0.6
_OFF_AXIS: Final = 0.35
_GOOD: Final = "Good. Hold still."


@dataclass(frozen=True)
class StraightLook:
    """How a person's face measures when they look straight ahead."""

    yaw: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True)
class Advice:
    """What to tell the person.

    Attributes:
        is_good: The picture can be taken.
        words: What to do next.
        progress: How near the pose is, 0 to 1.
    """

    is_good: bool
    words: str
    progress: float


def advise(checked: FaceChecked, wanted: Pose | None, straight: StraightLook) -> Advice:
    """Judge a picture for a pose; without one, as for an expression: who looks sad may hang their head."""
    if (problem := _problem_with_picture(checked)) is not None:
        return Advice(is_good=False, words=problem, progress=0.0)
    turn, nod = checked.yaw - straight.yaw, checked.pitch - straight.pitch
    if wanted is None:
        advice = _advise_front(turn, nod, most_turn=_OFF_AXIS, most_nod=_MOST_NOD)
    elif wanted == "front":
        advice = _advise_front(turn, nod, most_turn=_STRAIGHT_YAW, most_nod=_STRAIGHT_PITCH)
    elif wanted in ("left", "right"):
        # The nose of somebody who turns to their own left moves to the right in the picture.
        advice = _advise_turn(turn if wanted == "left" else -turn, nod, side=str(wanted))
    else:
        advice = _advise_nod(nod if wanted == "down" else -nod, turn, way=str(wanted))
    if advice.is_good and checked.reason is not None:
        return Advice(is_good=False, words=checked.explanation, progress=advice.progress)
    return advice


def _problem_with_picture(checked: FaceChecked) -> str | None:
    if checked.reason == "several_faces":
        return "Only one person in the picture, please."
    if checked.box_xyxy is None or checked.size_wh is None:
        return "Look into the camera: no face is seen yet."
    width, height = checked.size_wh
    left, top, right, bottom = checked.box_xyxy
    share = checked.face_px / min(width, height)
    off_centre = max(abs((left + right) / 2 / width - 0.5), abs((top + bottom) / 2 / height - 0.5))
    problems = (
        (share < _LEAST_FACE_SHARE, "Come closer."),
        (share > _MOST_FACE_SHARE, "Move back a little."),
        (off_centre > _MOST_OFF_CENTRE, "Move to the middle of the picture."),
        (checked.brightness < _LEAST_BRIGHTNESS, "More light on your face, please."),
        (checked.brightness > _MOST_BRIGHTNESS, "Less light on your face, please."),
        (checked.sharpness < _LEAST_SHARPNESS, "Hold still for a moment."),
    )
    return next((words for is_so, words in problems if is_so), None)


def _advise_front(turn: float, nod: float, *, most_turn: float, most_nod: float) -> Advice:
    if abs(turn) > most_turn:
        side = "right" if turn > 0 else "left"
        return Advice(False, f"Turn back a little to your {side}.", most_turn / abs(turn))
    if abs(nod) > most_nod:
        way = "Lower" if nod < 0 else "Raise"
        return Advice(False, f"{way} your chin a little.", most_nod / abs(nod))
    return Advice(True, _GOOD, 1.0)


def _advise_turn(turn: float, nod: float, *, side: str) -> Advice:
    if abs(nod) > _OFF_AXIS:
        return Advice(False, "Keep your chin level.", _share(turn, _LEAST_TURN) / 2)
    if turn < _LEAST_TURN:
        amount = "a little more " if turn > _LEAST_TURN / 2 else ""
        return Advice(False, f"Turn {amount}to your {side}.", _share(turn, _LEAST_TURN))
    if turn > _MOST_TURN:
        return Advice(False, "A little less: turn back towards the camera.", 0.8)
    return Advice(True, _GOOD, 1.0)


def _advise_nod(nod: float, turn: float, *, way: str) -> Advice:
    if abs(turn) > _OFF_AXIS:
        return Advice(False, "Face the camera while you nod.", _share(nod, _LEAST_NOD) / 2)
    if nod < _LEAST_NOD:
        verb = "Raise" if way == "up" else "Lower"
        amount = " a little more" if nod > _LEAST_NOD / 2 else ""
        return Advice(False, f"{verb} your chin{amount}.", _share(nod, _LEAST_NOD))
    if nod > _MOST_NOD:
        return Advice(False, f"A little less {way}.", 0.8)
    return Advice(True, _GOOD, 1.0)


def _share(value: float, needed: float) -> float:
    return min(max(value / needed, 0.0), 1.0)
