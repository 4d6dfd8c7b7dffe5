"""Takes the eyelids out of the iris network of `human`, which is MediaPipe's."""

import json

import numpy as np

from mien.contracts.models import EYELIDS, IMAGES, POINTS
from model_repo import layers
from model_repo.layers import Weights
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from model_repo.sources import PackageFiles
from model_repo.tfjs import read_weights
from model_repo.tfjs_graph import copy_graph

_FOLDER = "package/models"
_SOURCE_INPUT = "input_1"
_SOURCE_OUTPUT = "StatefulPartitionedCall/model/concatenate_eyes_contours_and_brows_and_iris/concat"
# 71 points of eye and brow, then 5 of the iris, each as x, y and depth in pixels of the input. The first 16
# are the lids.
_SOURCE_VALUES = 3 * (71 + 5)


def build(files: PackageFiles) -> Model:
    """Return the model from the files of `@vladmandic/human`.

    Raises:
        PermanentError: the graph uses an operation or attribute that we don't know how to copy.
    """
    source = json.loads(files.read(f"{_FOLDER}/iris.json"))
    weights = read_weights(source["weightsManifest"], lambda name: files.read(f"{_FOLDER}/{name}"))
    graph = Graph()
    x = layers.image_input(graph, EYELIDS.size, (0, 0, 0))
    x = layers.scale(graph, "normalise/unit", x, 1 / 255)
    x = copy_graph(
        graph, source["modelTopology"]["node"], weights, inputs={_SOURCE_INPUT: x}, output=_SOURCE_OUTPUT
    )
    x = layers.reshape(graph, "values", x, (BATCH, _SOURCE_VALUES))
    x = layers.dense(graph, "lids", x, _lids_matrix())
    output = layers.as_points(graph, POINTS, x, EYELIDS.points)
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EYELIDS.size)},
        outputs={POINTS: Port(output, DataType.FLOAT, (BATCH, EYELIDS.points, 2))},
    )


def _lids_matrix() -> Weights:
    """Pick x and y of the lids and turn pixels into shares of the picture."""
    matrix = np.zeros((_SOURCE_VALUES, 2 * EYELIDS.points), np.float32)
    for point in range(EYELIDS.points):
        for axis in (0, 1):
            matrix[3 * point + axis, 2 * point + axis] = 1 / EYELIDS.size
    return matrix
