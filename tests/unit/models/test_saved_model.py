"""What the SavedModel writer puts on disk."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.runtime.serving_protos import SavedModel
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port, write


def _doubler(*, labels: tuple[str, ...] = ()) -> Model:
    graph = Graph()
    graph.placeholder("x", DataType.FLOAT, (BATCH, 2))
    graph.constant("two", np.array(2, np.float32))
    graph.constant("offset", np.array([1, 2], np.float32))
    graph.operation("product", "Mul", "x", "two", T=DataType.FLOAT)
    graph.operation("y", "AddV2", "product", "offset", T=DataType.FLOAT)
    port = Port("x", DataType.FLOAT, (BATCH, 2))
    return Model(graph, {"x": port}, {"doubled": Port("y", DataType.FLOAT, (BATCH, 2))}, labels)


def _read(folder: Path) -> Any:
    return SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0]


def test_signature_names_types_and_shapes_survive(tmp_path: Path) -> None:
    """A reader finds the signature under its name, with the batch dimension open."""
    write(_doubler(), tmp_path)
    signature = _read(tmp_path).signature_def["serving_default"]
    assert signature.method_name == "tensorflow/serving/predict"
    assert signature.inputs["x"].name == "x:0"
    assert signature.outputs["doubled"].name == "y:0"
    assert [dim.size for dim in signature.outputs["doubled"].tensor_shape.dim] == [-1, 2]


def test_graph_is_tagged_for_serving(tmp_path: Path) -> None:
    """TensorFlow Serving looks for the tag `serve`."""
    write(_doubler(), tmp_path)
    assert list(_read(tmp_path).meta_info_def.tags) == ["serve"]


@pytest.mark.parametrize(
    "value",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.arange(6, dtype=np.int32),
        np.arange(6, dtype=np.uint8)[::-1],
    ],
)
def test_arrays_survive(value: NDArray[Any]) -> None:
    """A constant of several elements is stored with its bytes, type and shape, whatever its memory order."""
    graph = Graph()
    graph.constant("c", value)
    tensor = graph.definition.node[0].attr["value"].tensor
    stored = np.frombuffer(tensor.tensor_content, value.dtype)
    np.testing.assert_array_equal(stored.reshape([dim.size for dim in tensor.tensor_shape.dim]), value)


def test_scalars_are_stored_as_values() -> None:
    """OpenVINO reads a scalar in tensor_content as 0, so it must not be there."""
    graph = Graph()
    graph.constant("f", np.array(2.5, np.float32))
    graph.constant("i", np.array(7, np.int32))
    floating, integer = (node.attr["value"].tensor for node in graph.definition.node)
    assert (list(floating.float_val), floating.tensor_content) == ([2.5], b"")
    assert (list(integer.int_val), integer.tensor_content) == ([7], b"")


def test_other_element_types_are_refused() -> None:
    """A float64 constant is an error that says what was expected, not a silent conversion."""
    with pytest.raises(TypeError, match="expected uint8, int32 or float32, got float64"):
        Graph().constant("c", np.array(1.0))


def test_same_model_gives_same_bytes(tmp_path: Path) -> None:
    """Checksums of built models can be compared between machines."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(_doubler(), tmp_path / name)
    contents = [(tmp_path / name / "saved_model.pb").read_bytes() for name in ("a", "b")]
    assert contents[0] == contents[1]


def test_labels_lie_beside_the_graph(tmp_path: Path) -> None:
    """The meaning of the columns travels with the model, one label a line."""
    write(_doubler(labels=("low", "high")), tmp_path)
    assert (tmp_path / "assets.extra" / "labels.txt").read_text() == "low\nhigh\n"
