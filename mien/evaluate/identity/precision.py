"""What computing with less than float32 gains, and what it costs on LFW."""

from collections.abc import Sequence
from statistics import fmean, median, pstdev
from typing import Any, Final

import numpy as np

from mien.evaluate.identity.data import Pair
from mien.evaluate.identity.embeddings import Vectors
from mien.evaluate.identity.verification import fold_accuracies, score_pairs, tar_at_far

FASTEST: Final = {"PRECISION": "fastest"}
"""Setting of the model server: whatever the processor is fastest with; on older ones that is float32."""


def lower_precision_row(
    name: str,
    pairs: Sequence[Pair],
    vectors: Vectors,
    costs: Sequence[float],
    exact: Vectors,
    exact_costs: Sequence[float],
) -> dict[str, Any]:
    """Return how a model does on a server that was started with :data:`FASTEST`, beside float32.

    Costs are processor milliseconds of a face, one of each round; the spread of their ratio is over all
    pairs of rounds.
    """
    paths = sorted({path for pair in pairs for path in (pair.a, pair.b) if path in exact})
    likeness = np.einsum("nd,nd->n", vectors.of(paths), exact.of(paths))
    ratios = sorted(slow / fast for slow in exact_costs for fast in costs)
    scored = score_pairs(pairs, vectors)
    folds = fold_accuracies(scored)
    return {
        "embedder": name,
        "lfw_accuracy": round(fmean(folds), 4),
        "lfw_accuracy_std": round(pstdev(folds), 4),
        "tar_at_far_0_001": round(tar_at_far(scored, 0.001), 4),
        "least_similarity_to_float32": round(float(likeness.min()), 4),
        "cpu_ms_per_face": round(median(costs), 2),
        "cpu_ratio_of_float32": round(median(ratios), 2),
        "cpu_ratio_spread": f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
    }
