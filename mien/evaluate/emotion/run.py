"""``mien evaluate emotion``: from labelled faces to figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from mien.bench.record import MEASUREMENTS
from mien.contracts.models import EMOTION_CLASSIFIER, EMOTIONS
from mien.evaluate.emotion import networks
from mien.evaluate.emotion.networks import Answers, Reading
from mien.training import emotion_figures as figures
from mien.training.emotion_data import LabelledFace
from mien.training.emotion_faces import RECIPE_FACES, AlignedFaces, align_pictures
from mien.training.emotion_recipe import OTHER, read_recipe, read_set
from mien.training.plots import draw_confusion, draw_reliability, draw_risk_coverage
from model_repo import labels, repository

DATA: Final = Path(__file__).parents[4] / "shared" / "data" / "emotion"
COST_FACES: Final = 128
_TIRED: Final = EMOTIONS.index("tired")
_FACE_API: Final = "face-api expression"
_HUMAN: Final = "human emotion"
# A worker reads a face every 0.4 seconds by default (interval_seconds).
_READINGS_PER_SECOND: Final = 2.5
_FACES_OF_A_CAMERA: Final = 2


@dataclass(frozen=True)
class Options:
    """What to evaluate.

    Attributes:
        version: Of our model; None for the stable one.
        rounds: How often the cost of a face is measured.
    """

    version: int | None = None
    with_peers: bool = True
    rounds: int = 3
    model_repo: Path = repository.ROOT


def evaluate(options: Options, progress: Progress) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what was measured and its summary; also draws confusion, reliability and risk–coverage.

    Raises:
        PermanentError: The labelled faces or the model are not here.
        PeerError: A peer could not be run.
    """
    reported = read_recipe(DATA).part("test")
    outside = [face for face in read_set(DATA, "ckplus48") if face.label == OTHER]
    aligned = _align(reported, progress, "faces")
    strange = _align(outside, progress, "other expressions")
    classes = np.array([EMOTIONS.index(face.label) for face in reported], np.int64)
    sets = np.array([Path(face.person).parent.name for face in reported])
    version = options.version or labels.read_labels(options.model_repo, EMOTION_CLASSIFIER.name).get(
        labels.STABLE, 1
    )
    ours = f"Mien, version {version}"
    readings, costs = _read_all(options, version, ours, aligned.images_rgb, progress)
    strange_answers = networks.read_own(
        options.model_repo, version, strange.images_rgb, strange.images_rgb[:COST_FACES]
    ).answers
    best = readings[ours].answers
    accept = EMOTION_CLASSIFIER.accept_probability
    draw_confusion(
        figures.confusion(best, classes, len(EMOTIONS)), EMOTIONS, MEASUREMENTS, "emotion-confusion"
    )
    draw_reliability(figures.reliability(best, classes), MEASUREMENTS, "emotion-reliability")
    draw_risk_coverage(
        {name: figures.risk_coverage(reading.answers, classes) for name, reading in readings.items()},
        MEASUREMENTS,
        "emotion",
    )
    summary = _summary(best, classes, sets, accept)
    rows = [_network_row(name, reading, classes, costs[name]) for name, reading in readings.items()]
    peers = [row["accuracy_five"] for row in rows if row["network"] != ours]
    summary |= {
        "best_peer_accuracy_full_coverage": max(peers, default=None),
        "best_peer_accuracy_four_labels": max(
            (row["accuracy_four"] for row in rows if row["network"] != ours), default=None
        ),
        "faces": len(reported),
        "faces_not_found": int((~aligned.found).sum()),
        "other_expressions_answered": _share(strange_answers.max(axis=1) >= accept),
        "networks": rows,
        "by_label": figures.class_rows(best, classes, EMOTIONS),
        "by_set": _set_rows(readings, ours, classes, sets, accept),
    }
    record = {"cpu_ms_per_face_by_round": costs, "risk_coverage": _curve(best, classes), "version": version}
    return [record], summary


def _align(faces: list[LabelledFace], progress: Progress, name: str) -> AlignedFaces:
    task = progress.add_task(name, total=len(faces))
    return align_pictures(
        [Path(face.path) for face in faces],
        RECIPE_FACES,
        lambda done, total: progress.update(task, completed=done),
    )


def _read_all(
    options: Options, version: int, ours: str, images: NDArray[np.uint8], progress: Progress
) -> tuple[dict[str, Reading], dict[str, list[float]]]:
    # The same faces cost every network; every twentieth keeps the sets' shares.
    sample = images[:: max(len(images) // COST_FACES, 1)]
    task = progress.add_task("networks", total=options.rounds + 2)
    readings: dict[str, Reading] = {}
    costs: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for name, one in {ours: version, _FACE_API: 1}.items():
            readings[name] = networks.read_own(options.model_repo, one, images, sample)
            costs.setdefault(name, []).append(readings[name].cpu_ms)
        progress.advance(task)
    if options.with_peers:
        readings[_HUMAN] = networks.read_human(options.model_repo, images)
        progress.advance(task)
        fer = f"fer {networks.fer_version()}"
        readings[fer] = networks.read_fer(images)
        costs |= {_HUMAN: [], fer: [readings[fer].cpu_ms]}
    progress.update(task, completed=options.rounds + 2)
    return readings, costs


def _summary(
    answers: Answers, classes: NDArray[np.int64], sets: NDArray[np.str_], accept: float
) -> dict[str, Any]:
    point = figures.answers(answers, classes, accept)
    full = figures.answers(answers, classes, 0.0)
    return {
        "accuracy": round(point.accuracy, 4),
        "macro_f1": round(point.macro_f1, 4),
        "coverage": round(point.coverage, 4),
        "coverage_by_class": {
            EMOTIONS[one]: round(share, 3) for one, share in point.coverage_by_class.items()
        },
        "accept_probability": accept,
        "ece": round(figures.calibration_error(answers, classes), 4),
        "accuracy_full_coverage": round(full.accuracy, 4),
        "macro_f1_full_coverage": round(full.macro_f1, 4),
        "aurc": round(figures.risk_coverage(answers, classes).area, 4),
    }


def _network_row(
    name: str, reading: Reading, classes: NDArray[np.int64], costs: list[float]
) -> dict[str, Any]:
    five = figures.answers(reading.answers, classes, 0.0)
    awake = classes != _TIRED
    # On the four labels that everybody knows, nobody is asked about the fifth.
    four = figures.answers(reading.answers[awake][:, :_TIRED], classes[awake], 0.0)
    cpu_ms = median(costs) if costs else None
    per_camera = None if cpu_ms is None else cpu_ms * _READINGS_PER_SECOND * _FACES_OF_A_CAMERA
    return {
        "network": name,
        "accuracy_five": round(five.accuracy, 4),
        "macro_f1_five": round(five.macro_f1, 4),
        "accuracy_four": round(four.accuracy, 4),
        "macro_f1_four": round(four.macro_f1, 4),
        "ece": round(figures.calibration_error(reading.answers, classes), 4),
        "cpu_ms_per_face": None if cpu_ms is None else round(cpu_ms, 2),
        "cpu_ms_per_camera_second": None if per_camera is None else round(per_camera, 1),
    }


def _set_rows(
    readings: Mapping[str, Reading],
    ours: str,
    classes: NDArray[np.int64],
    sets: NDArray[np.str_],
    accept: float,
) -> list[dict[str, Any]]:
    rows = []
    for name in sorted(set(sets.tolist())):
        here = sets == name
        point = figures.answers(readings[ours].answers[here], classes[here], accept)
        rows.append(
            {
                "set": name,
                "faces": int(here.sum()),
                "accuracy_answered": round(point.accuracy, 4),
                "coverage": round(point.coverage, 3),
                "ece": round(figures.calibration_error(readings[ours].answers[here], classes[here]), 3),
                **{
                    network: round(figures.answers(reading.answers[here], classes[here], 0.0).accuracy, 4)
                    for network, reading in readings.items()
                },
            }
        )
    return rows


def _curve(answers: Answers, classes: NDArray[np.int64]) -> list[dict[str, float]]:
    curve = figures.risk_coverage(answers, classes)
    rows = np.linspace(0, len(classes) - 1, 21).astype(int)
    return [
        {"coverage": round(float(curve.coverage[row]), 3), "risk": round(float(curve.risk[row]), 4)}
        for row in rows
    ]


def _share(flags: NDArray[np.bool_]) -> float:
    return round(float(flags.mean()), 4)
