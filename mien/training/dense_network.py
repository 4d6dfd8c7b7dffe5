"""The small network on top of embeddings: Dense 128, then one output per class, trained with Keras.

Keras and TensorFlow are imported when the first network is built: everything else works without them.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

HIDDEN_UNITS: Final = 128
_LEAST_DEVIATION: Final = 1e-4
_SMALLEST_GAIN: Final = 1e-3
"""A loss that falls by less than this is no better: near zero it would fall for ever."""


@dataclass(frozen=True)
class Samples:
    """Vectors float32 (N, D) and their classes int64 (N,)."""

    vectors: NDArray[np.float32]
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns.

    Attributes:
        patience: Epochs without a better network after which it stops.
        dropout: Share of input values, and of hidden ones, that each step does without.
        l2: Penalty on the hidden weights.
        label_smoothing: Share of each label that goes to the others: labels may be wrong.
    """

    epochs: int = 200
    patience: int = 15
    batch_size: int = 64
    learning_rate: float = 1e-3
    dropout: float = 0.0
    l2: float = 0.0
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class Epoch:
    """How a network does after an epoch; ``is_best`` so far, by validation accuracy, then loss."""

    number: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    is_best: bool


@dataclass(frozen=True)
class DenseNetwork:
    """A trained network as arrays: ``softmax(relu(x @ hidden + hidden_bias) @ output + output_bias)``.

    The standardisation that training began with is folded into the hidden layer. Shapes (D, 128), (128,),
    (128, classes), (classes,), all float32.
    """

    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    output: NDArray[np.float32]
    output_bias: NDArray[np.float32]

    def logits(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the softmax takes, (N, classes), of vectors (N, D); N may be 0."""
        hidden = np.maximum(vectors @ self.hidden + self.hidden_bias, 0)
        return np.asarray(hidden @ self.output + self.output_bias, np.float32)

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return probabilities (N, classes) of vectors (N, D); N may be 0."""
        scores = self.logits(vectors)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True), dtype=np.float32)


def train_network(
    training: Samples,
    validation: Samples,
    classes: int,
    schedule: Schedule,
    *,
    seed: int,
    weights: NDArray[np.float32] | None = None,
    on_epoch: Callable[[Epoch], None] = lambda epoch: None,
    keras_path: Path | None = None,
) -> tuple[DenseNetwork, list[Epoch]]:
    """Train with Adam on categorical cross-entropy; returns the best network and every epoch.

    The same samples, schedule and seed give the same network on one machine.

    Args:
        weights: What a mistake about each training sample costs, shape (N,); None: all the same.
        keras_path: Where to keep the best network as Keras knows it (``.keras``); None keeps none.
    """
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    standardise = keras.layers.Normalization(name="standardise")
    standardise.adapt(training.vectors)
    hidden = keras.layers.Dense(
        HIDDEN_UNITS, activation="relu", kernel_regularizer=keras.regularizers.L2(schedule.l2), name="hidden"
    )
    model = keras.Sequential(
        [
            keras.Input((training.vectors.shape[1],), name="embeddings"),
            standardise,
            keras.layers.Dropout(schedule.dropout),
            hidden,
            keras.layers.Dropout(schedule.dropout),
            keras.layers.Dense(classes, activation="softmax", name="probabilities"),
        ],
        name="identity_classifier",
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule.learning_rate),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=schedule.label_smoothing),
        metrics=["accuracy"],
        # The network is so small that Python between two steps would take longer than a step.
        steps_per_execution=-(-len(training.vectors) // schedule.batch_size),
    )
    watch = _Watch(model, schedule.patience, on_epoch)
    model.fit(
        training.vectors,
        keras.utils.to_categorical(training.classes, classes),
        sample_weight=weights,
        validation_data=(validation.vectors, keras.utils.to_categorical(validation.classes, classes)),
        epochs=schedule.epochs,
        batch_size=schedule.batch_size,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=watch.epoch_ended)],
        verbose=0,
    )
    model.set_weights(watch.best_weights)
    if keras_path is not None:
        model.save(keras_path)
    return _as_arrays(model), watch.epochs


class _Watch:
    """Keeps the best network and ends training when none better comes.

    Accuracy alone would keep the first of many networks that are right about everything, and the least sure
    of itself: among equals the smaller loss counts.
    """

    def __init__(self, model: Any, patience: int, on_epoch: Callable[[Epoch], None]) -> None:
        self._model = model
        self._patience = patience
        self._on_epoch = on_epoch
        self._best: Epoch | None = None
        self.best_weights: list[NDArray[np.float32]] = []
        self.epochs: list[Epoch] = []

    def epoch_ended(self, index: int, logs: dict[str, float]) -> None:
        best = self._best
        is_best = (
            best is None
            or logs["val_accuracy"] > best.validation_accuracy
            or (
                logs["val_accuracy"] == best.validation_accuracy
                and logs["val_loss"] < best.validation_loss - _SMALLEST_GAIN
            )
        )
        epoch = Epoch(
            index + 1, logs["loss"], logs["accuracy"], logs["val_loss"], logs["val_accuracy"], is_best
        )
        if best is None or is_best:
            self._best = best = epoch
            self.best_weights = self._model.get_weights()
        self.epochs.append(epoch)
        self._on_epoch(epoch)
        if epoch.number - best.number >= self._patience:
            self._model.stop_training = True


def _as_arrays(model: Any) -> DenseNetwork:
    standardise, hidden, output = (
        model.get_layer(name) for name in ("standardise", "hidden", "probabilities")
    )
    mean = np.asarray(standardise.mean, np.float64).reshape(-1)
    deviation = np.sqrt(np.asarray(standardise.variance, np.float64).reshape(-1))
    kernel, bias = (np.asarray(weights, np.float64) for weights in hidden.get_weights())
    # What was always the same says nothing, and everything once it isn't: it has no say.
    scaled = (
        np.where(deviation > _LEAST_DEVIATION, 1 / np.maximum(deviation, _LEAST_DEVIATION), 0)[:, None]
        * kernel
    )
    output_kernel, output_bias = output.get_weights()
    return DenseNetwork(
        scaled.astype(np.float32),
        (bias - mean @ scaled).astype(np.float32),
        np.asarray(output_kernel, np.float32),
        np.asarray(output_bias, np.float32),
    )


def load_keras(*, with_onednn: bool = False) -> Any:
    """Import Keras, quiet and on the processor: the same seed gives the same network.

    Args:
        with_onednn: Convolutions in less than half the time, by sums whose order depends on the processor's
            kind. The first call in a process decides.
    """
    # TensorFlow reads these when it is imported: no messages about its parts, and no graphics cards.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1" if with_onednn else "0")
    import keras  # noqa: PLC0415 - takes seconds, and only training needs it
    import tensorflow as tf  # noqa: PLC0415

    tf.config.experimental.enable_op_determinism()
    return keras
