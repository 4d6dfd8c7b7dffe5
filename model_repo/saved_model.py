"""Writing TensorFlow SavedModels with protobuf alone.

A model is a frozen graph: its weights are constants, so there is no checkpoint beside it, and one file is all
that TensorFlow, TensorFlow Serving and OpenVINO need to read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMBEDDER_FILE, SIGNATURE, ImportedEmbedder
from mien.runtime.serving_protos import DATA_TYPES, GraphDef, SavedModel

BATCH = -1
"""Size of a dimension that is known only when the model is called."""

# A graph version of TensorFlow 2.11, which every later TensorFlow reads.
_GRAPH_PRODUCER = 1286
LABELS_FILE = "assets.extra/labels.txt"
_PREDICT_METHOD = "tensorflow/serving/predict"


class DataType(Enum):
    """Element types that our models use."""

    UINT8 = "DT_UINT8"
    INT32 = "DT_INT32"
    FLOAT = "DT_FLOAT"

    @property
    def number(self) -> int:
        """Number of the type in TensorFlow's protos."""
        return DATA_TYPES[self.value]


_DATA_TYPES_BY_DTYPE = {
    np.dtype(np.uint8): DataType.UINT8,
    np.dtype(np.int32): DataType.INT32,
    np.dtype(np.float32): DataType.FLOAT,
}

Attribute = bool | int | float | str | DataType | Sequence[int]


@dataclass(frozen=True)
class Port:
    """An input or output of a signature: the node it is bound to, its type, its shape (`BATCH` = any)."""

    node: str
    data_type: DataType
    shape: tuple[int, ...]


class Graph:
    """A TensorFlow graph under construction; every method returns the name of the node it added."""

    def __init__(self) -> None:
        self.definition = GraphDef()
        self.definition.versions.producer = _GRAPH_PRODUCER

    def placeholder(self, name: str, data_type: DataType, shape: Sequence[int]) -> str:
        """Add an input."""
        self.operation(name, "Placeholder", dtype=data_type)
        _set_shape(self.definition.node[-1].attr["shape"].shape, shape)
        return name

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add a constant of type uint8, int32 or float32.

        Raises:
            TypeError: another element type.
        """
        data_type = _DATA_TYPES_BY_DTYPE.get(value.dtype)
        if data_type is None:
            raise TypeError(f"constant {name}: expected uint8, int32 or float32, got {value.dtype}")
        self.operation(name, "Const", dtype=data_type)
        tensor = self.definition.node[-1].attr["value"].tensor
        tensor.dtype = data_type.number
        _set_shape(tensor.tensor_shape, value.shape)
        if value.size == 1:
            # OpenVINO reads a scalar in tensor_content as 0; TensorFlow writes such values here as well.
            (tensor.float_val if data_type is DataType.FLOAT else tensor.int_val).append(value.item())
        else:
            tensor.tensor_content = np.ascontiguousarray(value).tobytes()
        return name

    def operation(self, name: str, kind: str, *inputs: str, **attributes: Attribute) -> str:
        """Add a TensorFlow operation of the given kind, such as "Conv2D"."""
        node = self.definition.node.add(name=name, op=kind, input=inputs)
        for key, value in attributes.items():
            _set_attribute(node.attr[key], value)
        return name


@dataclass(frozen=True)
class Model:
    """What a builder makes: a graph and its default signature.

    Attributes:
        labels: The meaning of its columns, for a classifier.
        embedder: What a recognizer must know, for an embedder that is not one of our own.
    """

    graph: Graph
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    labels: tuple[str, ...] = ()
    embedder: ImportedEmbedder | None = None


def write(model: Model, folder: Path) -> None:
    """Write `model` as a SavedModel into `folder`, which must exist and should be empty.

    The same model always gives the same bytes. Labels go to `assets.extra/labels.txt`, one a line; what is
    known of an embedder to `assets.extra/embedder.json`.
    """
    saved_model = SavedModel(saved_model_schema_version=1)
    meta_graph = saved_model.meta_graphs.add()
    meta_graph.meta_info_def.tags.append("serve")
    meta_graph.graph_def.CopyFrom(model.graph.definition)
    signature = meta_graph.signature_def[SIGNATURE]
    signature.method_name = _PREDICT_METHOD
    for ports, infos in ((model.inputs, signature.inputs), (model.outputs, signature.outputs)):
        for name, port in ports.items():
            infos[name].name = f"{port.node}:0"
            infos[name].dtype = port.data_type.number
            _set_shape(infos[name].tensor_shape, port.shape)
    (folder / "saved_model.pb").write_bytes(saved_model.SerializeToString(deterministic=True))
    (folder / "variables").mkdir()
    if model.labels:
        _write_asset(folder / LABELS_FILE, "".join(f"{label}\n" for label in model.labels))
    if model.embedder:
        _write_asset(folder / EMBEDDER_FILE, msgspec.json.encode(model.embedder).decode() + "\n")


def _write_asset(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


def _set_shape(shape: Any, sizes: Sequence[int]) -> None:
    shape.SetInParent()
    for size in sizes:
        shape.dim.add(size=size)


def _set_attribute(target: Any, value: Attribute) -> None:
    match value:
        case DataType():
            target.type = value.number
        case bool():
            target.b = value
        case int():
            target.i = value
        case float():
            target.f = value
        case str():
            target.s = value.encode()
        case _:
            target.list.i.extend(value)
