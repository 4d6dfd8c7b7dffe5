"""The student network with random weights, so that no test needs to train it."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMOTIONS
from model_repo.emotion_classifier.student import FILTERS, HIDDEN_UNITS, NORMALISED_AFTER, StudentWeights

Weights = NDArray[np.float32]


def random_student(*, seed: int, classes: int = len(EMOTIONS)) -> StudentWeights:
    """Return weights of the right shapes; values keep their size from layer to layer."""
    generator = np.random.default_rng(seed)

    def layer(*shape: int) -> tuple[Weights, Weights]:
        deviation = np.sqrt(2 / np.prod(shape[:-1]))
        kernel = generator.normal(0, deviation, shape).astype(np.float32)
        return kernel, generator.normal(0, 0.1, shape[-1]).astype(np.float32)

    def normalisation(channels: int) -> tuple[Weights, Weights, Weights, Weights]:
        values = generator.uniform(0.5, 1.5, (4, channels)).astype(np.float32)
        return values[0], values[1] - 1, values[2] - 1, values[3]

    sizes = (1, *FILTERS)
    units = (FILTERS[-1], *HIDDEN_UNITS, classes)
    return StudentWeights(
        convolutions=tuple(layer(3, 3, *pair) for pair in pairwise(sizes)),
        normalisations=tuple(normalisation(FILTERS[index]) for index in NORMALISED_AFTER),
        dense=tuple(layer(*pair) for pair in pairwise(units)),
    )


def weight_count(weights: StudentWeights) -> int:
    """Return how many numbers the network has."""
    layers = (*weights.convolutions, *weights.normalisations, *weights.dense)
    return sum(values.size for layer in layers for values in layer)
