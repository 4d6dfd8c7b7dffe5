"""How right an emotion network is, how sure, and how often it answers. Pure functions on probabilities.

*Coverage* is the share of faces whose best label is likely enough to be said; the others are ``uncertain``.
Probabilities are float (N, C), true classes int (N,).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

Floats = NDArray[np.floating[Any]]
Classes = NDArray[np.int64]

_BINS: Final = 15
_TINY: Final = 1e-7
_TEMPERATURES: Final = np.exp(np.linspace(np.log(0.3), np.log(5), 141))


@dataclass(frozen=True)
class Answers:
    """What was said at an operating point; nan where nothing was.

    Attributes:
        accuracy: Of what was answered.
        coverage: Share of all faces that were answered.
        coverage_by_class: The same for each true class that there are faces of.
        macro_f1: Mean over these classes of the F1 of what was answered.
    """

    accuracy: float
    macro_f1: float
    coverage: float
    coverage_by_class: dict[int, float]


@dataclass(frozen=True)
class RiskCoverage:
    """Share of wrong answers by share of faces answered, the surest first; shapes (N,)."""

    coverage: Floats
    risk: Floats

    @property
    def area(self) -> float:
        """Mean risk over all coverages; smaller is better (AURC of Geifman and El-Yaniv, 2017)."""
        return float(self.risk.mean()) if len(self.risk) else float("nan")


def answers(probabilities: Floats, classes: Classes, accept: float) -> Answers:
    """Return what is said when a label below *accept* is not said; N at least 1."""
    said = probabilities.argmax(axis=1)
    answered = probabilities.max(axis=1) >= accept
    there = sorted(set(classes.tolist()))
    if not answered.any():
        return Answers(float("nan"), float("nan"), 0.0, dict.fromkeys(there, 0.0))
    _, _, f1, _ = precision_recall_fscore_support(
        classes[answered], said[answered], labels=there, zero_division=0
    )
    return Answers(
        accuracy=float((said == classes)[answered].mean()),
        macro_f1=float(np.mean(f1)),
        coverage=float(answered.mean()),
        coverage_by_class={one: float(answered[classes == one].mean()) for one in there},
    )


def spread(
    probabilities: Floats, classes: Classes, people: Sequence[str], accept: float, draws: int = 300
) -> dict[str, tuple[float, float]]:
    """Return between which values the figures of :func:`answers` lie with 95 %, when people are drawn anew.

    A person's faces are drawn together: ten pictures of one are not ten witnesses. Source: the cluster
    bootstrap of A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their Application" (1997), 3.8.
    """
    names, person_of = np.unique(np.asarray(people), return_inverse=True)
    rows_of = np.split(np.argsort(person_of, kind="stable"), np.cumsum(np.bincount(person_of))[:-1])
    generator = np.random.default_rng(1)
    drawn = []
    for _ in range(draws):
        rows = np.concatenate([rows_of[one] for one in generator.integers(len(names), size=len(names))])
        one = answers(probabilities[rows], classes[rows], accept)
        drawn.append((one.accuracy, one.macro_f1, one.coverage))
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    keys = ("accuracy", "macro_f1", "coverage")
    return {key: (float(low[at]), float(high[at])) for at, key in enumerate(keys)}


def operating_point(probabilities: Floats, classes: Classes, *, right: float, least_coverage: float) -> float:
    """Return the lowest probability from which on the answers are right so often.

    Args:
        right: Share of answers that must be right.
        least_coverage: Share that is answered even if fewer of the answers are right then.
    """
    best = probabilities.max(axis=1)
    order = np.argsort(-best, kind="stable")
    is_right = (probabilities.argmax(axis=1) == classes)[order]
    accuracy = np.cumsum(is_right) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(accuracy >= right)
    last = max(int(enough[-1]) if len(enough) else 0, int(np.ceil(least_coverage * len(order))) - 1)
    return float(best[order][min(last, len(order) - 1)])


def risk_coverage(probabilities: Floats, classes: Classes) -> RiskCoverage:
    """Return how often answers are wrong when only the surest are given."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    wrong = (probabilities.argmax(axis=1) != classes)[order]
    counts = np.arange(1, len(order) + 1)
    return RiskCoverage(counts / max(len(order), 1), np.cumsum(wrong) / counts)


def reliability(probabilities: Floats, classes: Classes, bins: int = _BINS) -> list[tuple[float, float, int]]:
    """Return mean probability, share right and faces for each bin of the best probability that has faces."""
    best, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == classes
    index = np.minimum((best * bins).astype(int), bins - 1)
    return [
        (float(best[index == one].mean()), float(right[index == one].mean()), int((index == one).sum()))
        for one in range(bins)
        if (index == one).any()
    ]


def calibration_error(probabilities: Floats, classes: Classes, bins: int = _BINS) -> float:
    """Return the expected calibration error (Guo et al., 2017): how far from the truth "70 % sure" is."""
    rows = reliability(probabilities, classes, bins)
    return sum(faces * abs(sure - right) for sure, right, faces in rows) / max(len(classes), 1)


def fit_temperature(logits: Floats, classes: Classes, weights: Floats | None = None) -> float:
    """Return the temperature that makes *logits* (N, C) say the most about *classes*; N at least 1.

    Source: Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks" (2017).
    """
    weights = np.ones(len(classes)) if weights is None else weights

    def surprise(temperature: float) -> float:
        likely = softmax(logits / temperature)[np.arange(len(classes)), classes]
        return float(-(weights * np.log(np.maximum(likely, _TINY))).sum())

    return float(min(_TEMPERATURES, key=surprise))


def softmax(logits: Floats) -> Floats:
    """Turn logits (N, C) into probabilities."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def class_rows(probabilities: Floats, classes: Classes, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Return precision, recall and F1 of each label at full coverage."""
    columns = list(range(len(labels)))
    rows = precision_recall_fscore_support(
        classes, probabilities.argmax(axis=1), labels=columns, zero_division=0
    )
    return [
        {
            "label": label,
            "precision": round(float(precision), 4),
            "recall": round(float(recall), 4),
            "f1": round(float(f1), 4),
            "faces": int(faces),
        }
        for label, precision, recall, f1, faces in zip(labels, *rows, strict=True)
    ]


def confusion(probabilities: Floats, classes: Classes, count: int) -> NDArray[np.int64]:
    """Return how often each class (row) was said to be each (column), shape (count, count)."""
    matrix = confusion_matrix(classes, probabilities.argmax(axis=1), labels=list(range(count)))
    return np.asarray(matrix, np.int64)
