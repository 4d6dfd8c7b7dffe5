"""What three networks that packages carry see in a face: the input of our own head.

All three run in one graph on the same aligned face:

- face-api's expression network;
- the mini-XCEPTION of `human`, after O. Arriaga, M. Valdenegro-Toro and P. Plöger, "Real-time Convolutional
  Neural Networks for Emotion and Gender Classification" (2017);
- the face mesh of `human`, which is MediaPipe's: Y. Kartynnik et al., "Real-time Facial Surface Geometry from
  Monocular Video on Mobile GPUs" (2019). It was taught where lips and lids are, not what they mean.

Of each the last maps are taken, averaged over the quarters of the face: where the mouth is, and where the
eyes are, says more than a mean over everything.
"""

import json
from typing import Any, Final

import numpy as np

from mien.contracts.models import EMOTION_CLASSIFIER, IMAGES
from model_repo import face_api, layers
from model_repo.emotion_classifier.build import LABELS_BY_CLASS
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from model_repo.sources import PackageFiles
from model_repo.tfjs import read_weights
from model_repo.tfjs_graph import copy_graph

FEATURES: Final = "features"
_QUARTERS: Final = 4
_EXPRESSION_CHANNELS: Final = 256
HUMAN_LABELS: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
_MESH_CHANNELS: Final = 128
_MESH_END: Final = 3 * 3 * 32
FACE_API_COLUMNS: Final = slice(0, _QUARTERS * _EXPRESSION_CHANNELS)
HUMAN_COLUMNS: Final = slice(
    FACE_API_COLUMNS.stop,
    FACE_API_COLUMNS.stop + _QUARTERS * _EXPRESSION_CHANNELS + len(HUMAN_LABELS),
)
"""The last seven are the network's own scores."""
MESH_COLUMNS: Final = slice(HUMAN_COLUMNS.stop, HUMAN_COLUMNS.stop + _QUARTERS * _MESH_CHANNELS + _MESH_END)
FEATURE_COUNT: Final = MESH_COLUMNS.stop

_FOLDER: Final = "package/models"
_INPUT: Final = "input_1"
_LAYER: Final = "StatefulPartitionedCall/model_1"
_HUMAN_MAPS: Final = f"{_LAYER}/add_2/add"
_HUMAN_SCORES: Final = f"{_LAYER}/global_average_pooling2d_1/Mean"
_FACE_API_MAPS: Final = "dense3/conv3/relu"
_MESH_MAPS: Final = f"{_LAYER}/p_re_lu_15/Relu"
# The maps before the points: 3 by 3.
_MESH_LAST: Final = f"{_LAYER}/p_re_lu_20/Relu"
# mini-XCEPTION was trained on faces that fill the picture more than our template does.
MARGIN: Final = 6
# Fear, disgust and surprise are taken to be ten times as rare as face-api's network does. That leaves the
# figures of the five as they are, and most faces that show one of the three unanswered (docs/emotion.md).
_OTHER_ODDS: Final = 0.1
_HUMAN_SIDE: Final = 64
_MESH_SIDE: Final = 192
_LUMA_RGB: Final = (0.299, 0.587, 0.114)


def add_features(graph: Graph, face_api_files: PackageFiles, human_files: PackageFiles) -> str:
    """Add the input, the networks and their features: uint8 RGB (N, 112, 112, 3) → float32 (N, F)."""
    raw = layers.image_input(graph, EMOTION_CLASSIFIER.size, (0.0, 0.0, 0.0))
    return layers.concatenate(
        graph,
        FEATURES,
        *_face_api(graph, raw, face_api_files),
        *_human(graph, raw, human_files),
        *_mesh(graph, raw, human_files),
    )


def add_other(graph: Graph, face_api_files: PackageFiles) -> str:
    """Add whether a face shows one of our expressions or another, (N, 2), behind the features.

    face-api's network knows fear, disgust and surprise, which our labels don't have.
    """
    weights = face_api.network_weights(face_api_files, "face_expression_model")
    x = layers.global_average(graph, "other/average", _FACE_API_MAPS)
    x = layers.dense(graph, "other/fc", x, weights["fc/weights"])
    is_other = np.array([label == "other" for label in LABELS_BY_CLASS.values()], np.float32)
    bias = weights["fc/bias"] + np.float32(np.log(_OTHER_ODDS)) * is_other
    classes = layers.softmax(graph, "other/classes", layers.bias_add(graph, "other/logits", x, bias))
    return layers.dense(graph, "other/sides", classes, np.stack([1 - is_other, is_other], axis=1))


def build_features(face_api_files: PackageFiles, human_files: PackageFiles) -> Model:
    """Return a model that ends with the features, for training."""
    graph = Graph()
    output = add_features(graph, face_api_files, human_files)
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EMOTION_CLASSIFIER.size)},
        outputs={FEATURES: Port(output, DataType.FLOAT, (BATCH, FEATURE_COUNT))},
    )


def build_human(files: PackageFiles) -> Model:
    """Return the emotion network of `human` alone, to be measured beside ours: its scores, (N, 7)."""
    graph = Graph()
    raw = layers.image_input(graph, EMOTION_CLASSIFIER.size, (0.0, 0.0, 0.0))
    _, scores = _human(graph, raw, files)
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EMOTION_CLASSIFIER.size)},
        outputs={FEATURES: Port(scores, DataType.FLOAT, (BATCH, len(HUMAN_LABELS)))},
    )


def _face_api(graph: Graph, raw: str, files: PackageFiles) -> list[str]:
    x = layers.scale(
        graph, "face_api/unit", layers.subtract(graph, "face_api/centred", raw, face_api.MEAN_RGB), 1 / 255
    )
    maps = face_api.dense_blocks(graph, x, face_api.network_weights(files, "face_expression_model"))
    # 7×7 maps: windows of 4 at a stride of 3 are the four quarters, which share the middle.
    return [_quarters(graph, "face_api/quarters", maps, 4, stride=3, channels=_EXPRESSION_CHANNELS)]


def _human(graph: Graph, raw: str, files: PackageFiles) -> list[str]:
    x = layers.grey(graph, "human/grey", raw, _LUMA_RGB)
    x = layers.crop(graph, "human/crop", x, MARGIN)
    x = layers.resize(graph, "human/resize", x, _HUMAN_SIDE)
    x = layers.subtract(graph, "human/centred", layers.scale(graph, "human/unit", x, 2 / 255), (1.0,))
    # The last maps lie on the way to the scores.
    scores = _copied(graph, "emotion", files, x, _HUMAN_SCORES)
    maps = f"emotion/{_HUMAN_MAPS}"
    return [_quarters(graph, "human/quarters", maps, 4, stride=4, channels=_EXPRESSION_CHANNELS), scores]


def _mesh(graph: Graph, raw: str, files: PackageFiles) -> list[str]:
    x = layers.resize(graph, "mesh/resize", raw, _MESH_SIDE)
    x = layers.subtract(graph, "mesh/centred", layers.scale(graph, "mesh/unit", x, 2 / 255), (1.0,))
    last = _copied(graph, "facemesh", files, x, _MESH_LAST)
    maps = f"facemesh/{_MESH_MAPS}"
    return [
        _quarters(graph, "mesh/quarters", maps, 3, stride=3, channels=_MESH_CHANNELS),
        layers.reshape(graph, "mesh/last", last, (BATCH, _MESH_END)),
    ]


def _copied(graph: Graph, network: str, files: PackageFiles, x: str, output: str) -> str:
    source: dict[str, Any] = json.loads(files.read(f"{_FOLDER}/{network}.json"))
    weights = read_weights(source["weightsManifest"], lambda name: files.read(f"{_FOLDER}/{name}"))
    nodes = source["modelTopology"]["node"]
    return copy_graph(graph, nodes, weights, inputs={_INPUT: x}, output=output, prefix=f"{network}/")


def _quarters(graph: Graph, name: str, x: str, size: int, *, stride: int, channels: int) -> str:
    pooled = layers.average_pool(graph, f"{name}/pool", x, size, stride=stride)
    return layers.reshape(graph, name, pooled, (BATCH, _QUARTERS * channels))
