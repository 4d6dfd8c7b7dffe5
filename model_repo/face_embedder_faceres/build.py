"""Takes the face descriptor out of the FaceRes network of `human`."""

import json

from mien.contracts.models import FACE_EMBEDDER_FACERES
from model_repo import layers
from model_repo.saved_model import Graph, Model
from model_repo.sources import PackageFiles
from model_repo.tfjs import read_weights
from model_repo.tfjs_graph import copy_graph

_FOLDER = "package/models"
_SOURCE_INPUT = "input_1"
_SOURCE_OUTPUT = "global_pooling/Mean"
_FIRST_KERNEL = "conv1/convolution/merged_input"
# The network was trained on BGR pictures less this mean (103.939, 116.779, 123.68 in BGR).
_MEAN_RGB = (123.68, 116.779, 103.939)


def build(files: PackageFiles) -> Model:
    """Return the model from the files of `@vladmandic/human`.

    Raises:
        PermanentError: the graph uses an attribute that we don't know how to copy.
    """
    source = json.loads(files.read(f"{_FOLDER}/faceres.json"))
    weights = read_weights(source["weightsManifest"], lambda name: files.read(f"{_FOLDER}/{name}"))
    # Turning the kernel around takes the pictures in RGB and costs nothing at run time.
    weights[_FIRST_KERNEL] = weights[_FIRST_KERNEL][:, :, ::-1, :]
    graph = Graph()
    pictures = layers.image_input(graph, FACE_EMBEDDER_FACERES.size, _MEAN_RGB)
    descriptor = copy_graph(
        graph,
        source["modelTopology"]["node"],
        weights,
        inputs={_SOURCE_INPUT: pictures},
        output=_SOURCE_OUTPUT,
    )
    return layers.embedder(
        graph,
        descriptor,
        size=FACE_EMBEDDER_FACERES.size,
        dimensions=FACE_EMBEDDER_FACERES.dimensions,
    )
