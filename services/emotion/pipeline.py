"""How a track looks: smoothing, hysteresis and policy, without any input or output."""

import math
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.cameras import Camera
from mien.contracts.events import EmotionEstimated, FaceShot, derive_event_id
from mien.contracts.models import EMOTION_LABELS, EMOTIONS, UNCERTAIN

_FLOOR: Final = 1e-4


class EmotionState(msgspec.Struct, frozen=True, kw_only=True):
    """What a track's shots have shown so far. Lives in Redis, so that another worker can go on.

    Attributes:
        shot_number: The last shot that counts; earlier ones are repetitions.
        captured_at_ns: When that shot was taken.
        logits: Smoothed logarithms of the probabilities, in the order of EMOTION_LABELS.
        label: What was said last.
    """

    shot_number: int
    captured_at_ns: int
    logits: list[float]
    label: str = UNCERTAIN


@dataclass(frozen=True)
class Smoothing:
    """How quickly the answer follows the face.

    Attributes:
        seconds: Time constant of the exponential smoothing; 0 takes each shot by itself.
        min_probability: A label below this is ``uncertain``.
        switch_margin: Lead that a new label needs over the one said last.
    """

    seconds: float
    min_probability: float
    switch_margin: float


def is_allowed(camera: Camera | None) -> bool:
    """Whether emotion may be read on this camera at all; an unknown camera allows nothing."""
    return camera is not None and camera.enabled and camera.emotion_policy != "off"


def smooth(
    state: EmotionState | None, shot: FaceShot, probabilities: NDArray[np.float32], smoothing: Smoothing
) -> EmotionState:
    """Blend a shot's probabilities, shape (6,), into a track's state and choose its label.

    Logits are blended, not probabilities, so that one confident shot can't outshout many; the weight of
    the past decays with the real time between shots.
    """
    logits = np.log(np.maximum(probabilities.astype(np.float64), _FLOOR))
    previous = UNCERTAIN
    if state is not None:
        elapsed_seconds = max(shot.captured_at_ns - state.captured_at_ns, 0) / 1e9
        keep = math.exp(-elapsed_seconds / smoothing.seconds) if smoothing.seconds > 0 else 0.0
        logits = keep * np.array(state.logits) + (1 - keep) * logits
        previous = state.label
    return EmotionState(
        shot_number=shot.shot_number,
        captured_at_ns=shot.captured_at_ns,
        logits=[float(value) for value in logits],
        label=_choose_label(_softmax(logits), previous, smoothing),
    )


def estimated(state: EmotionState, shot: FaceShot, *, model: str, model_version: int) -> EmotionEstimated:
    """Return the event that tells a track's smoothed emotion."""
    probabilities = _softmax(np.array(state.logits))
    return EmotionEstimated(
        camera_id=shot.camera_id,
        event_id=derive_event_id(shot.track_id, shot.shot_number, "emotion", model, model_version),
        captured_at_ns=shot.captured_at_ns,
        trace=shot.trace,
        track_id=shot.track_id,
        shot_number=shot.shot_number,
        label=state.label,
        probabilities={
            label: round(float(value), 3) for label, value in zip(EMOTION_LABELS, probabilities, strict=True)
        },
        model=model,
        model_version=model_version,
    )


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(logits - logits.max())
    return np.asarray(exponentials / exponentials.sum())


def _choose_label(probabilities: NDArray[np.float64], previous: str, smoothing: Smoothing) -> str:
    """Keep the previous label until another leads it by the margin; say so when none is likely enough."""
    best = EMOTION_LABELS[int(probabilities.argmax())]
    if previous in EMOTIONS and best != previous:
        lead = probabilities.max() - probabilities[EMOTION_LABELS.index(previous)]
        if lead < smoothing.switch_margin:
            best = previous
    likely = probabilities[EMOTION_LABELS.index(best)] >= smoothing.min_probability
    return best if best in EMOTIONS and likely else UNCERTAIN
