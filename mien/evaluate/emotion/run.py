"""``mien evaluate emotion``: from labelled faces of people that no network of ours has seen to figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from mien.bench.record import MEASUREMENTS
from mien.contracts.models import EMOTION_CLASSIFIER, EMOTIONS
from mien.errors import PermanentError
from mien.evaluate.emotion import networks, rows
from mien.evaluate.emotion.networks import Answers, EngineNetwork, Images, Reading
from mien.evaluate.emotion.rows import Faces
from mien.training import emotion_figures as figures
from mien.training.emotion_data import LabelledFace
from mien.training.emotion_faces import RECIPE_FACES, AlignedFaces, align_pictures
from mien.training.emotion_recipe import OTHER, read_recipe, read_set
from mien.training.plots import draw_confusion, draw_reliability, draw_risk_coverage
from model_repo import labels, repository

DATA: Final = Path(__file__).parents[4] / "shared" / "data" / "emotion"
_COST_FACES: Final = 128


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
    faces = Faces(
        classes=np.array([EMOTIONS.index(face.label) for face in reported], np.int64),
        people=np.array([face.person for face in reported]),
    )
    version = options.version or _stable(options.model_repo)
    ours = rows.version_name(options.model_repo, version)
    readings = _read_all(options, ours, aligned.images_rgb, progress)
    best, accept = readings[ours].answers, EMOTION_CLASSIFIER.accept_probability
    _draw(readings, best, faces)
    network_rows = [rows.network_row(name, reading, faces) for name, reading in readings.items()]
    others = [row for row in network_rows if row["network"] not in rows.own_names(options.model_repo)]
    summary = rows.summary(best, faces, accept) | {
        "best_peer_accuracy_full_coverage": max((row["accuracy_five"] for row in others), default=None),
        "best_peer_accuracy_four_labels": max((row["accuracy_four"] for row in others), default=None),
        "faces": len(reported),
        "faces_not_found_by_the_detector": int((~aligned.found).sum()),
        "other_expressions_answered": _answered(options.model_repo, version, strange.images_rgb, accept),
        "networks": network_rows,
        "by_label": figures.class_rows(best, faces.classes, EMOTIONS),
        "by_set": rows.set_rows(readings, ours, faces, accept),
        "by_coverage": rows.coverage_rows(readings, faces),
    }
    record = {
        "cpu_ms_per_face_by_round": {name: reading.cpu_ms for name, reading in readings.items()},
        "version": version,
    }
    return [record], summary


def _stable(model_repo: Path) -> int:
    known = labels.read_labels(model_repo, EMOTION_CLASSIFIER.name)
    if labels.STABLE not in known:
        raise PermanentError(f"no version of {EMOTION_CLASSIFIER.name} is stable; run: mien models build")
    return known[labels.STABLE]


def _align(faces: list[LabelledFace], progress: Progress, name: str) -> AlignedFaces:
    task = progress.add_task(name, total=len(faces))
    return align_pictures(
        [Path(face.path) for face in faces],
        RECIPE_FACES,
        lambda done, total: progress.update(task, completed=done),
    )


def _read_all(options: Options, ours: str, images: Images, progress: Progress) -> dict[str, Reading]:
    """Ask every network about the same faces, ours first; costs are taken by turns."""
    root = options.model_repo
    versions = labels.versions(root, EMOTION_CLASSIFIER.name)
    engines: dict[str, EngineNetwork] = {
        rows.version_name(root, version): networks.served_network(root, version) for version in versions
    }
    engines = {ours: engines.pop(ours), **engines}
    if options.with_peers:
        engines[rows.HUMAN] = networks.human_network(root)
    sample = images[:: max(len(images) // _COST_FACES, 1)]
    task = progress.add_task("networks", total=len(engines) + options.rounds + options.with_peers)
    readings: dict[str, Reading] = {}
    for name, engine in engines.items():
        readings[name] = engine.read(images)
        progress.advance(task)
    for _ in range(options.rounds):
        for name, engine in engines.items():
            readings[name].cpu_ms.append(engine.cpu_ms(sample))
        progress.advance(task)
    if options.with_peers:
        readings[f"fer {networks.fer_version()}"] = networks.read_fer(images, sample, options.rounds)
        progress.advance(task)
    return readings


def _answered(model_repo: Path, version: int, images: Images, accept: float) -> float:
    """Return how often fear, disgust, surprise and contempt are called one of the five."""
    answers = networks.served_network(model_repo, version).read(images).answers
    return round(float((answers.max(axis=1) >= accept).mean()), 3) if len(answers) else 0.0


def _draw(readings: Mapping[str, Reading], best: Answers, faces: Faces) -> None:
    matrix: NDArray[np.int64] = figures.confusion(best, faces.classes, len(EMOTIONS))
    draw_confusion(matrix, EMOTIONS, MEASUREMENTS, "emotion-confusion")
    draw_reliability(figures.reliability(best, faces.classes), MEASUREMENTS, "emotion-reliability")
    curves = {name: figures.risk_coverage(one.answers, faces.classes) for name, one in readings.items()}
    draw_risk_coverage(curves, MEASUREMENTS, "emotion")
