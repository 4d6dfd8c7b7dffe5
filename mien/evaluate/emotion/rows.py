"""The figures of ``mien evaluate emotion``, row by row."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMOTION_CLASSIFIER, EMOTIONS
from mien.evaluate.emotion.networks import Answers, Reading
from mien.training import emotion_figures as figures
from model_repo import labels
from model_repo.stamp import read_stamp

HUMAN: Final = "human emotion"
_FACE_API: Final = "face-api expression (version 1)"
_STRONG: Final = "Mien (version 2)"
_TIRED: Final = EMOTIONS.index("tired")
# A worker reads a face every 0.4 seconds at five pictures a second (interval_seconds).
_READINGS_PER_SECOND: Final = 2.5
_FACES_OF_A_CAMERA: Final = 2
_COVERAGES: Final = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True)
class Faces:
    """The truth about faces.

    Attributes:
        classes: Rows of EMOTIONS, (N,).
        people: ``SET/NAME`` of whose face it is, (N,).
    """

    classes: NDArray[np.int64]
    people: NDArray[np.str_]

    @property
    def sets(self) -> NDArray[np.str_]:
        """The data set that each face is of."""
        return np.array([person.split("/")[0] for person in self.people.tolist()])


def version_name(model_repo: Path, version: int) -> str:
    """Return how a version is called in the tables: by what it was made of."""
    stamp = read_stamp(model_repo / EMOTION_CLASSIFIER.name / str(version)) or {}
    network = stamp.get("network", "unknown")
    return {1: _FACE_API, 2: _STRONG}.get(version, f"{network} network (version {version})")


def own_names(model_repo: Path) -> set[str]:
    """Return the names of all versions that are ours, not a network that a package carries."""
    versions = labels.versions(model_repo, EMOTION_CLASSIFIER.name)
    return {version_name(model_repo, version) for version in versions} - {_FACE_API}


def summary(answers: Answers, faces: Faces, accept: float) -> dict[str, Any]:
    """Return the figures at the operating point, with their spread over people, and at full coverage."""
    point = figures.answers(answers, faces.classes, accept)
    full = figures.answers(answers, faces.classes, 0.0)
    between = figures.spread(answers, faces.classes, faces.people.tolist(), accept)
    return {
        "accuracy": round(point.accuracy, 4),
        "macro_f1": round(point.macro_f1, 4),
        "coverage": round(point.coverage, 4),
        "coverage_by_class": {
            EMOTIONS[one]: round(share, 3) for one, share in point.coverage_by_class.items()
        },
        **{f"{key}_95_percent": f"{low:.3f} to {high:.3f}" for key, (low, high) in between.items()},
        "accept_probability": accept,
        "ece": round(figures.calibration_error(answers, faces.classes), 4),
        "accuracy_full_coverage": round(full.accuracy, 4),
        "macro_f1_full_coverage": round(full.macro_f1, 4),
        "aurc": round(figures.risk_coverage(answers, faces.classes).area, 4),
    }


def network_row(name: str, reading: Reading, faces: Faces) -> dict[str, Any]:
    """Return how right a network is on five labels, and on the four that everybody knows, and its cost."""
    five = figures.answers(reading.answers, faces.classes, 0.0)
    awake = faces.classes != _TIRED
    # On the four labels that everybody knows, nobody is asked about the fifth.
    four = figures.answers(reading.answers[awake][:, :_TIRED], faces.classes[awake], 0.0)
    cpu_ms = median(reading.cpu_ms) if reading.cpu_ms else None
    per_camera = None if cpu_ms is None else cpu_ms * _READINGS_PER_SECOND * _FACES_OF_A_CAMERA
    return {
        "network": name,
        "accuracy_five": round(five.accuracy, 4),
        "macro_f1_five": round(five.macro_f1, 4),
        "accuracy_four": round(four.accuracy, 4),
        "macro_f1_four": round(four.macro_f1, 4),
        "ece": round(figures.calibration_error(reading.answers, faces.classes), 4),
        "cpu_ms_per_face": None if cpu_ms is None else round(cpu_ms, 2),
        "cpu_ms_per_camera_second": None if per_camera is None else round(per_camera, 1),
    }


def set_rows(readings: Mapping[str, Reading], ours: str, faces: Faces, accept: float) -> list[dict[str, Any]]:
    """Return for each data set what is answered, and every network's accuracy at full coverage."""
    table = []
    for name in sorted(set(faces.sets.tolist())):
        here = faces.sets == name
        classes = faces.classes[here]
        point = figures.answers(readings[ours].answers[here], classes, accept)
        table.append(
            {
                "set": name,
                "faces": int(here.sum()),
                "people": len(set(faces.people[here].tolist())),
                "accuracy_answered": round(point.accuracy, 4),
                "coverage": round(point.coverage, 3),
                "ece": round(figures.calibration_error(readings[ours].answers[here], classes), 3),
                **{
                    network: round(figures.answers(one.answers[here], classes, 0.0).accuracy, 4)
                    for network, one in readings.items()
                },
            }
        )
    return table


def coverage_rows(readings: Mapping[str, Reading], faces: Faces) -> list[dict[str, Any]]:
    """Return how often each network is right about the share of faces that it is surest of."""
    curves = {name: figures.risk_coverage(one.answers, faces.classes) for name, one in readings.items()}
    at = [max(round(coverage * len(faces.classes)) - 1, 0) for coverage in _COVERAGES]
    return [
        {
            "faces_answered": coverage,
            **{name: round(1 - float(one.risk[row]), 4) for name, one in curves.items()},
        }
        for coverage, row in zip(_COVERAGES, at, strict=True)
    ]
