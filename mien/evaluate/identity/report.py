"""The figures of an evaluation as the rows of its tables, and the picture of the trade they are points of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure

from mien.bench.plots import save_plot
from mien.contracts.models import Embedder
from mien.evaluate.identity.data import (
    Enrolled,
    People,
    lfw_gallery,
    lfw_strangers,
    reported,
    small_set,
    tuning,
)
from mien.evaluate.identity.embeddings import Vectors
from mien.evaluate.identity.identification import Templates, closed_set_accuracies, threshold_at
from mien.evaluate.identity.verification import ScoredPairs, fold_accuracies, found_only, roc, tar_at_far

CLOSED_SET_PEOPLE: Final = 18
CLOSED_SET_DRAWS: Final = 100
SEED: Final = 18
FALSE_ACCEPT_RATES: Final = (0.01, 0.001)
TRACK_SHOTS: Final = 3
_ENROLLED_PICTURES: Final = 3

Row = dict[str, Any]


def accuracy_row(name: str, scored: ScoredPairs, vectors: Vectors, costs: Sequence[float]) -> Row:
    """Return how well an embedder does on LFW, and what a face costs."""
    folds, people = fold_accuracies(scored), lfw_gallery()

    def closed_set(shots: int) -> float:
        draw = closed_set_accuracies(
            people, vectors, size=CLOSED_SET_PEOPLE, draws=CLOSED_SET_DRAWS, seed=SEED, shots=shots
        )
        return _rounded(fmean(draw))

    return {
        "embedder": name,
        "lfw_accuracy": _rounded(fmean(folds)),
        "lfw_accuracy_std": _rounded(pstdev(folds)),
        "tar_at_far_0_01": _rounded(tar_at_far(scored, 0.01)),
        "tar_at_far_0_001": _rounded(tar_at_far(scored, 0.001)),
        "closed_set_18_people_one_photo": closed_set(1),
        "closed_set_18_people_two_photos": closed_set(2),
        "cpu_ms_per_face": round(median(costs), 2) if costs else None,
    }


def open_set_rows(embedder: Embedder, vectors: Vectors) -> list[Row]:
    """Return whom the reported gallery names, by thresholds that were chosen on the tuning one."""
    people, strangers = lfw_gallery(), lfw_strangers()
    chosen_on = Templates(tuning(people), vectors).ask_strangers(tuning(strangers))
    rows = []
    for rate in FALSE_ACCEPT_RATES:
        threshold = threshold_at(chosen_on, margin=0.0, false_accept_rate=rate)
        row: Row = {"embedder": embedder.name, "chosen_at_far": rate, "threshold": round(threshold, 4)}
        rows.append(row | named_at(vectors, accept_similarity=threshold, margin=0.0))
    return rows


def named_at(vectors: Vectors, *, accept_similarity: float, margin: float) -> Row:
    """Return who of the reported people and strangers is named, from one photo and from three."""
    gallery, strangers = Templates(reported(lfw_gallery()), vectors), reported(lfw_strangers())
    row: Row = {}
    for shots, word in ((1, "one_photo"), (TRACK_SHOTS, "three_photos")):
        known, unknown = gallery.ask_known(shots=shots), gallery.ask_strangers(strangers, shots=shots)
        named = known.named(accept_similarity=accept_similarity, margin=margin)
        named_strangers = unknown.named(accept_similarity=accept_similarity, margin=margin)
        row |= {
            f"dir_{word}": _rounded(float((named & known.right).mean())),
            f"wrong_names_{word}": int((named & ~known.right).sum()),
            f"strangers_named_{word}": f"{int(named_strangers.sum())} of {len(named_strangers)}",
        }
    return row


def other_set_row(name: str, embedder: Embedder, vectors: Vectors) -> Row:
    """Return how an embedder does on the reported half of another set, with few enrolled pictures."""
    people = reported(small_set(name))
    enrolled = {
        person: Enrolled(paths[:_ENROLLED_PICTURES], paths[_ENROLLED_PICTURES:])
        for person, paths in people.items()
    }
    return {
        "set": name,
        "embedder": embedder.name,
        "people": len(people),
        "rank_1": _rounded(float(Templates(enrolled, vectors).ask_known().right.mean())),
        "tar_at_far_0_01": _rounded(tar_at_far(all_pairs(people, vectors), 0.01)),
        "pictures": sum(map(len, people.values())),
        "without_a_found_face": sum(path not in vectors for paths in people.values() for path in paths),
    }


def peer_row(
    peer: str,
    network: str,
    scored: ScoredPairs | None,
    costs: Sequence[float],
    ours: str,
    our_costs: Sequence[float],
) -> Row:
    """Return a peer's figures beside one of our embedders; the spread is over all pairs of rounds."""
    ratios = sorted(theirs / mine for theirs in costs for mine in our_costs)
    folds = fold_accuracies(scored) if scored else None
    return {
        "peer": peer,
        "network": network,
        "lfw_accuracy": _rounded(fmean(folds)) if folds else None,
        "lfw_accuracy_std": _rounded(pstdev(folds)) if folds else None,
        "lfw_accuracy_where_found": _rounded(fmean(fold_accuracies(found_only(scored)))) if scored else None,
        "pairs_without_a_found_face": int((~scored.found).sum()) if scored else None,
        "cpu_ms_per_face": round(median(costs), 2),
        "beside": ours,
        "cpu_ratio": round(median(ratios), 2),
        "cpu_ratio_spread": f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
    }


def all_pairs(people: People, vectors: Vectors) -> ScoredPairs:
    """Compare every picture with every other one."""
    labelled = [(number, path) for number, paths in enumerate(people.values()) for path in paths]
    values = vectors.of(path for _, path in labelled)
    names = np.array([number for number, _ in labelled])
    found = np.array([path in vectors for _, path in labelled])
    first, second = np.triu_indices(len(labelled), k=1)
    return ScoredPairs(
        similarities=(values @ values.T)[first, second].astype(np.float64),
        same=names[first] == names[second],
        folds=np.zeros(len(first), np.int64),
        found=found[first] & found[second],
    )


def plot_roc(scored: Mapping[str, ScoredPairs], name: str = "identity") -> Path:
    """Draw true accepts over false accepts of LFW's pairs for each embedder and peer."""
    figure = Figure(figsize=(6.4, 4.4))
    axes = figure.subplots()
    for label, pairs in scored.items():
        false_accepts, true_accepts = roc(pairs)
        axes.step(np.maximum(false_accepts, 3e-4), true_accepts, where="post", label=label)
    axes.set(
        xscale="log",
        xlim=(3e-4, 1),
        ylim=(0.8, 1.002),
        xlabel="false accepts (pairs of two people called the same)",
        ylabel="true accepts (pairs of one person called the same)",
        title="LFW, folds 1 to 5, 3,000 pairs",
    )
    axes.legend(loc="lower right")
    return save_plot(figure, name)


def _rounded(share: float) -> float:
    return round(share, 4)
