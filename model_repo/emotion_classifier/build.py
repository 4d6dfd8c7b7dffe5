"""Converts face-api's expression network and maps its seven classes onto ours."""

import numpy as np

from mien.contracts.models import EMOTION_CLASSIFIER, EMOTION_LABELS, IMAGES, PROBABILITIES
from model_repo import face_api, layers
from model_repo.layers import Weights
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from model_repo.sources import PackageFiles

# The network's classes in the order of its output, and the label that each counts for. It doesn't know tired
# faces: that column is always 0.
LABELS_BY_CLASS = {
    "neutral": "neutral",
    "happy": "happy",
    "sad": "sad",
    "angry": "angry",
    "fearful": "other",
    "disgusted": "other",
    "surprised": "other",
}


def build(files: PackageFiles) -> Model:
    """Return the model from the files of `@vladmandic/face-api`."""
    weights = face_api.network_weights(files, "face_expression_model")
    graph = Graph()
    x = face_api.dense_network(graph, weights, size=EMOTION_CLASSIFIER.size, output="logits")
    x = layers.softmax(graph, "classes", x)
    output = layers.dense(graph, PROBABILITIES, x, _class_to_label_matrix())
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EMOTION_CLASSIFIER.size)},
        outputs={PROBABILITIES: Port(output, DataType.FLOAT, (BATCH, len(EMOTION_LABELS)))},
        labels=EMOTION_LABELS,
    )


def _class_to_label_matrix() -> Weights:
    matrix = np.zeros((len(LABELS_BY_CLASS), len(EMOTION_LABELS)), np.float32)
    for row, label in enumerate(LABELS_BY_CLASS.values()):
        matrix[row, EMOTION_LABELS.index(label)] = 1
    return matrix
