"""The figures about a trained identity classifier, ready for JSON and for the report."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import classification_report, confusion_matrix

from mien.dataset.manifest import Face
from mien.dataset.split import PARTS
from mien.training.dense_network import Epoch
from mien.training.identity_data import IdentityData
from mien.training.open_set import OpenSetCurve, Trials


def data_figures(data: IdentityData) -> dict[str, Any]:
    """Return what the network was trained and measured on."""
    return {
        "folder": data.options.data,
        "split_by": data.split.by,
        "split_seed": data.split.seed,
        "left_out": [data.dataset.people[key].name for key in data.split.left_out],
        "parts": {
            part: {
                "faces": len(data.faces[part]),
                "people": len({face.person for face in data.faces[part]}),
            }
            for part in PARTS
        },
    }


def epoch_figures(epochs: Sequence[Epoch]) -> dict[str, Any]:
    """Return how training went."""
    return {
        "run": len(epochs),
        "kept": [epoch.number for epoch in epochs if epoch.is_best][-1],
        "curves": [asdict(epoch) for epoch in epochs],
    }


def open_set_figures(
    held_out: Mapping[str, Trials], curves: Mapping[str, OpenSetCurve], folds: int
) -> dict[str, Any]:
    """Return how each judge does while strangers pass by."""
    some = next(iter(held_out.values()))
    return {
        "folds": folds,
        "known_faces": len(some.known_scores),
        "stranger_faces": len(some.stranger_scores),
        "judges": {
            name: {
                "named_at_1_percent": curve.named_at(0.01),
                "named_at_10_percent": curve.named_at(0.1),
            }
            for name, curve in curves.items()
        },
    }


def naming_figures(
    probabilities: NDArray[np.float32],
    classes: NDArray[np.int64],
    names: Sequence[str],
    faces: Sequence[Face],
) -> dict[str, Any]:
    """Return how held-out faces were named: over all, by person, and every mistake.

    Args:
        probabilities: Shape (N, classes).
        classes: Who they are, shape (N,).
        names: Of the classes.
        faces: The N faces.
    """
    said = probabilities.argmax(axis=1)
    columns = list(range(len(names)))
    report = classification_report(classes, said, labels=columns, output_dict=True, zero_division=0)
    return {
        "faces": len(classes),
        "accuracy": float((said == classes).mean()),
        "macro_f1": report["macro avg"]["f1-score"],
        "names": list(names),
        "confusion": confusion_matrix(classes, said, labels=columns).tolist(),
        "by_person": [
            {
                "name": names[column],
                "precision": report[str(column)]["precision"],
                "recall": report[str(column)]["recall"],
                "f1": report[str(column)]["f1-score"],
                "faces": int(report[str(column)]["support"]),
            }
            for column in columns
        ],
        "mistakes": [
            {
                "face": faces[row].face_id,
                "said": names[said[row]],
                "probability": float(probabilities[row].max()),
            }
            for row in np.flatnonzero(said != classes).tolist()
        ],
    }
