"""A stern face at rest is neutral for the one who has it."""

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMOTION_LABELS
from mien.contracts.readings import EmotionBaseline
from services.emotion.baseline import MIN_SHOTS, judge_by, learn


def probabilities(**by_label: float) -> NDArray[np.float32]:
    rest = (1 - sum(by_label.values())) / (len(EMOTION_LABELS) - len(by_label))
    return np.array([by_label.get(label, rest) for label in EMOTION_LABELS], dtype=np.float32)


def best(values: NDArray[np.float32]) -> str:
    return EMOTION_LABELS[int(values.argmax())]


STERN = probabilities(angry=0.5, neutral=0.4)


def learned(values: NDArray[np.float32], *, shots: int, tracks: int) -> EmotionBaseline:
    baseline: EmotionBaseline | None = None
    for index in range(shots):
        baseline = learn(
            baseline, values, track_id=f"door:1:{index * tracks // shots}", model="m", model_version=1
        )
    assert baseline is not None
    return baseline


def test_who_always_looks_stern_is_neutral_then() -> None:
    """What the network says of them on average is how they look when nothing is the matter."""
    assert best(STERN) == "angry"
    assert best(judge_by(learned(STERN, shots=MIN_SHOTS, tracks=3), STERN)) == "neutral"


def test_their_smile_is_still_a_smile() -> None:
    """A clear expression passes, and probabilities still sum to one."""
    judged = judge_by(learned(STERN, shots=MIN_SHOTS, tracks=3), probabilities(happy=0.8))
    assert best(judged) == "happy"
    assert float(judged.sum()) == np.float32(1) or abs(float(judged.sum()) - 1) < 1e-5


def test_little_knowledge_changes_nothing() -> None:
    """A few shots, or one long visit in one mood, are no baseline."""
    for shots, tracks in ((MIN_SHOTS - 1, 3), (MIN_SHOTS * 5, 1)):
        np.testing.assert_array_equal(judge_by(learned(STERN, shots=shots, tracks=tracks), STERN), STERN)
    np.testing.assert_array_equal(judge_by(None, STERN), STERN)


def test_another_model_begins_anew() -> None:
    """What one network says of a face means nothing to the next."""
    old = learned(STERN, shots=MIN_SHOTS, tracks=3)
    new = learn(old, STERN, track_id="door:2:1", model="m", model_version=2)
    assert (new.shots, new.tracks, new.model_version) == (1, 1, 2)
