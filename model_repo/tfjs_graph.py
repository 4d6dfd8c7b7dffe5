"""Copying a TensorFlow.js graph model into a graph of ours, with its fused operations taken apart."""

import base64
from collections.abc import Mapping
from typing import Any

from mien.errors import PermanentError
from model_repo import layers
from model_repo.saved_model import Attribute, DataType, Graph


def copy_graph(
    graph: Graph,
    source_nodes: list[dict[str, Any]],
    weights: Mapping[str, Any],
    *,
    inputs: Mapping[str, str],
    output: str,
    prefix: str = "",
) -> str:
    """Add `output` of a source graph and all it depends on to `graph`; return the name of its copy.

    Args:
        inputs: The source's inputs, and which node of `graph` stands for each.
        prefix: Put before the names of all copies, so that two sources can lie in one graph.

    Raises:
        PermanentError: the source uses an operation or attribute that we don't know how to copy.
    """
    nodes = {node["name"]: node for node in source_nodes}
    copied = dict(inputs)
    for name in _in_order(nodes, output):
        node = nodes[name]
        if name in inputs:
            continue
        copy = f"{prefix}{name}"
        if node["op"] == "Const":
            copied[name] = graph.constant(copy, weights[name])
            continue
        operands = [copied[source_name] for source_name in node["input"]]
        attributes = node.get("attr", {})
        if node["op"] == "_FusedConv2D":
            copied[name] = _fused_convolution(graph, copy, operands, attributes)
        elif node["op"] == "Prelu":
            copied[name] = layers.prelu(graph, copy, *operands)
        else:
            known = {key: attribute(value) for key, value in attributes.items()}
            copied[name] = graph.operation(copy, node["op"], *operands, **known)
    return copied[output]


def attribute(value: Mapping[str, Any]) -> Attribute:
    """Return an attribute of a source's node as ours.

    Raises:
        PermanentError: it is of a kind that we don't know.
    """
    match value:
        case {"type": name}:
            return DataType(name)
        case {"b": flag}:
            return bool(flag)
        case {"s": text}:
            return base64.b64decode(text).decode()
        case {"i": number}:
            return int(number)
        case {"list": {"i": numbers}}:
            return [int(number) for number in numbers]
        case {"list": {}}:
            return []
    raise PermanentError(f"expected a type, flag, text or integers as attribute, got {value}")


def _in_order(nodes: Mapping[str, dict[str, Any]], output: str) -> list[str]:
    """Return the names of `output` and all it depends on, each behind its inputs."""
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        if name not in ordered:
            for source_name in nodes[name].get("input", []):
                visit(source_name)
            ordered[name] = None

    visit(output)
    return list(ordered)


def _fused_convolution(graph: Graph, name: str, operands: list[str], attributes: Mapping[str, Any]) -> str:
    """Add a convolution, its bias and its activation, if any, one after the other."""
    fused = [base64.b64decode(step).decode() for step in attributes["fused_ops"]["list"]["s"]]
    strides, padding = attribute(attributes["strides"]), attribute(attributes["padding"])
    common = {"T": DataType.FLOAT}
    x = graph.operation(
        f"{name}/product", "Conv2D", *operands[:2], strides=strides, padding=padding, **common
    )
    x = graph.operation(f"{name}/biased", "BiasAdd", x, operands[2], **common)
    match fused:
        case ["BiasAdd"]:
            return x
        case ["BiasAdd", "Relu"]:
            return layers.relu(graph, name, x)
        case ["BiasAdd", "Prelu"]:
            return layers.prelu(graph, name, x, operands[3])
    raise PermanentError(f"{name}: expected a bias and perhaps a ReLU in a fused convolution, got {fused}")
