"""Trains the identity classifier: embeddings → Dense 128 → one probability per person."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from mien.contracts.models import IDENTITY_CLASSIFIER, IdentityClasses
from mien.dataset.manifest import crop_path
from mien.training.dense_network import DenseNetwork, Epoch, Samples, Schedule, train_network
from mien.training.identity_data import IdentityData, IdentityOptions, read_identity_data
from mien.training.identity_figures import data_figures, epoch_figures, naming_figures, open_set_figures
from mien.training.job import Job, Tell
from mien.training.open_set import (
    HeldOutPeople,
    OpenSetCurve,
    Trials,
    hold_out_people,
    open_set_curve,
    people_folds,
)
from mien.training.plots import draw_confusion, draw_curves, draw_open_set
from mien.training.report import write_training_report
from model_repo import labels, repository
from model_repo.identity_classifier.build import build

_PACKAGES: Final = ("keras", "numpy", "opencv-python-headless", "openvino", "scikit-learn", "tensorflow-cpu")
_FALSE_ALARMS: Final = 0.01
# Where strangers are as sure as anybody, a threshold from the curve would accept nobody or everybody.
_ACCEPT_RANGE: Final = (0.5, 0.9999)


def train_identity(options: IdentityOptions, job: Job, tell: Tell) -> dict[str, Any]:
    """Train, measure, publish and report; returns the result, which lies in the job's folder too.

    Raises:
        PermanentError: The data set, its split or the embedder can't be used.
        LeakError: The split leaks.
    """
    data = read_identity_data(options, job.folder / "vectors", tell)
    schedule = Schedule(options.epochs, options.patience, options.batch_size, options.learning_rate)

    def tell_epoch(epoch: Epoch) -> None:
        figures = {key: value for key, value in asdict(epoch).items() if key not in {"number", "is_best"}}
        tell("training", epoch.number, options.epochs, **figures)

    network, epochs = train_network(
        data.samples["train"],
        data.samples["validation"],
        len(data.people),
        schedule,
        seed=options.seed,
        on_epoch=tell_epoch,
        keras_path=job.folder / "model.keras",
    )
    tell("training", len(epochs), len(epochs))  # it may have stopped early
    held_out = _hold_people_out(data, schedule, tell)
    curves = {name: open_set_curve(trials) for name, trials in held_out.items()}
    accept = _accept_probability(curves)
    published = _publish(job, data, network, accept) if options.publish else None
    test = data.samples["test"]
    result = {
        "job_id": job.job_id,
        "folder": str(job.folder),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "embedder": options.embedder,
        "embedder_version": options.embedder_version,
        "classes": len(data.people),
        "people_without_id": data.not_enrolled(),
        "test": naming_figures(
            network.probabilities(test.vectors), test.classes, data.names(), data.faces["test"]
        ),
        "epochs": epoch_figures(epochs),
        "open_set": open_set_figures(held_out, curves, _folds(data)) if curves else None,
        "open_set_left_out": "" if curves else _why_no_strangers(options),
        "accept_probability": accept,
        "version": published[0] if published else None,
        "label": published[1] if published else None,
        "data": data_figures(data),
        "options": msgspec.to_builtins(options),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
    }
    job.write_result(result)
    _write_report(job, data, epochs, curves, result)
    return result


def _hold_people_out(data: IdentityData, schedule: Schedule, tell: Tell) -> dict[str, Trials]:
    folds = _folds(data)
    if not folds:
        return {}

    seed = data.options.seed

    def train(training: Samples, validation: Samples, classes: int) -> DenseNetwork:
        return train_network(training, validation, classes, schedule, seed=seed)[0]

    trials: list[HeldOutPeople] = []
    for number, strangers in enumerate(people_folds(len(data.people), folds, seed), start=1):
        tell("strangers", number - 1, folds)
        trials.append(
            hold_out_people(
                strangers,
                len(data.people),
                training=data.samples["train"],
                validation=data.samples["validation"],
                test=data.samples["test"],
                templates=data.templates,
                train=train,
            )
        )
    tell("strangers", folds, folds)
    return {
        "classifier": Trials.joined([one.by_probability for one in trials]),
        "gallery": Trials.joined([one.by_similarity for one in trials]),
        "both": Trials.joined([one.by_both for one in trials]),
    }


def _publish(job: Job, data: IdentityData, network: DenseNetwork, accept: float) -> tuple[int, str]:
    options = data.options
    model = build(
        (network.hidden, network.hidden_bias),
        (network.output, network.output_bias),
        IdentityClasses(
            embedder=options.embedder,
            embedder_version=options.embedder_version,
            person_ids=data.person_ids(),
            accept_probability=accept,
        ),
    )
    root = Path(options.model_repo)
    origin = {"source": f"trained here: {len(data.people):,} people", "job": job.job_id}
    folder = repository.publish_next(model, root, IDENTITY_CLASSIFIER, origin=origin)
    with labels.locked(root):
        label = labels.label_new_version(root, IDENTITY_CLASSIFIER, int(folder.name))
    return int(folder.name), label


def _folds(data: IdentityData) -> int:
    """Groups of people that are held out; each leaves two people at least, or nothing is to be told apart."""
    folds = min(data.options.open_set_folds, len(data.people) // 2)
    return folds if folds >= 2 else 0


def _why_no_strangers(options: IdentityOptions) -> str:
    if options.open_set_folds < 2:
        return "it was turned off (--open-set-folds)"
    return "it needs two groups of at least two people"


def _accept_probability(curves: dict[str, OpenSetCurve]) -> float:
    low, high = _ACCEPT_RANGE
    if "classifier" not in curves:
        return high
    return float(np.clip(curves["classifier"].threshold_at(_FALSE_ALARMS), low, high))


def _write_report(
    job: Job,
    data: IdentityData,
    epochs: Sequence[Epoch],
    curves: Mapping[str, OpenSetCurve],
    result: Mapping[str, Any],
) -> None:
    pictures = {
        "curves": draw_curves(epochs, job.folder),
        "confusion": draw_confusion(np.array(result["test"]["confusion"]), data.names(), job.folder),
    }
    if curves:
        pictures["open_set"] = draw_open_set(curves, job.folder)
    faces = {face.face_id: crop_path(Path(data.options.data), face) for face in data.faces["test"]}
    wrong = {row["face"]: faces[row["face"]] for row in result["test"]["mistakes"]}
    write_training_report(job.folder, result, pictures, wrong)
