"""Writes the small SavedModels that the model server's tests serve, without TensorFlow.

`python -m tests.unit.model_server.tiny_models FOLDER` writes the repository of the conformance suite.

`scaler` has two signatures over `images`, uint8 [N, 4]:
    serving_default -> `scaled` float32 [N, 4] = images x factor, `total` float32 [N, 1] = sum of a scaled row
    negated         -> `negated` float32 [N, 4] = -scaled
`slow` has the first signature (`scaled` only) and takes about a tenth of a second, whatever the batch size.
"""

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.runtime.serving_protos import DATA_TYPES, SavedModel

SLOW_STEPS = 400
SLOW_WIDTH = 2048


class _Graph:
    """A GraphDef under construction."""

    def __init__(self) -> None:
        self.saved_model = SavedModel(saved_model_schema_version=1)
        self.meta_graph = self.saved_model.meta_graphs.add()
        self.meta_graph.meta_info_def.tags.append("serve")
        self.graph = self.meta_graph.graph_def
        self.graph.versions.producer = 1987

    def node(self, name: str, operation: str, *inputs: str, **types: str) -> str:
        node = self.graph.node.add(name=name, op=operation, input=inputs)
        for attribute, data_type in types.items():
            node.attr[attribute].type = DATA_TYPES[data_type]
        return name

    def placeholder(self, name: str, data_type: str, shape: tuple[int, ...]) -> str:
        self.node(name, "Placeholder", dtype=data_type)
        _set_shape(self.graph.node[-1].attr["shape"].shape, shape)
        return name

    def constant(self, name: str, value: NDArray[Any], data_type: str) -> str:
        self.node(name, "Const", dtype=data_type)
        tensor = self.graph.node[-1].attr["value"].tensor
        tensor.dtype = DATA_TYPES[data_type]
        _set_shape(tensor.tensor_shape, value.shape)
        (tensor.float_val if data_type == "DT_FLOAT" else tensor.int_val).extend(value.ravel().tolist())
        return name

    def signature(
        self,
        name: str,
        inputs: Mapping[str, tuple[str, str, tuple[int, ...]]],
        outputs: Mapping[str, tuple[str, str, tuple[int, ...]]],
    ) -> None:
        signature = self.meta_graph.signature_def[name]
        signature.method_name = "tensorflow/serving/predict"
        for tensors, target in ((inputs, signature.inputs), (outputs, signature.outputs)):
            for key, (tensor_name, data_type, shape) in tensors.items():
                target[key].name = tensor_name
                target[key].dtype = DATA_TYPES[data_type]
                _set_shape(target[key].tensor_shape, shape)

    def write(self, version_folder: Path) -> None:
        version_folder.mkdir(parents=True)
        (version_folder / "saved_model.pb").write_bytes(self.saved_model.SerializeToString())


def _set_shape(target: Any, shape: tuple[int, ...]) -> None:
    for size in shape:
        target.dim.add(size=size)


def write_scaler(version_folder: Path, *, factor: float) -> None:
    graph = _Graph()
    graph.placeholder("serving_images", "DT_UINT8", (-1, 4))
    graph.node("as_float", "Cast", "serving_images", SrcT="DT_UINT8", DstT="DT_FLOAT")
    graph.constant("factor", np.eye(4, dtype=np.float32) * factor, "DT_FLOAT")
    graph.node("scale", "MatMul", "as_float", "factor", T="DT_FLOAT")
    graph.constant("columns", np.array([1], np.int32), "DT_INT32")
    graph.node("sum", "Sum", "scale", "columns", T="DT_FLOAT", Tidx="DT_INT32")
    graph.graph.node[-1].attr["keep_dims"].b = True
    graph.node("negate", "Neg", "scale", T="DT_FLOAT")
    images = {"images": ("serving_images:0", "DT_UINT8", (-1, 4))}
    graph.signature(
        "serving_default",
        images,
        {"scaled": ("scale:0", "DT_FLOAT", (-1, 4)), "total": ("sum:0", "DT_FLOAT", (-1, 1))},
    )
    graph.signature("negated", images, {"negated": ("negate:0", "DT_FLOAT", (-1, 4))})
    graph.write(version_folder)


def write_slow(version_folder: Path) -> None:
    graph = _Graph()
    graph.placeholder("serving_images", "DT_UINT8", (-1, 4))
    last = graph.node("as_float", "Cast", "serving_images", SrcT="DT_UINT8", DstT="DT_FLOAT")
    for name, shape in {
        "widen": (4, SLOW_WIDTH),
        "step": (SLOW_WIDTH, SLOW_WIDTH),
        "narrow": (SLOW_WIDTH, 4),
    }.items():
        graph.constant(f"{name}_shape", np.array(shape, np.int32), "DT_INT32")
        graph.constant(f"{name}_value", np.array(1 / shape[0], np.float32), "DT_FLOAT")
        graph.node(f"{name}_weights", "Fill", f"{name}_shape", f"{name}_value", T="DT_FLOAT")
    last = graph.node("widened", "MatMul", last, "widen_weights", T="DT_FLOAT")
    for step in range(SLOW_STEPS):
        last = graph.node(f"step_{step}", "MatMul", last, "step_weights", T="DT_FLOAT")
    graph.node("narrowed", "MatMul", last, "narrow_weights", T="DT_FLOAT")
    graph.signature(
        "serving_default",
        {"images": ("serving_images:0", "DT_UINT8", (-1, 4))},
        {"scaled": ("narrowed:0", "DT_FLOAT", (-1, 4))},
    )
    graph.write(version_folder)


MODELS_CONFIG = """
model_config_list {
  config {
    name: "scaler" base_path: "/models/scaler" model_platform: "tensorflow"
    model_version_policy { specific { versions: 1 versions: 2 } }
    version_labels { key: "stable" value: 1 }
    version_labels { key: "canary" value: 2 }
  }
  config { name: "slow" base_path: "/models/slow" model_platform: "tensorflow" }
}
"""


def write_repository(folder: Path) -> None:
    """`scaler` 1 (factor 2, stable) and 2 (factor 3, canary), `slow` 1, and the `models.config` for them."""
    for version, factor in ((1, 2.0), (2, 3.0)):
        write_scaler(folder / "scaler" / str(version), factor=factor)
    (folder / "scaler" / "labels.json").write_text(json.dumps({"stable": 1, "canary": 2}))
    write_slow(folder / "slow" / "1")
    (folder / "models.config").write_text(MODELS_CONFIG)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    shutil.rmtree(target, ignore_errors=True)
    write_repository(target)
