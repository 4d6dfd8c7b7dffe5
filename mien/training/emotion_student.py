"""The student network: 4,005,381 parameters that read an expression from a grey face, trained with Keras.

Keras and TensorFlow are imported when the first network is built: everything else works without them.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.dataset.augment import vary
from mien.training.dense_network import Epoch, load_keras
from model_repo.emotion_classifier.student import STUDENT_SIDE, StudentWeights

_L2: Final = 1e-4
_DROPOUT: Final = 0.5
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
    """Return the untrained network as a Keras model: grey (N, 224, 224, 1), 0 to 1 → probabilities.

    Each convolution is 3×3 without padding and is halved by a pool; a picture of 224 pixels ends as one of
    1×1×512. A test counts the parameters.
    """
    keras = load_keras()
    layers = keras.layers
    regularizer = keras.regularizers.L2(_L2)

    def convolve(filters: int) -> list[Any]:
        return [
            layers.Conv2D(filters, 3, activation="relu", kernel_regularizer=regularizer),
            layers.MaxPooling2D(2),
        ]

    return keras.Sequential(
        [
            keras.Input((STUDENT_SIDE, STUDENT_SIDE, 1), name="grey"),
            *convolve(32),
            *convolve(64),
            layers.BatchNormalization(),
            *convolve(128),
            *convolve(256),
            layers.BatchNormalization(),
            *convolve(512),
            *convolve(512),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dropout(_DROPOUT),
            layers.Dense(128, activation="relu", kernel_regularizer=regularizer),
            layers.Dropout(_DROPOUT),
            layers.Dense(64, activation="relu", kernel_regularizer=regularizer),
            layers.Dropout(_DROPOUT),
            layers.Dense(classes, activation="softmax"),
        ],
        name="emotion_student",
    )


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
        folder: Keeps ``last.keras`` and ``epochs.json`` after every epoch, ``model.keras`` of the best one.
        on_step: Told how many faces of an epoch are done, and of how many.
    """
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    last, best, history = folder / "last.keras", folder / "model.keras", folder / "epochs.json"
    if history.exists():
        epochs = msgspec.json.decode(history.read_bytes(), type=list[Epoch])
        model = keras.models.load_model(last)
    else:
        epochs = []
        model = build_student(len(class_weights))
        model.compile(
            optimizer=keras.optimizers.Adam(schedule.learning_rate),
            loss="categorical_crossentropy",
            metrics=["accuracy"],
        )
    held_out = grey_input(validation.images_rgb)
    held_out_classes = keras.utils.to_categorical(validation.classes, len(class_weights))
    for number in range(len(epochs) + 1, schedule.epochs + 1):
        if epochs and number - _best(epochs).number > schedule.patience:
            break
        figures = _one_epoch(
            model,
            training,
            class_weights,
            schedule.batch_size,
            generator_seed=(seed, number),
            on_step=on_step,
        )
        loss, accuracy = model.evaluate(held_out, held_out_classes, batch_size=schedule.batch_size, verbose=0)
        is_best = not epochs or (accuracy, -loss) > (
            _best(epochs).validation_accuracy,
            -_best(epochs).validation_loss,
        )
        epochs.append(Epoch(number, *figures, float(loss), float(accuracy), is_best))
        for path in (best, last) if is_best else (last,):
            _save_whole(model, path)
        history.write_bytes(msgspec.json.encode([asdict(epoch) for epoch in epochs]))
        on_epoch(epochs[-1])
    return keras.models.load_model(best), epochs


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
    """Return faces (N, H, W, 3) as the student takes them: grey (N, 224, 224, 1), 0 to 1; N may be 0."""
    grey = np.empty((len(images_rgb), STUDENT_SIDE, STUDENT_SIDE, 1), np.float32)
    for row, image in enumerate(images_rgb):
        one = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        grey[row, :, :, 0] = cv2.resize(one, (STUDENT_SIDE, STUDENT_SIDE), interpolation=cv2.INTER_LINEAR)
    return grey / np.float32(255)


def vary_light(image: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return a face turned, zoomed, shifted, perhaps mirrored, and in another light."""
    contrast = generator.uniform(*_CONTRAST_RANGE)
    brightness = generator.uniform(-_BRIGHTNESS, _BRIGHTNESS)
    return np.asarray(cv2.convertScaleAbs(vary(image, generator), alpha=contrast, beta=brightness), np.uint8)


def _one_epoch(
    model: Any,
    training: FaceSamples,
    class_weights: Sequence[float],
    batch_size: int,
    *,
    generator_seed: tuple[int, int],
    on_step: Callable[[int, int], None],
) -> tuple[float, float]:
    """Show every face once, in a new view; returns mean loss and accuracy while learning."""
    generator = np.random.default_rng(generator_seed)
    order = generator.permutation(len(training.classes))
    one_hot, weights = np.eye(len(class_weights), dtype=np.float32), np.array(class_weights, np.float32)
    loss = accuracy = 0.0
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        images = np.stack([vary_light(training.images_rgb[row], generator) for row in rows])
        classes = training.classes[rows]
        loss, accuracy = model.train_on_batch(
            grey_input(images), one_hot[classes], sample_weight=weights[classes]
        )
        on_step(start + len(rows), len(order))
    model.reset_metrics()
    return float(loss), float(accuracy)


def _best(epochs: Sequence[Epoch]) -> Epoch:
    return [epoch for epoch in epochs if epoch.is_best][-1]


def _save_whole(model: Any, path: Path) -> None:
    draft = path.with_name(f"new-{path.name}")
    model.save(draft)
    draft.replace(path)
