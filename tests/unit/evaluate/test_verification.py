"""Verification figures, on pairs whose answers can be counted by hand."""

import numpy as np
import pytest

from mien.evaluate.identity.verification import (
    ScoredPairs,
    best_threshold,
    fold_accuracies,
    found_only,
    roc,
    tar_at_far,
)


def scored(
    same: list[float],
    different: list[float],
    *,
    folds: list[int] | None = None,
    found: list[bool] | None = None,
) -> ScoredPairs:
    count = len(same) + len(different)
    return ScoredPairs(
        similarities=np.array(same + different),
        same=np.array([True] * len(same) + [False] * len(different)),
        folds=np.array(folds or [1] * count),
        found=np.array(found or [True] * count),
    )


def test_threshold_lies_in_the_middle_of_the_gap() -> None:
    pairs = scored([0.8, 0.9], [0.2, 0.4])
    assert best_threshold(pairs.similarities, pairs.same) == pytest.approx(0.6)


def test_threshold_makes_the_fewest_errors_where_there_is_no_gap() -> None:
    pairs = scored([0.1, 0.7, 0.9], [0.2, 0.3, 0.8])
    threshold = best_threshold(pairs.similarities, pairs.same)
    errors = ((pairs.similarities >= threshold) != pairs.same).sum()
    assert errors == 2


@pytest.mark.parametrize(("same", "different"), [([0.5], []), ([], [0.5])])
def test_threshold_of_one_kind_alone_calls_all_of_it_right(same: list[float], different: list[float]) -> None:
    pairs = scored(same, different)
    threshold = best_threshold(pairs.similarities, pairs.same)
    assert (pairs.similarities >= threshold).tolist() == pairs.same.tolist()


def test_a_folds_threshold_comes_from_the_other_folds() -> None:
    """Fold 2 could be parted at 0.35, but fold 1 says 0.6: each has one wrong."""
    pairs = scored([0.7, 0.4], [0.5, 0.3], folds=[1, 2, 1, 2])
    assert fold_accuracies(pairs) == [0.5, 0.5]


def test_a_face_that_was_not_found_is_an_error_even_when_refusing_is_right() -> None:
    pairs = scored([0.9, 0.9], [0.1, 0.0], folds=[1, 2, 1, 2], found=[True, True, True, False])
    assert fold_accuracies(pairs) == [1.0, 0.5]
    assert fold_accuracies(found_only(pairs)) == [1.0, 1.0]


def test_true_accepts_at_a_rate_of_false_ones() -> None:
    """Of ten impostors at most one may pass at 10 %, none at 1 %."""
    impostors = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.8]
    pairs = scored([0.3, 0.6, 0.7, 0.9], impostors)
    assert tar_at_far(pairs, 0.1) == 0.75
    assert tar_at_far(pairs, 0.01) == 0.25


def test_an_impostor_as_similar_as_the_threshold_does_not_slip_through() -> None:
    assert tar_at_far(scored([0.5, 0.9], [0.5, 0.1]), 0.4) == 0.5


def test_roc_rises_to_one() -> None:
    false_accepts, true_accepts = roc(scored([0.9, 0.3], [0.5, 0.1]))
    assert true_accepts.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert false_accepts.tolist() == [0.0, 0.5, 0.5, 1.0]
