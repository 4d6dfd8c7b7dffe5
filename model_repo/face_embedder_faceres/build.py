"""Takes the face descriptor out of the FaceRes network of `human`."""

import base64
import json
from typing import Any

from mien.contracts.models import FACE_EMBEDDER_FACERES
from mien.errors import PermanentError
from model_repo import layers
from model_repo.saved_model import Attribute, DataType, Graph, Model
from model_repo.sources import PackageFiles
from model_repo.tfjs import read_weights

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
    nodes = {node["name"]: node for node in source["modelTopology"]["node"]}
    graph = Graph()
    copied = {_SOURCE_INPUT: layers.image_input(graph, FACE_EMBEDDER_FACERES.size, _MEAN_RGB)}
    for name in _in_order(nodes, _SOURCE_OUTPUT):
        node = nodes[name]
        if name == _SOURCE_INPUT:
            continue
        if node["op"] == "Const":
            copied[name] = graph.constant(name, weights[name])
            continue
        inputs = [copied[source_name] for source_name in node["input"]]
        attributes = {key: _attribute(value) for key, value in node["attr"].items()}
        copied[name] = graph.operation(name, node["op"], *inputs, **attributes)
    return layers.embedder(
        graph,
        copied[_SOURCE_OUTPUT],
        size=FACE_EMBEDDER_FACERES.size,
        dimensions=FACE_EMBEDDER_FACERES.dimensions,
    )


def _in_order(nodes: dict[str, dict[str, Any]], output: str) -> list[str]:
    """Return the names of `output` and all it depends on, each behind its inputs."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in ordered:
            for source_name in nodes[name].get("input", []):
                visit(source_name)
            ordered[name] = None

    visit(output)
    return list(ordered)


def _attribute(value: dict[str, Any]) -> Attribute:
    match value:
        case {"type": name}:
            return DataType(name)
        case {"b": flag}:
            return bool(flag)
        case {"s": text}:
            return base64.b64decode(text).decode()
        case {"list": {"i": numbers}}:
            return [int(number) for number in numbers]
        case {"list": {}}:
            return []
    raise PermanentError(f"faceres: expected a type, flag, text or integers as attribute, got {value}")
