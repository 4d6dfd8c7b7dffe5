"""How well people are named while strangers pass by too.

Figures are those of open-set identification (Grother and Ngan, NIST face recognition vendor tests): a *false
alarm* is a stranger who is named at all; a known face counts as *named* when it is named rightly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.training.dense_network import DenseNetwork, Samples


@dataclass(frozen=True)
class Trials:
    """What a judge said of known faces and of strangers; the higher a score, the surer.

    Attributes:
        known_scores: Shape (N,).
        known_right: Whether the name was right, shape (N,).
        stranger_scores: Shape (M,).
    """

    known_scores: NDArray[np.float32]
    known_right: NDArray[np.bool_]
    stranger_scores: NDArray[np.float32]

    @classmethod
    def joined(cls, several: Sequence["Trials"]) -> "Trials":
        """Put the trials of several networks together; there must be one at least."""
        return cls(
            np.concatenate([trials.known_scores for trials in several]),
            np.concatenate([trials.known_right for trials in several]),
            np.concatenate([trials.stranger_scores for trials in several]),
        )


@dataclass(frozen=True)
class OpenSetCurve:
    """Shares of strangers named and of known faces named rightly, from the strictest threshold on."""

    false_alarm_rate: NDArray[np.float64]
    named_rate: NDArray[np.float64]
    thresholds: NDArray[np.float64]

    def named_at(self, false_alarm_rate: float) -> float:
        """Return the share of known faces named where no more strangers than this are."""
        return float(self.named_rate[self.false_alarm_rate <= false_alarm_rate + 1e-12].max())

    def threshold_at(self, false_alarm_rate: float) -> float:
        """Return the laxest threshold at which no more strangers than this are named."""
        return float(self.thresholds[self.false_alarm_rate <= false_alarm_rate + 1e-12].min())


def open_set_curve(trials: Trials) -> OpenSetCurve:
    """Draw the curve over all thresholds that make a difference; both kinds of faces must be there."""
    scores = np.concatenate([trials.known_scores, trials.stranger_scores]).astype(np.float64)
    thresholds = np.concatenate([[np.nextafter(scores.max(), np.inf)], np.unique(scores)[::-1]])
    right = np.sort(trials.known_scores[trials.known_right].astype(np.float64))
    strangers = np.sort(trials.stranger_scores.astype(np.float64))
    return OpenSetCurve(
        (len(strangers) - np.searchsorted(strangers, thresholds)) / len(strangers),
        (len(right) - np.searchsorted(right, thresholds)) / len(trials.known_scores),
        thresholds,
    )


@dataclass(frozen=True)
class HeldOutPeople:
    """What a network that had never seen some people says of them, and of the others' held-out photos.

    Attributes:
        by_probability: The classifier alone.
        by_similarity: The nearest training face alone, as the gallery judges.
        by_both: The classifier's name, and the similarity to the nearest training face of that person.
    """

    by_probability: Trials
    by_similarity: Trials
    by_both: Trials


Train = Callable[[Samples, Samples, int], DenseNetwork]
"""From samples to train on, samples to choose by and the number of classes to a network."""


def hold_out_people(
    strangers: Sequence[int],
    classes: int,
    *,
    training: Samples,
    validation: Samples,
    test: Samples,
    templates: Samples,
    train: Train,
) -> HeldOutPeople:
    """Train without some people, then ask about them and about everybody else's test photos.

    Args:
        strangers: Classes held out; their validation and test photos are the strangers' faces.
        templates: Training faces as they are, without views: what a gallery would hold.
    """
    known = np.setdiff1d(np.arange(classes), np.asarray(strangers))
    network = train(_only(training, known), _only(validation, known), len(known))
    gallery, probes = _only(templates, known), _only(test, known)
    faces = np.concatenate(
        [samples.vectors[np.isin(samples.classes, strangers)] for samples in (validation, test)]
    )

    def judged(
        judge: Callable[[NDArray[np.float32]], tuple[NDArray[np.intp], NDArray[np.float32]]],
    ) -> Trials:
        names, scores = judge(probes.vectors)
        return Trials(scores, names == probes.classes, judge(faces)[1])

    def by_probability(vectors: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        probabilities = network.probabilities(vectors)
        return probabilities.argmax(axis=1), probabilities.max(axis=1)

    def by_similarity(vectors: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        similarities = _nearest(vectors, gallery, len(known))
        return similarities.argmax(axis=1), similarities.max(axis=1)

    def by_both(vectors: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        names, _ = by_probability(vectors)
        return names, _nearest(vectors, gallery, len(known))[np.arange(len(names)), names]

    return HeldOutPeople(judged(by_probability), judged(by_similarity), judged(by_both))


def people_folds(classes: int, folds: int, seed: int) -> list[list[int]]:
    """Divide classes into folds of nearly one size, so that each is a stranger once."""
    order = np.random.default_rng(seed).permutation(classes)
    return [sorted(part.tolist()) for part in np.array_split(order, folds)]


def _only(samples: Samples, classes: NDArray[np.int64]) -> Samples:
    """Keep some classes and number them anew, in their order."""
    rows = np.isin(samples.classes, classes)
    return Samples(samples.vectors[rows], np.searchsorted(classes, samples.classes[rows]))


def _nearest(vectors: NDArray[np.float32], gallery: Samples, classes: int) -> NDArray[np.float32]:
    """Return the similarity to the nearest face of each person, shape (N, classes)."""
    similarities = vectors @ gallery.vectors.T
    return np.stack([similarities[:, gallery.classes == one].max(axis=1) for one in range(classes)], axis=1)
