"""The end that all emotion networks of ours have: calibrated probabilities in the columns of the contract."""

from collections.abc import Sequence

import numpy as np

from mien.contracts.models import EMOTION_CLASSIFIER, EMOTION_LABELS, IMAGES, PROBABILITIES
from model_repo import layers
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port


def finish(graph: Graph, logits: str, labels: Sequence[str], *, temperature: float) -> Model:
    """Finish an emotion model from logits (N, C); labels that the network doesn't know are always 0.

    Args:
        labels: Of the logits, each one of EMOTION_LABELS.
        temperature: What the logits are divided by, so that a probability means how often it is right.

    Raises:
        ValueError: A label is not in the contract.
    """
    logits = layers.scale(graph, "calibrated", logits, 1 / temperature)
    classes = layers.softmax(graph, "classes", logits)
    columns = np.zeros((len(labels), len(EMOTION_LABELS)), np.float32)
    for row, label in enumerate(labels):
        columns[row, EMOTION_LABELS.index(label)] = 1
    output = layers.dense(graph, PROBABILITIES, classes, columns)
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EMOTION_CLASSIFIER.size)},
        outputs={PROBABILITIES: Port(output, DataType.FLOAT, (BATCH, len(EMOTION_LABELS)))},
        labels=EMOTION_LABELS,
    )
