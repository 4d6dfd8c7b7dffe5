"""Are two pictures of one person? LFW's protocol, and the trade between false and true accepts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.evaluate.identity.data import Pair
from mien.evaluate.identity.embeddings import Vectors

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ScoredPairs:
    """Pairs with their similarity; arrays run in parallel, shape (N,).

    Attributes:
        same: Whether both pictures show one person.
        found: Whether a face was found in both; where not, any answer counts as wrong.
    """

    similarities: Floats
    same: Flags
    folds: NDArray[np.int64]
    found: Flags


def score_pairs(pairs: Sequence[Pair], vectors: Vectors) -> ScoredPairs:
    """Compare the pictures of each pair."""
    a, b = vectors.of(pair.a for pair in pairs), vectors.of(pair.b for pair in pairs)
    return ScoredPairs(
        similarities=np.einsum("nd,nd->n", a, b, dtype=np.float64),
        same=np.array([pair.same for pair in pairs]),
        folds=np.array([pair.fold for pair in pairs]),
        found=np.array([pair.a in vectors and pair.b in vectors for pair in pairs]),
    )


def found_only(scored: ScoredPairs) -> ScoredPairs:
    """Return the pairs in which both faces were found."""
    kept = scored.found
    return ScoredPairs(scored.similarities[kept], scored.same[kept], scored.folds[kept], scored.found[kept])


def best_threshold(similarities: Floats, same: Flags) -> float:
    """Return the similarity that parts pairs with the fewest errors, half-way between its neighbours."""
    order = np.argsort(similarities)
    ordered, labels = similarities[order], same[order]
    # Errors when everything before a position is called different, and everything from it on the same.
    rejected = np.concatenate([[0], np.cumsum(labels)])
    accepted = np.concatenate([[0], np.cumsum(~labels)])
    errors = rejected + (accepted[-1] - accepted)
    position = int(errors.argmin())
    edges = np.concatenate([[ordered[0] - 1], ordered, [ordered[-1] + 1]])
    return float((edges[position] + edges[position + 1]) / 2)


def fold_accuracies(scored: ScoredPairs) -> list[float]:
    """Return the accuracy on each fold, by the threshold that is best on the others (LFW's protocol).

    Source: Huang et al., "Labeled Faces in the Wild", technical report 07-49, 2007, view 2.
    """
    accuracies = []
    for fold in np.unique(scored.folds):
        here = scored.folds == fold
        threshold = best_threshold(scored.similarities[~here], scored.same[~here])
        right = (scored.similarities[here] >= threshold) == scored.same[here]
        accuracies.append(float((right & scored.found[here]).mean()))
    return accuracies


def tar_at_far(scored: ScoredPairs, far: float) -> float:
    """Return the share of pairs of one person accepted where at most *far* of the others are."""
    impostors = np.sort(scored.similarities[~scored.same])[::-1]
    allowed = int(far * len(impostors) + 1e-9)
    # Above the first impostor that may not pass; a similarity equal to it would let it pass too.
    return float((scored.similarities[scored.same] > impostors[allowed]).mean())


def roc(scored: ScoredPairs) -> tuple[Floats, Floats]:
    """Return false and true accept rates, both rising, for every threshold."""
    order = np.argsort(-scored.similarities, kind="stable")
    same = scored.same[order]
    return np.cumsum(~same) / (~same).sum(), np.cumsum(same) / same.sum()
