"""Writes a trained student network as a graph; :mod:`mien.training.emotion_student` trains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.contracts.models import EMOTION_CLASSIFIER
from model_repo import layers
from model_repo.emotion_classifier.output import finish
from model_repo.layers import Weights
from model_repo.saved_model import Graph, Model

STUDENT_SIDE: Final = 224
FILTERS: Final = (32, 64, 128, 256, 512, 512)
"""Of the convolutions: 3×3, without padding, each followed by a pool that halves the map."""
HIDDEN_UNITS: Final = (128, 64)
NORMALISED_AFTER: Final = (1, 3, 5)
"""Convolutions, counted from 0, whose pool is followed by batch normalisation."""
# ITU-R BT.601, as OpenCV and Pillow turn pictures grey.
LUMA_RGB: Final = (0.299, 0.587, 0.114)
GREY_MEAN: Final = 0.5
"""Subtracted from grey, 0 to 1, before it is divided by GREY_DEVIATION: faces then spread around 0."""
GREY_DEVIATION: Final = 0.25
_EPSILON: Final = 1e-3
"""Keras's own, added to the variance."""


@dataclass(frozen=True)
class StudentWeights:
    """All float32, as Keras keeps them.

    Attributes:
        convolutions: Six kernels (3, 3, in, out) and biases (out,).
        normalisations: Three times scale, shift, mean and variance, each (channels,).
        dense: Three weights (in, out) and biases (out,); the last gives the logits of EMOTIONS.
    """

    convolutions: tuple[tuple[Weights, Weights], ...]
    normalisations: tuple[tuple[Weights, Weights, Weights, Weights], ...]
    dense: tuple[tuple[Weights, Weights], ...]


def build_student(weights: StudentWeights, labels: Sequence[str], *, temperature: float) -> Model:
    """Return the model: uint8 RGB faces → grey → the student → logits over *temperature* → probabilities.

    Args:
        labels: Of the logits, each one of EMOTIONS.
    """
    graph = Graph()
    size = EMOTION_CLASSIFIER.size
    x = layers.image_input(graph, size, (0.0, 0.0, 0.0))
    x = layers.grey(graph, "grey", x, LUMA_RGB)
    x = layers.resize(graph, "enlarge", x, STUDENT_SIDE)
    x = layers.subtract(graph, "centred", x, (255 * GREY_MEAN,))
    x = layers.scale(graph, "unit", x, 1 / (255 * GREY_DEVIATION))
    for index, (kernel, bias) in enumerate(weights.convolutions):
        name = f"conv{index}"
        x = layers.relu(
            graph, f"{name}/relu", layers.convolution(graph, name, x, kernel, bias, padding="VALID")
        )
        x = layers.max_pool(graph, f"{name}/pool", x, 2, stride=2)
        if index in NORMALISED_AFTER:
            x = _normalise(graph, f"normalise{index}", x, weights, NORMALISED_AFTER.index(index))
    # The last map is 1 by 1: its average is its only value.
    x = layers.global_average(graph, "flatten", x)
    *hidden, last = weights.dense
    for index, (matrix, bias) in enumerate(hidden):
        product = layers.dense(graph, f"dense{index}/product", x, matrix)
        x = layers.relu(graph, f"dense{index}/relu", layers.bias_add(graph, f"dense{index}", product, bias))
    logits = layers.bias_add(graph, "logits", layers.dense(graph, "logits/product", x, last[0]), last[1])
    return finish(graph, logits, labels, temperature=temperature)


def _normalise(graph: Graph, name: str, x: str, weights: StudentWeights, index: int) -> str:
    scale, shift, mean, variance = weights.normalisations[index]
    factor = (scale / np.sqrt(variance + np.float32(_EPSILON))).astype(np.float32)
    return layers.bias_add(
        graph, name, layers.multiply(graph, f"{name}/scaled", x, factor), shift - mean * factor
    )
