"""Converts face-api's expression network and maps its seven classes onto ours."""

import json

import numpy as np

from mien.contracts.models import EMOTION_CLASSIFIER, EMOTION_LABELS, IMAGES, PROBABILITIES
from model_repo import layers
from model_repo.layers import Weights
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from model_repo.sources import PackageFiles
from model_repo.tfjs import read_weights

_FOLDER = "package/model"
_PARTS = ("bias", "filters", "depthwise_filter", "pointwise_filter")
MEAN_RGB = (122.782, 117.001, 104.298)
# The network's classes in the order of its output, and the label that each counts for. It doesn't know tired
# faces: that column is always 0.
_LABELS_BY_CLASS = {
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
    weights = read_expression_weights(files)
    graph = Graph()
    x = layers.image_input(graph, EMOTION_CLASSIFIER.size, MEAN_RGB)
    x = layers.scale(graph, "normalise/unit", x, 1 / 255)
    x = layers.global_average(graph, "average", dense_blocks(graph, x, weights))
    x = layers.dense(graph, "fc", x, weights["fc/weights"])
    x = layers.bias_add(graph, "logits", x, weights["fc/bias"])
    x = layers.softmax(graph, "classes", x)
    output = layers.dense(graph, PROBABILITIES, x, _class_to_label_matrix())
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EMOTION_CLASSIFIER.size)},
        outputs={PROBABILITIES: Port(output, DataType.FLOAT, (BATCH, len(EMOTION_LABELS)))},
        labels=EMOTION_LABELS,
    )


def read_expression_weights(files: PackageFiles) -> dict[str, Weights]:
    """Return the weights of face-api's expression network by name."""
    manifest = json.loads(files.read(f"{_FOLDER}/face_expression_model-weights_manifest.json"))
    return read_weights(manifest, lambda name: files.read(f"{_FOLDER}/{name}"))


def dense_blocks(graph: Graph, x: str, weights: dict[str, Weights], *, prefix: str = "") -> str:
    """Add the four dense blocks: (N, 112, 112, 3) → (N, 7, 7, 256)."""
    for block in range(4):
        x = _dense_block(graph, f"{prefix}dense{block}", x, weights, f"dense{block}")
    return x


def _dense_block(graph: Graph, name: str, x: str, weights: dict[str, Weights], source: str) -> str:
    """Add four convolutions, each fed with the sum of all before it; the first halves the map."""
    total = ""
    for index in range(4):
        layer = f"{name}/conv{index}"
        kernels = {part: weights.get(f"{source}/conv{index}/{part}") for part in _PARTS}
        out = _convolution(graph, layer, x, kernels, stride=2 if index == 0 else 1)
        if index == 0:
            total = x = layers.relu(graph, f"{layer}/relu", out)
            continue
        total = layers.add(graph, f"{layer}/sum", total, out)
        x = layers.relu(graph, f"{layer}/relu", total)
    return x


def _convolution(graph: Graph, name: str, x: str, kernels: dict[str, Weights | None], *, stride: int) -> str:
    bias = kernels["bias"]
    whole, depthwise, pointwise = (kernels[part] for part in _PARTS[1:])
    assert bias is not None
    if whole is not None:
        return layers.convolution(graph, name, x, whole, bias, stride=stride)
    assert depthwise is not None and pointwise is not None
    return layers.separable_convolution(graph, name, x, (depthwise, pointwise), bias, stride=stride)


def _class_to_label_matrix() -> Weights:
    matrix = np.zeros((len(_LABELS_BY_CLASS), len(EMOTION_LABELS)), np.float32)
    for row, label in enumerate(_LABELS_BY_CLASS.values()):
        matrix[row, EMOTION_LABELS.index(label)] = 1
    return matrix
