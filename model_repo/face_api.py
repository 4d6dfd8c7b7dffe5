"""The feature extractor that face-api's expression and landmark networks share, and their input."""

import json

from model_repo import layers
from model_repo.layers import Weights
from model_repo.saved_model import Graph
from model_repo.sources import PackageFiles
from model_repo.tfjs import read_weights

_FOLDER = "package/model"
MEAN_RGB = (122.782, 117.001, 104.298)


def network_weights(files: PackageFiles, network: str) -> dict[str, Weights]:
    """Return the weights of one of the package's networks, such as `face_expression_model`."""
    manifest = json.loads(files.read(f"{_FOLDER}/{network}-weights_manifest.json"))
    return read_weights(manifest, lambda name: files.read(f"{_FOLDER}/{name}"))


def dense_network(graph: Graph, weights: dict[str, Weights], *, size: int, output: str) -> str:
    """Add the input, four dense blocks and the last layer; return the node `output`, (N, columns)."""
    x = layers.image_input(graph, size, MEAN_RGB)
    x = layers.scale(graph, "normalise/unit", x, 1 / 255)
    x = layers.global_average(graph, "average", dense_blocks(graph, x, weights))
    x = layers.dense(graph, "fc", x, weights["fc/weights"])
    return layers.bias_add(graph, output, x, weights["fc/bias"])


def dense_blocks(graph: Graph, x: str, weights: dict[str, Weights]) -> str:
    """Add the four dense blocks: (N, H, W, 3) → (N, H / 16, W / 16, 256)."""
    for block in range(4):
        x = _dense_block(graph, f"dense{block}", x, weights)
    return x


def _dense_block(graph: Graph, name: str, x: str, weights: dict[str, Weights]) -> str:
    """Add four convolutions, each fed with the sum of all before it; the first halves the map."""
    total = ""
    for index in range(4):
        layer = f"{name}/conv{index}"
        out = _convolution(graph, layer, x, weights, stride=2 if index == 0 else 1)
        if index == 0:
            total = x = layers.relu(graph, f"{layer}/relu", out)
            continue
        total = layers.add(graph, f"{layer}/sum", total, out)
        x = layers.relu(graph, f"{layer}/relu", total)
    return x


def _convolution(graph: Graph, name: str, x: str, weights: dict[str, Weights], *, stride: int) -> str:
    bias = weights[f"{name}/bias"]
    if f"{name}/filters" in weights:
        return layers.convolution(graph, name, x, weights[f"{name}/filters"], bias, stride=stride)
    kernels = (weights[f"{name}/depthwise_filter"], weights[f"{name}/pointwise_filter"])
    return layers.separable_convolution(graph, name, x, kernels, bias, stride=stride)
