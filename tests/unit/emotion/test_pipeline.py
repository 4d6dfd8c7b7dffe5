"""Emotion follows the face without flicker, says when it doesn't know, and asks the policy."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.models import EMOTION_LABELS, UNCERTAIN
from services.emotion.pipeline import EmotionState, Smoothing, count, estimated, is_due, smooth
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


def state_at(second: float, label: str, before: EmotionState | None = None) -> EmotionState:
    """Return a state of a track that was last seen at a second of the day."""
    return EmotionState(
        shot_number=1, captured_at_ns=int(second * 1e9), logits=[0.0] * 6, label=label,
        counted=before.counted if before else [],
    )  # fmt: skip


def test_a_track_counts_once_a_minute_as_it_last_looked() -> None:
    """A label that changes within the minute moves the one count; the next minute begins a new one."""
    first, changes = count(state_at(1, "happy"))
    assert [(c.bucket_seconds, c.bucket, c.label, c.by) for c in changes] == [
        (60, 0, "happy", 1),
        (900, 0, "happy", 1),
    ]
    same, changes = count(state_at(20, "happy", first))
    assert changes == []
    moved, changes = count(state_at(30, "sad", same))
    assert {(c.bucket_seconds, c.label, c.by) for c in changes} == {
        (60, "sad", 1), (60, "happy", -1), (900, "sad", 1), (900, "happy", -1)
    }  # fmt: skip
    _, changes = count(state_at(61, "sad", moved))
    assert [(c.bucket_seconds, c.bucket, c.label, c.by) for c in changes] == [(60, 1, "sad", 1)]


def test_timeline_tells_when_the_label_changed() -> None:
    """Only changes are kept, by the second."""
    state: EmotionState | None = None
    for number, (second, values) in enumerate([(0, HAPPY), (1, HAPPY), (9, SAD), (10, SAD)], start=1):
        shot = face_shot(shot_number=number, captured_at_ns=int(second * 1e9))
        state = smooth(state, shot, values, SMOOTHING)
    assert state is not None
    assert state.timeline == [(0, "happy"), (9, "sad")]
    assert estimated(state, face_shot(), model="m", model_version=1).timeline == state.timeline


def test_timeline_stays_short_and_keeps_its_ends() -> None:
    """Somebody who stays for hours does not fill the memory: the shortest stretches are left out."""
    state: EmotionState | None = None
    for number in range(500):
        shot = face_shot(shot_number=number + 1, captured_at_ns=int((number * 60 + number % 3) * 1e9))
        state = smooth(state, shot, HAPPY if number % 2 else SAD, SMOOTHING)
    assert state is not None
    assert len(state.timeline) <= 64
    assert state.timeline[0] == (0, "sad")
    assert state.timeline[-1] == (499 * 60 + 499 % 3, "happy")
    labels = [label for _, label in state.timeline]
    assert all(a != b for a, b in pairwise(labels))


def test_shots_that_follow_too_soon_are_not_asked_about() -> None:
    """Where tiredness asks for many shots, emotion keeps its own pace."""
    smoothing = Smoothing(seconds=1.5, min_probability=0.45, switch_margin=0.1, interval_seconds=0.4)
    state = smooth(None, face_shot(captured_at_ns=0), HAPPY, smoothing)
    assert not is_due(state, face_shot(captured_at_ns=250_000_000), smoothing)
    assert is_due(state, face_shot(captured_at_ns=500_000_000), smoothing)
    assert is_due(None, face_shot(), smoothing)
