"""How a person usually looks, so that a stern face at rest is not called angry each time. No I/O.

A network's answer for one person is tilted by the shape of their face. What it says of them on average is
taken for its prior about them and replaced by that of people at large: Saerens et al., "Adjusting the Outputs
of a Classifier to New a Priori Probabilities" (2002), by half, because a person may well be merry on average.
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMOTION_LABELS
from mien.contracts.readings import EmotionBaseline

MIN_SHOTS: Final = 60
MIN_TRACKS: Final = 3
"""A baseline of fewer shots or visits is learned on, but changes nothing yet."""
_MOST_SHOTS: Final = 2000
"""As much as the past weighs: later it fades, for people change."""
_STRENGTH: Final = 0.5
_FLOOR: Final = 0.02
# Mostly neutral, and all else alike.
_PEOPLE_AT_LARGE: Final = np.array([0.6 if label == "neutral" else 0.08 for label in EMOTION_LABELS])


def learn(
    baseline: EmotionBaseline | None,
    probabilities: NDArray[np.float32],
    *,
    track_id: str,
    model: str,
    model_version: int,
) -> EmotionBaseline:
    """Take one shot's probabilities, shape (6,), into a person's baseline; another model begins anew."""
    if baseline is None or (baseline.model, baseline.model_version) != (model, model_version):
        return EmotionBaseline(
            mean_probabilities=[float(value) for value in probabilities],
            shots=1,
            tracks=1,
            last_track_id=track_id,
            model=model,
            model_version=model_version,
        )
    shots = min(baseline.shots + 1, _MOST_SHOTS)
    mean = np.array(baseline.mean_probabilities)
    return msgspec.structs.replace(
        baseline,
        mean_probabilities=[float(value) for value in mean + (probabilities - mean) / shots],
        shots=shots,
        tracks=baseline.tracks + (track_id != baseline.last_track_id),
        last_track_id=track_id,
    )


def judge_by(baseline: EmotionBaseline | None, probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a shot's probabilities, shape (6,), judged by a person's; unchanged while little is known."""
    if baseline is None or baseline.shots < MIN_SHOTS or baseline.tracks < MIN_TRACKS:
        return probabilities
    usual = np.maximum(np.array(baseline.mean_probabilities), _FLOOR)
    weighted = probabilities * (_PEOPLE_AT_LARGE / usual) ** _STRENGTH
    return np.asarray(weighted / weighted.sum(), np.float32)
