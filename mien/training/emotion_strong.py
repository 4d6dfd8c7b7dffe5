"""The strong network: heads trained on what three carried networks see in a face and in new views of it.

Three heads that began differently vote, by the mean of their logits: one alone is right up to a point more or
less, as chance has it. Together they are one head with a wider hidden layer, which costs next to nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import IMAGES
from mien.dataset.augment import flip
from mien.dataset.split import PARTS, Part
from mien.runtime.quiet_openvino import openvino
from mien.training.dense_network import DenseNetwork, Epoch, Samples, Schedule, train_network
from mien.training.emotion_student import FaceSamples, vary_light
from mien.training.job import Tell
from model_repo import repository, saved_model
from model_repo.emotion_classifier.features import FEATURE_COUNT, FEATURES, HUMAN_COLUMNS, build_features
from model_repo.emotion_classifier.strong import Head
from model_repo.sources import FACE_API, HUMAN

# Chosen on the validation people of the shipped network's recipe.
_DROPOUT: Final = 0.5
_L2: Final = 1e-4
_LABEL_SMOOTHING: Final = 0.05
_HIDDEN_SHARE: Final = 0.5
_HEADS: Final = 3
_CHUNK: Final = 64


@dataclass(frozen=True)
class StrongSchedule:
    """How the head learns.

    Attributes:
        copies: New views of each training face beside the face itself.
    """

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    copies: int
    seed: int


def train_strong(
    samples: Mapping[Part, FaceSamples],
    class_weights: Sequence[float],
    schedule: StrongSchedule,
    *,
    model_repo: Path,
    folder: Path,
    tell: Tell,
    on_epoch: Callable[[Epoch], None],
) -> tuple[Head, list[Epoch], dict[Part, NDArray[np.float32]]]:
    """Train three heads as one; features that a run before has made are taken from *folder*.

    Args:
        on_epoch: Told the epochs of the first head.

    Returns:
        The head, still without labels and temperature; every epoch of the first; logits (N, C) of each part
        but training.
    """
    features = _features(samples, schedule, model_repo, folder, tell)
    classes = np.tile(samples["train"].classes, schedule.copies + 1)
    _hide_human(features["train"], np.random.default_rng(schedule.seed))
    heads: list[DenseNetwork] = []
    epochs: list[Epoch] = []
    for number in range(_HEADS):
        head, its_epochs = train_network(
            Samples(features["train"], classes),
            Samples(features["validation"], samples["validation"].classes),
            len(class_weights),
            Schedule(
                schedule.epochs,
                schedule.patience,
                schedule.batch_size,
                schedule.learning_rate,
                dropout=_DROPOUT,
                l2=_L2,
                label_smoothing=_LABEL_SMOOTHING,
            ),
            seed=schedule.seed * _HEADS + number,
            weights=np.array(class_weights, np.float32)[classes],
            on_epoch=partial(_tell_further, tell, number, schedule.epochs) if number else on_epoch,
        )
        heads.append(head)
        epochs = epochs or its_epochs
    whole = _voting(heads)
    return (
        Head(whole.hidden, whole.hidden_bias, whole.output, whole.output_bias),
        epochs,
        {part: whole.logits(features[part]) for part in PARTS if part != "train"},
    )


def _voting(heads: Sequence[DenseNetwork]) -> DenseNetwork:
    """Return the network whose logits are the mean of those of *heads*."""
    return DenseNetwork(
        hidden=np.concatenate([head.hidden for head in heads], axis=1),
        hidden_bias=np.concatenate([head.hidden_bias for head in heads]),
        output=np.concatenate([head.output for head in heads]) * np.float32(1 / len(heads)),
        output_bias=np.mean([head.output_bias for head in heads], axis=0, dtype=np.float32),
    )


def _tell_further(tell: Tell, number: int, epochs: int, epoch: Epoch) -> None:
    tell("further heads", (number - 1) * epochs + epoch.number, (_HEADS - 1) * epochs)


def _features(
    samples: Mapping[Part, FaceSamples], schedule: StrongSchedule, model_repo: Path, folder: Path, tell: Tell
) -> dict[Part, NDArray[np.float32]]:
    """Return the features of each part; those of training once for each view."""
    network = _feature_network(model_repo, folder)
    views = {part: schedule.copies + 1 if part == "train" else 1 for part in samples}
    total, done = sum(views[part] * len(one.classes) for part, one in samples.items()), 0
    features: dict[Part, NDArray[np.float32]] = {}
    for part in PARTS:
        images = samples[part].images_rgb
        rounds = []
        for view in range(views[part]):
            kept = folder / "features" / f"{part}-{view}.npy"
            if not kept.exists():
                seen = _see(network, images, view, schedule.seed, partial(_tell_more, tell, done, total))
                _write_whole(kept, seen)
            rounds.append(np.load(kept))
            done += len(images)
            tell("features", done, total)
        features[part] = np.concatenate(rounds)
    return features


def _tell_more(tell: Tell, before: int, total: int, done: int) -> None:
    tell("features", before + done, total)


def _hide_human(features: NDArray[np.float32], generator: np.random.Generator) -> None:
    """Show the mean instead of what `human` saw, at half of the samples.

    That network was trained on FER-2013, which faces to train on often come from: of these it is surer than
    of any others, and a head that learns from them alone trusts it too much. On people of FER-2013 that
    changes nothing; on other pictures it does (docs/emotion.md).
    """
    hidden = generator.random(len(features)) < _HIDDEN_SHARE
    features[hidden, HUMAN_COLUMNS] = features[:, HUMAN_COLUMNS].mean(axis=0)


def _feature_network(model_repo: Path, folder: Path) -> "openvino.CompiledModel":
    packages = [repository.fetch_package(package, model_repo) for package in (FACE_API, HUMAN)]
    place = folder / "feature-network"
    if not place.exists():
        place.mkdir(parents=True)
        saved_model.write(build_features(*packages), place)
    return openvino.Core().compile_model(str(place), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def _see(
    network: "openvino.CompiledModel",
    images: NDArray[np.uint8],
    view: int,
    seed: int,
    on_face: Callable[[int], None],
) -> NDArray[np.float32]:
    """Return the features of a view of faces, (N, F)."""
    features = np.empty((len(images), FEATURE_COUNT), np.float32)
    for start in range(0, len(images), _CHUNK):
        rows = range(start, min(start + _CHUNK, len(images)))
        chunk = [_view(images[row], view, (seed, view, row)) for row in rows]
        features[rows.start : rows.stop] = network({IMAGES: np.stack(chunk)})[FEATURES]
        on_face(rows.stop)
    return features


def _view(image: NDArray[np.uint8], view: int, seed: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return a face as it is (0), in a mirror (1), or turned, shifted and in another light (from 2)."""
    if view < 2:
        return flip(image) if view else image
    return vary_light(image, np.random.default_rng(seed))


def _write_whole(path: Path, features: NDArray[np.float32]) -> None:
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        np.save(file, features)
    draft.replace(path)
