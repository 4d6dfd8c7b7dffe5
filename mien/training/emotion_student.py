"""The student network: 4,005,381 parameters that read an expression from a grey face, trained with Keras.

Keras and TensorFlow are imported when the first network is built: everything else works without them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.dataset.augment import vary
from mien.runtime.jobs import write_whole
from mien.training.dense_network import Epoch, load_keras
from model_repo.emotion_classifier.student import (
    FILTERS,
    GREY_DEVIATION,
    GREY_MEAN,
    HIDDEN_UNITS,
    NORMALISED_AFTER,
    STUDENT_SIDE,
    StudentWeights,
)

# Chosen by how well 50 faces were learnt by heart in 25 epochs.
_L2: Final = 1e-4
_DROPOUT: Final = 0.25
_MOMENTUM: Final = 0.9
"""Of the moving averages. Keras's own 0.99 lags for hundreds of steps, in which the network reads nothing."""
_WARM_UP_STEPS: Final = 1000
"""In which the learning rate rises. Adam's first steps are as long as later ones, and at 0.001 they silence
most of the last convolutions before these have learnt anything."""
_CHUNK: Final = 64
_TELL_SHARE: Final = 20
_TINY: Final = 1e-7
_BRIGHTNESS: Final = 25.0
_CONTRAST_RANGE: Final = (0.75, 1.25)


@dataclass(frozen=True)
class FaceSamples:
    """Aligned faces uint8 RGB (N, 112, 112, 3) and their classes int64 (N,)."""

    images_rgb: NDArray[np.uint8]
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class StudentSchedule:
    """How long and how fast the student learns."""

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float


def build_student(classes: int) -> Any:
    """Return the untrained network as a Keras model: grey as :func:`grey_input` makes it → probabilities.

    Each convolution is 3×3 without padding and is halved by a pool; a picture of 224 pixels ends as one of
    1×1×512. A test counts the parameters.
    """
    keras = load_keras(with_onednn=True)
    layers = keras.layers
    regularizer = keras.regularizers.L2(_L2)

    model = keras.Sequential(
        [keras.Input((STUDENT_SIDE, STUDENT_SIDE, 1), name="grey")], name="emotion_student"
    )
    for index, filters in enumerate(FILTERS):
        model.add(layers.Conv2D(filters, 3, activation="relu", kernel_regularizer=regularizer))
        model.add(layers.MaxPooling2D(2))
        if index in NORMALISED_AFTER:
            model.add(layers.BatchNormalization(momentum=_MOMENTUM))
    model.add(layers.Flatten())
    for units in HIDDEN_UNITS:
        model.add(layers.Dropout(_DROPOUT))
        model.add(layers.Dense(units, activation="relu", kernel_regularizer=regularizer))
    model.add(layers.Dropout(_DROPOUT))
    model.add(layers.Dense(classes, activation="softmax"))
    return model


def train_student(
    training: FaceSamples,
    validation: FaceSamples,
    class_weights: Sequence[float],
    schedule: StudentSchedule,
    *,
    seed: int,
    folder: Path,
    on_epoch: Callable[[Epoch], None],
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Any, list[Epoch]]:
    """Train, or go on with what *folder* holds of a run that was stopped; return the best network and epochs.

    Args:
        class_weights: What a mistake in each class costs, so that rare classes count.
        folder: Keeps ``epochs.json``, the network after the last epoch, and the best one, ``model.keras``.
        on_step: Told how many faces of an epoch are done, and of how many.
    """
    keras = load_keras(with_onednn=True)
    keras.utils.set_random_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    best, history = folder / "model.keras", folder / "epochs.json"
    epochs: list[Epoch] = []
    if history.exists():
        epochs = msgspec.json.decode(history.read_bytes(), type=list[Epoch])
    model = (
        None if _is_over(epochs, schedule) else _network(folder, len(epochs), len(class_weights), schedule)
    )
    while not _is_over(epochs, schedule):
        number = len(epochs) + 1
        loss, accuracy = _one_epoch(
            model,
            training,
            class_weights,
            schedule.batch_size,
            generator_seed=(seed, number),
            on_step=on_step,
        )
        held_out = probabilities(model, validation.images_rgb)
        epoch = Epoch(number, loss, accuracy, *_judged(held_out, validation.classes), is_best=False)
        epoch = replace(epoch, is_best=not epochs or _merit(epoch) > _merit(_best(epochs)))
        if epoch.is_best:
            _save_whole(model, best)
        _save_whole(model, _last(folder, number))
        epochs.append(epoch)
        write_whole(history, msgspec.json.encode([asdict(epoch) for epoch in epochs]))
        _last(folder, number - 1).unlink(missing_ok=True)
        on_epoch(epoch)
    _last(folder, len(epochs)).unlink(missing_ok=True)
    return keras.models.load_model(best), epochs


def probabilities(model: Any, images_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what a student says of aligned faces uint8 RGB (N, H, W, 3): (N, classes); N may be 0."""
    chunks = [model.predict_on_batch(grey_input(images_rgb[rows])) for rows in _chunks(len(images_rgb))]
    return np.concatenate([np.empty((0, model.output_shape[1]), np.float32), *chunks])


def student_weights(model: Any) -> StudentWeights:
    """Return a trained student as arrays."""
    kinds: dict[str, list[list[NDArray[np.float32]]]] = {}
    for layer in model.layers:
        if layer.weights:
            kinds.setdefault(type(layer).__name__, []).append(layer.get_weights())
    return StudentWeights(
        convolutions=tuple((kernel, bias) for kernel, bias in kinds["Conv2D"]),
        normalisations=tuple(tuple(values) for values in kinds["BatchNormalization"]),  # type: ignore[misc]
        dense=tuple((kernel, bias) for kernel, bias in kinds["Dense"]),
    )


def grey_input(images_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return faces (N, H, W, 3) as the student takes them: grey around 0, (N, 224, 224, 1); N may be 0."""
    grey = np.empty((len(images_rgb), STUDENT_SIDE, STUDENT_SIDE, 1), np.float32)
    for row, image in enumerate(images_rgb):
        one = cv2.cvtColor(image.astype(np.float32), cv2.COLOR_RGB2GRAY)  # unrounded, as what is served
        grey[row, :, :, 0] = cv2.resize(one, (STUDENT_SIDE, STUDENT_SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray((grey / 255 - GREY_MEAN) / GREY_DEVIATION, np.float32)


def vary_light(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return a face turned, zoomed, shifted, perhaps mirrored, and in another light."""
    contrast = generator.uniform(*_CONTRAST_RANGE)
    brightness = generator.uniform(-_BRIGHTNESS, _BRIGHTNESS)
    return np.asarray(cv2.convertScaleAbs(vary(image, generator), alpha=contrast, beta=brightness), np.uint8)


def _network(folder: Path, epochs: int, classes: int, schedule: StudentSchedule) -> Any:
    """Return the network as it was after so many epochs."""
    keras = load_keras(with_onednn=True)
    if epochs:
        return keras.models.load_model(_last(folder, epochs))
    model = build_student(classes)
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.PolynomialDecay(0.0, _WARM_UP_STEPS, schedule.learning_rate)
        ),
        loss="categorical_crossentropy",
        metrics=["categorical_crossentropy", "accuracy"],
    )
    return model


def _is_over(epochs: Sequence[Epoch], schedule: StudentSchedule) -> bool:
    if not epochs:
        return False
    return len(epochs) >= schedule.epochs or len(epochs) - _best(epochs).number >= schedule.patience


def _one_epoch(
    model: Any,
    training: FaceSamples,
    class_weights: Sequence[float],
    batch_size: int,
    *,
    generator_seed: tuple[int, int],
    on_step: Callable[[int, int], None],
) -> tuple[float, float]:
    """Show every face once, in a new view; returns mean cross-entropy and accuracy while learning."""
    generator = np.random.default_rng(generator_seed)
    for layer in model.layers:  # what dropout draws is not kept with a network
        if hasattr(layer, "seed_generator"):
            layer.seed_generator.state.assign(generator.integers(2**32, size=2, dtype=np.uint32))
    order = generator.permutation(len(training.classes))
    one_hot, weights = np.eye(len(class_weights), dtype=np.float32), np.array(class_weights, np.float32)
    sums = np.zeros(2)
    steps = range(0, len(order), batch_size)
    told_every = max(len(steps) // _TELL_SHARE, 1)
    for step, start in enumerate(steps, start=1):
        rows = order[start : start + batch_size]
        images = np.stack([vary_light(training.images_rgb[row], generator) for row in rows])
        classes = training.classes[rows]
        model.reset_metrics()
        told = model.train_on_batch(
            grey_input(images), one_hot[classes], sample_weight=weights[classes], return_dict=True
        )
        sums += len(rows) * np.array([told["categorical_crossentropy"], told["accuracy"]])
        if step % told_every == 0 or step == len(steps):
            on_step(start + len(rows), len(order))
    loss, accuracy = sums / len(order)
    return float(loss), float(accuracy)


def _judged(said: NDArray[np.float32], classes: NDArray[np.int64]) -> tuple[float, float]:
    """Return mean cross-entropy and accuracy; N at least 1."""
    likely = np.maximum(said[np.arange(len(classes)), classes], _TINY)
    return float(-np.log(likely).mean()), float((said.argmax(axis=1) == classes).mean())


def _merit(epoch: Epoch) -> tuple[float, float]:
    return epoch.validation_accuracy, -epoch.validation_loss


def _best(epochs: Sequence[Epoch]) -> Epoch:
    return [epoch for epoch in epochs if epoch.is_best][-1]


def _last(folder: Path, number: int) -> Path:
    # Named after its epoch: what a run that is killed between two files leaves behind still belongs together.
    return folder / f"after-epoch-{number}.keras"


def _chunks(count: int) -> Iterator[slice]:
    return (slice(start, start + _CHUNK) for start in range(0, count, _CHUNK))


def _save_whole(model: Any, path: Path) -> None:
    draft = path.with_name(f"new-{path.name}")
    model.save(draft)
    draft.replace(path)
