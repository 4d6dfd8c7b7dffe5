"""Curves count strangers who are named, and known faces that are named rightly."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.training.dense_network import DenseNetwork, Samples
from mien.training.open_set import Trials, hold_out_people, open_set_curve, people_folds


def trials(known: list[tuple[float, bool]], strangers: list[float]) -> Trials:
    return Trials(
        np.array([score for score, _ in known], np.float32),
        np.array([right for _, right in known]),
        np.array(strangers, np.float32),
    )


def test_a_judge_who_separates_names_everybody_and_no_stranger() -> None:
    curve = open_set_curve(trials([(0.9, True), (0.8, True)], [0.2, 0.1]))
    assert curve.named_at(0.0) == 1.0
    assert curve.threshold_at(0.0) == pytest.approx(0.8)


def test_a_wrong_name_is_never_counted_as_named() -> None:
    curve = open_set_curve(trials([(0.9, True), (0.95, False)], [0.1]))
    assert curve.named_at(1.0) == 0.5


def test_strangers_in_between_cost_what_they_cost() -> None:
    """Two of four known faces lie above the surest stranger, three above the second of four."""
    curve = open_set_curve(
        trials([(0.9, True), (0.8, True), (0.6, True), (0.2, True)], [0.7, 0.5, 0.1, 0.05])
    )
    assert curve.named_at(0.0) == 0.5
    assert curve.named_at(0.25) == 0.75
    assert curve.threshold_at(0.25) == pytest.approx(0.6)
    assert curve.named_at(1.0) == 1.0


def test_a_tie_with_a_stranger_does_not_count_for_the_known() -> None:
    curve = open_set_curve(trials([(0.5, True)], [0.5]))
    assert (curve.named_at(0.0), curve.named_at(1.0)) == (0.0, 1.0)


def test_rates_rise_from_nothing_to_everything() -> None:
    generator = np.random.default_rng(1)
    curve = open_set_curve(
        Trials(generator.random(50), generator.random(50) > 0.2, generator.random(30))  # type: ignore[arg-type]
    )
    assert (curve.false_alarm_rate[0], curve.false_alarm_rate[-1]) == (0, 1)
    assert (np.diff(curve.false_alarm_rate) >= 0).all()
    assert (np.diff(curve.named_rate) >= 0).all()
    assert (np.diff(curve.thresholds) < 0).all()


def test_everybody_is_a_stranger_once() -> None:
    folds = people_folds(10, 3, seed=1)
    assert sorted(person for fold in folds for person in fold) == list(range(10))
    assert sorted(map(len, folds)) == [3, 3, 4]
    assert folds == people_folds(10, 3, seed=1)


def people(*classes: int, noise: float) -> Samples:
    """One-hot vectors of classes, each a little off, of unit length."""
    generator = np.random.default_rng(len(classes))
    vectors = np.eye(4)[list(classes)] + generator.normal(0, noise, (len(classes), 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Samples(vectors.astype(np.float32), np.array(classes, np.int64))


def test_a_network_never_sees_the_strangers_it_is_asked_about() -> None:
    """Two of four people are held out; the others are numbered anew and named rightly."""
    seen: list[NDArray[np.int64]] = []

    def train(training: Samples, validation: Samples, classes: int) -> DenseNetwork:
        assert classes == 2
        seen.extend((training.classes, validation.classes))
        # A network that has learnt columns 0 and 2 by heart.
        hidden = np.eye(4, dtype=np.float32)[:, [0, 2]] * 9
        return DenseNetwork(
            hidden, np.zeros(2, np.float32), np.eye(2, dtype=np.float32), np.zeros(2, np.float32)
        )

    result = hold_out_people(
        [1, 3],
        4,
        training=people(0, 1, 2, 3, 0, 2, noise=0.02),
        validation=people(0, 1, 2, 3, noise=0.02),
        test=people(0, 1, 2, 3, 2, noise=0.02),
        templates=people(0, 1, 2, 3, noise=0.02),
        train=train,
    )
    assert all(set(classes.tolist()) == {0, 1} for classes in seen)
    for judge in (result.by_probability, result.by_similarity, result.by_both):
        assert judge.known_right.tolist() == [True, True, True]
        assert len(judge.stranger_scores) == 4  # validation and test photos of two people
        assert judge.known_scores.min() > judge.stranger_scores.max()


def test_trials_of_several_networks_are_put_together() -> None:
    joined = Trials.joined([trials([(0.9, True)], [0.1]), trials([(0.8, False)], [0.2, 0.3])])
    assert len(joined.known_scores) == 2
    assert joined.known_right.tolist() == [True, False]
    assert len(joined.stranger_scores) == 3
