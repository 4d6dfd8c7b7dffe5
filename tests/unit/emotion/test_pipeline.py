"""Emotion follows the face without flicker, says when it doesn't know, and asks the policy."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.cameras import Camera, EmotionPolicy
from mien.contracts.models import EMOTION_LABELS, UNCERTAIN
from services.emotion.pipeline import EmotionState, Smoothing, estimated, is_allowed, smooth
from tests.samples import CAPTURED_AT_NS, face_shot

SMOOTHING = Smoothing(seconds=1.5, min_probability=0.45, switch_margin=0.1)


def probabilities(**by_label: float) -> NDArray[np.float32]:
    rest = (1 - sum(by_label.values())) / (len(EMOTION_LABELS) - len(by_label))
    return np.array([by_label.get(label, rest) for label in EMOTION_LABELS], dtype=np.float32)


HAPPY, SAD = probabilities(happy=0.95), probabilities(sad=0.95)


def follow(*steps: tuple[float, NDArray[np.float32]]) -> list[str]:
    """Feed probabilities at the given seconds; return the label after each."""
    state: EmotionState | None = None
    labels = []
    for number, (second, values) in enumerate(steps, start=1):
        shot = face_shot(shot_number=number, captured_at_ns=CAPTURED_AT_NS + int(second * 1e9))
        state = smooth(state, shot, values, SMOOTHING)
        labels.append(state.label)
    return labels


def test_clear_expression_is_named_at_once() -> None:
    """The first shot is not held back."""
    assert follow((0, HAPPY)) == ["happy"]


def test_single_odd_shot_does_not_flip_the_label() -> None:
    """One frame of another expression is smoothed away."""
    assert follow((0, HAPPY), (0.5, HAPPY), (0.7, SAD), (1.2, HAPPY)) == ["happy"] * 4


def test_lasting_change_is_followed() -> None:
    """A new expression that stays is shown within seconds."""
    labels = follow((0, HAPPY), *[(1.0 + n, SAD) for n in range(4)])
    assert labels[0] == "happy"
    assert labels[-1] == "sad"


def test_gap_in_time_forgets_the_past() -> None:
    """After a long gap a shot speaks for itself."""
    assert follow((0, HAPPY), (60, SAD)) == ["happy", "sad"]


@pytest.mark.parametrize(
    "values",
    [probabilities(happy=0.4, sad=0.35), probabilities(other=0.9), probabilities(angry=1 / 6)],
    ids=["two alike", "outside the five", "flat"],
)
def test_unclear_expression_is_uncertain(values: NDArray[np.float32]) -> None:
    """Not knowing is an answer."""
    assert follow((0, values)) == [UNCERTAIN]


def test_event_carries_all_probabilities_rounded() -> None:
    """A browser can draw the bars, and they sum to one."""
    event = estimated(smooth(None, face_shot(), HAPPY, SMOOTHING), face_shot(), model="m", model_version=2)
    assert set(event.probabilities) == set(EMOTION_LABELS)
    assert sum(event.probabilities.values()) == pytest.approx(1, abs=0.01)
    assert (event.label, event.model_version) == ("happy", 2)


@pytest.mark.parametrize(("policy", "allowed"), [("off", False), ("aggregate", True), ("per_person", True)])
def test_policy_decides(policy: EmotionPolicy, allowed: bool) -> None:
    """Emotion is read where the camera's policy says so and nowhere else."""
    camera = Camera(camera_id="door", name="Door", url="rtsp://x", partition=0, emotion_policy=policy)
    assert is_allowed(camera) is allowed


def test_camera_is_silent_by_default_and_when_unknown() -> None:
    """Nobody has to remember to turn emotion off."""
    assert not is_allowed(Camera(camera_id="door", name="Door", url="rtsp://x", partition=0))
    assert not is_allowed(None)
