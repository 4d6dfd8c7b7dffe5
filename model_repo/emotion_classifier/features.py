"""What two networks that packages carry see in a face, before they name it: the input of our own head.

Both networks run in one graph on the same aligned face: face-api's expression network, and the mini-XCEPTION
of `human`, after O. Arriaga, M. Valdenegro-Toro and P. Plöger, "Real-time Convolutional Neural Networks for
Emotion and Gender Classification" (2017). Of each the last maps are taken, averaged over the quarters of the
face: where the mouth is, and where the eyes are, says more than a mean over everything.
"""

import json
from typing import Final

from mien.contracts.models import EMOTION_CLASSIFIER, IMAGES
from model_repo import face_api, layers
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from model_repo.sources import PackageFiles
from model_repo.tfjs import read_weights
from model_repo.tfjs_graph import copy_graph

FEATURES: Final = "features"
FEATURE_COUNT: Final = 4 * 256 + 4 * 256 + 7
_FOLDER: Final = "package/models"
_INPUT: Final = "input_1"
_LAST_MAPS: Final = "StatefulPartitionedCall/model_1/add_2/add"
_SCORES: Final = "StatefulPartitionedCall/model_1/global_average_pooling2d_1/Mean"
# mini-XCEPTION was trained on faces that fill the picture more than our template does.
MARGIN: Final = 6
_SIDE: Final = 64
_LUMA_RGB: Final = (0.299, 0.587, 0.114)


def add_features(graph: Graph, face_api_files: PackageFiles, human_files: PackageFiles) -> str:
    """Add the input, both networks and their features: uint8 RGB (N, 112, 112, 3) → float32 (N, F)."""
    raw = layers.image_input(graph, EMOTION_CLASSIFIER.size, (0.0, 0.0, 0.0))
    return layers.concatenate(
        graph, FEATURES, *_face_api(graph, raw, face_api_files), *_human(graph, raw, human_files)
    )


def build_features(face_api_files: PackageFiles, human_files: PackageFiles) -> Model:
    """Return a model that ends with the features, for training."""
    graph = Graph()
    output = add_features(graph, face_api_files, human_files)
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EMOTION_CLASSIFIER.size)},
        outputs={FEATURES: Port(output, DataType.FLOAT, (BATCH, FEATURE_COUNT))},
    )


def _face_api(graph: Graph, raw: str, files: PackageFiles) -> list[str]:
    x = layers.scale(
        graph, "face_api/unit", layers.subtract(graph, "face_api/centred", raw, face_api.MEAN_RGB), 1 / 255
    )
    maps = face_api.dense_blocks(graph, x, face_api.network_weights(files, "face_expression_model"))
    # 7×7 maps: windows of 4 at a stride of 3 are the four quarters, which share the middle.
    return [_quarters(graph, "face_api/quarters", maps, 4, stride=3, channels=256)]


def _human(graph: Graph, raw: str, files: PackageFiles) -> list[str]:
    x = layers.grey(graph, "human/grey", raw, _LUMA_RGB)
    x = layers.crop(graph, "human/crop", x, MARGIN)
    x = layers.resize(graph, "human/resize", x, _SIDE)
    x = layers.subtract(graph, "human/centred", layers.scale(graph, "human/unit", x, 2 / 255), (1.0,))
    source = json.loads(files.read(f"{_FOLDER}/emotion.json"))
    weights = read_weights(source["weightsManifest"], lambda name: files.read(f"{_FOLDER}/{name}"))
    # The last maps lie on the way to the scores, and a copied node keeps its name.
    scores = copy_graph(graph, source["modelTopology"]["node"], weights, inputs={_INPUT: x}, output=_SCORES)
    return [_quarters(graph, "human/quarters", _LAST_MAPS, 4, stride=4, channels=256), scores]


def _quarters(graph: Graph, name: str, x: str, size: int, *, stride: int, channels: int) -> str:
    pooled = layers.average_pool(graph, f"{name}/pool", x, size, stride=stride)
    return layers.reshape(graph, name, pooled, (BATCH, 4 * channels))
