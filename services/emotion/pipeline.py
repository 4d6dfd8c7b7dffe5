"""How a track looks: smoothing, hysteresis, a timeline, and who is counted. No input or output."""

import math
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.events import EmotionEstimated, FaceShot, derive_event_id
from mien.contracts.models import EMOTION_LABELS, EMOTIONS, UNCERTAIN
from mien.contracts.readings import BUCKET_SECONDS

_FLOOR: Final = 1e-4
_TIMELINE_MOST: Final = 64


class EmotionState(msgspec.Struct, frozen=True, kw_only=True):
    """What a track's shots have shown so far. Lives in Redis, so that another worker can go on.

    Attributes:
        shot_number: The last shot that counts; earlier ones are repetitions.
        captured_at_ns: When that shot was taken.
        logits: Smoothed logarithms of the probabilities, in the order of EMOTION_LABELS.
        label: What was said last.
        timeline: From when on which label was said, Unix seconds.
        counted: As what the track counts in the present minute and quarter hour: (seconds of the bucket,
            bucket, label).
    """

    shot_number: int
    captured_at_ns: int
    logits: list[float]
    label: str = UNCERTAIN
    timeline: list[tuple[int, str]] = []
    counted: list[tuple[int, int, str]] = []


@dataclass(frozen=True)
class CountChange:
    """One more, or one less, who looks like this in a stretch of time."""

    bucket_seconds: int
    bucket: int
    label: str
    by: int


@dataclass(frozen=True)
class Smoothing:
    """How quickly the answer follows the face.

    Attributes:
        seconds: Time constant of the exponential smoothing; 0 takes each shot by itself.
        min_probability: A label below this is ``uncertain``.
        switch_margin: Lead that a new label needs over the one said last.
        interval_seconds: Shots that follow sooner are not asked about.
    """

    seconds: float
    min_probability: float
    switch_margin: float
    interval_seconds: float = 0.0


def is_due(state: EmotionState | None, shot: FaceShot, smoothing: Smoothing) -> bool:
    """Whether enough time has passed since the last shot that a track's emotion was read from."""
    if state is None:
        return True
    return shot.captured_at_ns - state.captured_at_ns >= smoothing.interval_seconds * 1e9


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
    label = _choose_label(_softmax(logits), previous, smoothing)
    return EmotionState(
        shot_number=shot.shot_number,
        captured_at_ns=shot.captured_at_ns,
        logits=[float(value) for value in logits],
        label=label,
        timeline=_continued(state.timeline if state else [], shot.captured_at_ns // 1_000_000_000, label),
        counted=state.counted if state else [],
    )


def count(state: EmotionState) -> tuple[EmotionState, list[CountChange]]:
    """Count a track as it looks now, once per minute and once per quarter hour.

    Within one of them a track counts as it last looked, so a count is a number of tracks.
    """
    now = state.captured_at_ns // 1_000_000_000
    counted = [(seconds, now // seconds, state.label) for seconds in BUCKET_SECONDS.values()]
    before = {(seconds, bucket): label for seconds, bucket, label in state.counted}
    changes = []
    for seconds, bucket, label in counted:
        previous = before.get((seconds, bucket))
        if previous == label:
            continue
        changes.append(CountChange(seconds, bucket, label, 1))
        if previous is not None:
            changes.append(CountChange(seconds, bucket, previous, -1))
    return msgspec.structs.replace(state, counted=counted), changes


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
        timeline=state.timeline,
    )


def _continued(timeline: list[tuple[int, str]], second: int, label: str) -> list[tuple[int, str]]:
    """Append a label if it is another one; where there are too many, the shortest stretch is left out."""
    if timeline and timeline[-1][1] == label:
        return timeline
    longer = [*timeline, (second, label)]
    if len(longer) <= _TIMELINE_MOST:
        return longer
    starts = [start for start, _ in longer]
    # Neither the first stretch, which says when the track began, nor the one that goes on.
    shortest = min(range(1, len(longer) - 1), key=lambda index: starts[index + 1] - starts[index])
    return [
        entry
        for index, entry in enumerate(longer)
        # What stands before and after the one left out may be the same label.
        if index != shortest and not (index == shortest + 1 and entry[1] == longer[shortest - 1][1])
    ]


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
