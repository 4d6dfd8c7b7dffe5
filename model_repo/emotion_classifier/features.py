"""What two networks that packages carry see in a face, before they name it: the input of our own head.

Both networks run in one graph on the same aligned face: face-api's expression network, and the mini-XCEPTION
of `human`, after O. Arriaga, M. Valdenegro-Toro and P. Plöger, "Real-time Convolutional Neural Networks for
Emotion and Gender Classification" (2017). Of each the last maps are taken, averaged over the quarters of the
face: where the mouth is, and where the eyes are, says more than a mean over everything.
"""

import base64
import json
from typing import Any, Final

from mien.contracts.models import EMOTION_CLASSIFIER, IMAGES
from mien.errors import PermanentError
from model_repo import layers
from model_repo.emotion_classifier.build import MEAN_RGB, dense_blocks, read_expression_weights
from model_repo.layers import Weights
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port
from model_repo.sources import PackageFiles
from model_repo.tfjs import read_weights

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


def add_features(graph: Graph, face_api: PackageFiles, human: PackageFiles) -> str:
    """Add the input, both networks and their features: uint8 RGB (N, 112, 112, 3) → float32 (N, F)."""
    raw = layers.image_input(graph, EMOTION_CLASSIFIER.size, (0.0, 0.0, 0.0))
    return layers.concatenate(graph, FEATURES, *_face_api(graph, raw, face_api), *_human(graph, raw, human))


def build_features(face_api: PackageFiles, human: PackageFiles) -> Model:
    """Return a model that ends with the features, for training."""
    graph = Graph()
    output = add_features(graph, face_api, human)
    return Model(
        graph,
        inputs={IMAGES: layers.image_port(EMOTION_CLASSIFIER.size)},
        outputs={FEATURES: Port(output, DataType.FLOAT, (BATCH, FEATURE_COUNT))},
    )


def _face_api(graph: Graph, raw: str, files: PackageFiles) -> list[str]:
    x = layers.scale(
        graph, "face_api/unit", layers.subtract(graph, "face_api/centred", raw, MEAN_RGB), 1 / 255
    )
    maps = dense_blocks(graph, x, read_expression_weights(files), prefix="face_api/")
    # 7×7 maps: windows of 4 at a stride of 3 are the four quarters, which share the middle.
    return [_quarters(graph, "face_api/quarters", maps, 4, stride=3, channels=256)]


def _human(graph: Graph, raw: str, files: PackageFiles) -> list[str]:
    x = layers.grey(graph, "human/grey", raw, _LUMA_RGB)
    x = layers.crop(graph, "human/crop", x, MARGIN)
    x = layers.resize(graph, "human/resize", x, _SIDE)
    x = layers.subtract(graph, "human/centred", layers.scale(graph, "human/unit", x, 2 / 255), (1.0,))
    copied = _copy(graph, x, files)
    return [
        _quarters(graph, "human/quarters", copied[_LAST_MAPS], 4, stride=4, channels=256),
        copied[_SCORES],
    ]


def _quarters(graph: Graph, name: str, x: str, size: int, *, stride: int, channels: int) -> str:
    pooled = layers.average_pool(graph, f"{name}/pool", x, size, stride=stride)
    return layers.flatten(graph, name, pooled, 4 * channels)


def _copy(graph: Graph, x: str, files: PackageFiles) -> dict[str, str]:
    """Add the nodes up to the scores; a convolution that is fused with what follows comes apart again."""
    source = json.loads(files.read(f"{_FOLDER}/emotion.json"))
    weights = read_weights(source["weightsManifest"], lambda name: files.read(f"{_FOLDER}/{name}"))
    copied = {_INPUT: x}
    for node in source["modelTopology"]["node"]:
        name = f"human/{node['name'].replace('StatefulPartitionedCall/model_1/', '')}"
        if node["op"] not in {"Const", "Placeholder"}:
            copied[node["name"]] = _add_node(graph, name, node, copied, weights)
        if node["name"] == _SCORES:
            return copied
    raise PermanentError(f"emotion.json: expected a node {_SCORES}")


def _add_node(
    graph: Graph, name: str, node: dict[str, Any], copied: dict[str, str], weights: dict[str, Weights]
) -> str:
    x, *others = node["input"]
    x, kind, attributes = copied[x], node["op"], node["attr"]
    if kind == "_FusedConv2D":
        fused = [base64.b64decode(text).decode() for text in attributes["fused_ops"]["list"]["s"]]
        kernel, bias = (weights[other] for other in others)
        x = layers.convolution(
            graph, f"{name}/linear", x, kernel, bias, stride=_stride(attributes), padding=_padding(attributes)
        )
        return layers.relu(graph, name, x) if "Relu" in fused else x
    if kind == "DepthwiseConv2dNative":
        return layers.depthwise(graph, name, x, weights[others[0]], padding=_padding(attributes))
    if kind == "AddV2":
        return layers.add(graph, name, x, copied[others[0]])
    if kind == "MaxPool":
        return layers.max_pool(graph, name, x, 3, stride=_stride(attributes), padding=_padding(attributes))
    if kind == "Relu":
        return layers.relu(graph, name, x)
    if kind == "Mean":
        return layers.global_average(graph, name, x)
    raise PermanentError(f"emotion.json: expected operations of mini-XCEPTION, got {kind}")


def _stride(attributes: dict[str, Any]) -> int:
    return int(attributes["strides"]["list"]["i"][1])


def _padding(attributes: dict[str, Any]) -> layers.Padding:
    return "SAME" if base64.b64decode(attributes["padding"]["s"]) == b"SAME" else "VALID"
