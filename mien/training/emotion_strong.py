"""The strong network: a head trained on what two carried networks see in each face and in new views of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import IMAGES
from mien.dataset.augment import flip
from mien.dataset.split import PARTS, Part
from mien.runtime.quiet_openvino import openvino
from mien.training.dense_network import Epoch, Samples, Schedule, train_network
from mien.training.emotion_student import FaceSamples, vary_light
from mien.training.job import Tell
from model_repo import repository, saved_model
from model_repo.emotion_classifier.features import FEATURE_COUNT, FEATURES, build_features
from model_repo.emotion_classifier.strong import Head
from model_repo.sources import FACE_API, HUMAN

# Chosen by accuracy on the validation people of the shipped network's recipe.
_DROPOUT: Final = 0.5
_L2: Final = 1e-4
_LABEL_SMOOTHING: Final = 0.05
_CHUNK: Final = 64


def train_strong(
    samples: Mapping[Part, FaceSamples],
    class_weights: Sequence[float],
    schedule: Schedule,
    *,
    copies: int,
    seed: int,
    model_repo: Path,
    folder: Path,
    tell: Tell,
    on_epoch: Callable[[Epoch], None],
) -> tuple[Head, list[Epoch], dict[Part, NDArray[np.float32]]]:
    """Train a head; features that a run before has made are taken from *folder*.

    Args:
        copies: New views of each training face beside the face itself.

    Returns:
        The head, still without labels and temperature; every epoch; logits (N, C) of each part.
    """
    network = _feature_network(model_repo, folder)
    total = sum(len(one.classes) * (copies + 1 if part == "train" else 1) for part, one in samples.items())
    done = 0
    features: dict[Part, NDArray[np.float32]] = {}
    for part in PARTS:
        views = copies + 1 if part == "train" else 1
        rounds = []
        for view in range(views):
            images = samples[part].images_rgb
            for_this = _kept(folder / "features" / f"{part}-{view}.npy", network, images, view, seed)
            rounds.append(for_this)
            done += len(images)
            tell("features", done, total)
        features[part] = np.concatenate(rounds)
    classes = np.tile(samples["train"].classes, copies + 1)
    dense, epochs = train_network(
        Samples(features["train"], classes),
        Samples(features["validation"], samples["validation"].classes),
        len(class_weights),
        replace(schedule, dropout=_DROPOUT, l2=_L2, label_smoothing=_LABEL_SMOOTHING),
        seed=seed,
        weights=np.array(class_weights, np.float32)[classes],
        on_epoch=on_epoch,
        keras_path=folder / "model.keras",
    )
    head = Head(dense.hidden, dense.hidden_bias, dense.output, dense.output_bias)
    return head, epochs, {part: dense.logits(features[part]) for part in PARTS if part != "train"}


def _feature_network(model_repo: Path, folder: Path) -> "openvino.CompiledModel":
    packages = [repository.fetch_package(package, model_repo) for package in (FACE_API, HUMAN)]
    place = folder / "feature-network"
    if not place.exists():
        place.mkdir(parents=True)
        saved_model.write(build_features(*packages), place)
    return openvino.Core().compile_model(str(place), "CPU")


def _kept(
    path: Path, network: "openvino.CompiledModel", images: NDArray[np.uint8], view: int, seed: int
) -> NDArray[np.float32]:
    """Return the features of a view of faces."""
    if path.exists():
        return np.asarray(np.load(path), np.float32)
    features = np.empty((len(images), FEATURE_COUNT), np.float32)
    for start in range(0, len(images), _CHUNK):
        rows = range(start, min(start + _CHUNK, len(images)))
        chunk = [_view(images[row], view, (seed, view, row)) for row in rows]
        features[rows.start : rows.stop] = network({IMAGES: np.stack(chunk)})[FEATURES]
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".new")
    with draft.open("wb") as file:
        np.save(file, features)
    draft.replace(path)
    return features


def _view(image: NDArray[np.uint8], view: int, seed: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return a face as it is (0), in a mirror (1), or turned, shifted and in another light (from 2)."""
    if view < 2:
        return flip(image) if view else image
    return vary_light(image, np.random.default_rng(seed))
