"""The end that all emotion networks of ours have: calibrated probabilities in the columns of the contract."""

from collections.abc import Iterable, Sequence

import numpy as np

from mien.contracts.models import EMOTION_CLASSIFIER, EMOTION_LABELS, IMAGES, PROBABILITIES
from model_repo import layers
from model_repo.layers import Weights
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port


def finish(graph: Graph, logits: str, labels: Sequence[str], *, temperature: float, other: str = "") -> Model:
    """Finish an emotion model from logits (N, C); labels that the network doesn't know are always 0.

    Args:
        labels: Of the logits, each one of EMOTION_LABELS.
        temperature: What the logits are divided by, so that a probability means how often it is right.
        other: Node (N, 2), adds up to 1: whether the face shows one of the expressions, or another one. It
            divides what is not *tired*: a yawn looks like surprise to who was not taught yawns.

    Raises:
        ValueError: A label is not in the contract.
    """
    logits = layers.scale(graph, "calibrated", logits, 1 / temperature)
    classes = layers.softmax(graph, "classes", logits)
    if other:
        output = _divide(graph, classes, labels, other)
    else:
        output = layers.dense(graph, PROBABILITIES, classes, _columns(labels, labels))
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EMOTION_CLASSIFIER.size)},
        outputs={PROBABILITIES: Port(output, DataType.FLOAT, (BATCH, len(EMOTION_LABELS)))},
        labels=EMOTION_LABELS,
    )


def _divide(graph: Graph, classes: str, labels: Sequence[str], other: str) -> str:
    awake = [label for label in labels if label != "tired"]
    known = layers.dense(graph, "other/known", other, np.array([[1], [0]], np.float32))
    strange = layers.dense(graph, "other/strange", other, np.array([[0], [1]], np.float32))
    kept = layers.dense(graph, "other/awake", classes, _columns(labels, awake))
    kept = layers.product(graph, "other/kept", kept, known)
    lost = layers.dense(graph, "other/sum", classes, _columns(labels, awake, "other"))
    lost = layers.product(graph, "other/lost", lost, strange)
    tired = layers.dense(graph, "other/tired", classes, _columns(labels, set(labels) - set(awake)))
    return layers.add(graph, PROBABILITIES, layers.add(graph, "other/awake_or_not", kept, lost), tired)


def _columns(labels: Sequence[str], taken: Iterable[str], column: str = "") -> Weights:
    """Return the matrix that puts the probability of each label that is taken where the contract has it.

    Args:
        column: Where all of them go instead.
    """
    columns = np.zeros((len(labels), len(EMOTION_LABELS)), np.float32)
    for label in taken:
        columns[labels.index(label), EMOTION_LABELS.index(column or label)] = 1
    return columns
