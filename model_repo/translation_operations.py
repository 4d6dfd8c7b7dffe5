"""Each operation of OpenVINO's that our graphs can hold, as TensorFlow operations.

Sources keep maps as (N, channels, rows, columns), TensorFlow as (N, rows, columns, channels): every value
with four axes changes its order on the way, and what has fewer axes stays as it is.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import PermanentError
from model_repo.saved_model import DataType, Graph

_TO_ROWS_FIRST: Final = (0, 2, 3, 1)
_TO_CHANNELS_FIRST: Final = (0, 3, 1, 2)
_LOWEST: Final = float(np.finfo(np.float32).min)


class TranslationError(PermanentError):
    """A network can't be turned into a TensorFlow graph; the message names the operation."""


def value_key(port: Any) -> tuple[str, int]:
    return port.node.get_name(), port.index


class Translation:
    """A graph under translation.

    Attributes:
        values: What became of each value of the source: the name of a node, or an array for a constant.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.values: dict[tuple[str, int], str | NDArray[Any]] = {}

    def value(self, operation: Any, index: int) -> str | NDArray[Any]:
        return self.values[value_key(operation.input_value(index))]

    def node(self, operation: Any, index: int) -> str:
        value = self.value(operation, index)
        if not isinstance(value, str):
            raise _refused(operation, f"input {index} is a constant")
        return value

    def array(self, operation: Any, index: int) -> NDArray[Any]:
        value = self.value(operation, index)
        if isinstance(value, str):
            raise _refused(operation, f"expected a constant as input {index}")
        return value

    def operation(self, name: str, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.graph.operation(name, kind, *inputs, T=DataType.FLOAT, **attributes)

    def constant(self, name: str, array: NDArray[Any]) -> str:
        return self.graph.constant(name, np.asarray(array, np.float32))

    def integers(self, name: str, values: Sequence[int]) -> str:
        return self.graph.constant(name, np.array(values, np.int32))

    def reshaped(self, name: str, node: str, axes: int, shape: Sequence[int]) -> str:
        """Give a value another shape, as the source counts, whose first axis stays the batch."""
        if axes == 4:
            order = self.integers(f"{name}/order", _TO_CHANNELS_FIRST)
            node = self.operation(f"{name}/channels_first", "Transpose", node, order, Tperm=DataType.INT32)
        target = self.integers(f"{name}/shape", (-1, *shape[1:]))
        node = self.operation(name, "Reshape", node, target, Tshape=DataType.INT32)
        if len(shape) == 4:
            order = self.integers(f"{name}/back", _TO_ROWS_FIRST)
            node = self.operation(f"{name}/rows_first", "Transpose", node, order, Tperm=DataType.INT32)
        return node

    def padded(self, name: str, node: str, operation: Any, *, with_value: float = 0.0) -> str:
        """Pad rows and columns as a convolution or pooling asks; both kinds go on without padding."""
        attributes = operation.get_attributes()
        if attributes["auto_pad"] not in {"explicit", "valid"}:
            raise _refused(operation, f"padding {attributes['auto_pad']}: expected it in numbers")
        amounts = list(zip(attributes["pads_begin"], attributes["pads_end"], strict=True))
        if not any(sum(amount) for amount in amounts):
            return node
        table = self.graph.constant(f"{name}/amounts", np.array([(0, 0), *amounts, (0, 0)], np.int32))
        filling = self.constant(f"{name}/filling", np.array(with_value))
        return self.operation(f"{name}/padded", "PadV2", node, table, filling, Tpaddings=DataType.INT32)


def _refused(operation: Any, reason: str) -> TranslationError:
    return TranslationError(f"{operation.get_type_name()} {operation.get_friendly_name()}: {reason}")


def _axes(operation: Any, index: int) -> int:
    return len(operation.input_value(index).shape)


def _strides(operation: Any) -> list[int]:
    attributes = operation.get_attributes()
    if any(step != 1 for step in attributes.get("dilations", [])):
        raise _refused(operation, "dilations are not known here")
    rows, columns = attributes["strides"]
    if rows != columns:
        raise _refused(operation, f"expected equal strides, got {rows} and {columns}")
    return [1, int(rows), int(columns), 1]


def _convolution(to: Translation, operation: Any, name: str) -> str:
    kernel = to.constant(f"{name}/kernel", to.array(operation, 1).transpose(2, 3, 1, 0))
    x = to.padded(name, to.node(operation, 0), operation)
    return to.operation(name, "Conv2D", x, kernel, strides=_strides(operation), padding="VALID")


def _group_convolution(to: Translation, operation: Any, name: str) -> str:
    weights = to.array(operation, 1)
    if weights.shape[2] != 1:
        raise _refused(
            operation, f"groups of {weights.shape[2]} channels: only channels by themselves are known here"
        )
    kernel = to.constant(f"{name}/kernel", weights[:, :, 0].transpose(2, 3, 0, 1))
    x = to.padded(name, to.node(operation, 0), operation)
    strides = _strides(operation)
    return to.operation(name, "DepthwiseConv2dNative", x, kernel, strides=strides, padding="VALID")


def _batch_normalisation(to: Translation, operation: Any, name: str) -> str:
    # OpenVINO's order: data, gamma, beta, mean, variance.
    gamma, beta, mean, variance = (to.array(operation, index).astype(np.float64) for index in (1, 2, 3, 4))
    factor = gamma / np.sqrt(variance + operation.get_attributes()["epsilon"])
    factors = to.constant(f"{name}/factor", factor)
    scaled = to.operation(f"{name}/scaled", "Mul", to.node(operation, 0), factors)
    return to.operation(name, "AddV2", scaled, to.constant(f"{name}/shift", beta - mean * factor))


def _parametric_relu(to: Translation, operation: Any, name: str) -> str:
    x, slope = to.node(operation, 0), to.array(operation, 1)
    if slope.size not in {1, operation.input_value(0).shape[1]}:
        raise _refused(operation, f"expected a slope for each channel, got shape {slope.shape}")
    zero = to.constant(f"{name}/zero", np.array(0.0))
    negative = to.operation(f"{name}/negative", "Minimum", x, zero)
    slopes = to.constant(f"{name}/slopes", slope.reshape(-1))
    below = to.operation(f"{name}/below", "Mul", negative, slopes)
    return to.operation(name, "AddV2", to.operation(f"{name}/above", "Relu", x), below)


def _clamp(to: Translation, operation: Any, name: str) -> str:
    attributes = operation.get_attributes()
    low = to.constant(f"{name}/min", np.array(max(attributes["min"], _LOWEST)))
    high = to.constant(f"{name}/max", np.array(min(attributes["max"], -_LOWEST)))
    floored = to.operation(f"{name}/floored", "Maximum", to.node(operation, 0), low)
    return to.operation(name, "Minimum", floored, high)


def _unary(kind: str) -> "_Translate":
    return lambda to, operation, name: to.operation(name, kind, to.node(operation, 0))


def _binary(kind: str) -> "_Translate":
    def translate_binary(to: Translation, operation: Any, name: str) -> str:
        axes = len(operation.output(0).shape)
        inputs = []
        for index in (0, 1):
            value = to.value(operation, index)
            if isinstance(value, str):
                if _axes(operation, index) != axes:
                    raise _refused(operation, "expected values with the same number of axes")
                inputs.append(value)
            else:
                array = value.reshape((1,) * (axes - value.ndim) + value.shape)
                array = array.transpose(_TO_ROWS_FIRST) if axes == 4 else array
                inputs.append(to.constant(f"{name}/constant_{index}", array))
        return to.operation(name, kind, *inputs)

    return translate_binary


def _matrix_product(to: Translation, operation: Any, name: str) -> str:
    attributes, weights = operation.get_attributes(), to.array(operation, 1)
    if attributes["transpose_a"] or _axes(operation, 0) != 2:
        raise _refused(operation, "expected rows of numbers times a matrix")
    return to.operation(
        name,
        "MatMul",
        to.node(operation, 0),
        to.constant(f"{name}/weights", weights.T if attributes["transpose_b"] else weights),
    )


def _reshape(to: Translation, operation: Any, name: str) -> str:
    shape = tuple(operation.output(0).shape)
    if shape[0] != 1:
        raise _refused(operation, f"expected the batch as the first axis, got {shape}")
    return to.reshaped(name, to.node(operation, 0), _axes(operation, 0), shape)


def _mean(to: Translation, operation: Any, name: str) -> str:
    if sorted(to.array(operation, 1).reshape(-1).tolist()) != [2, 3] or _axes(operation, 0) != 4:
        raise _refused(operation, "expected a mean over rows and columns")
    axes = to.integers(f"{name}/axes", (1, 2))
    keep = bool(operation.get_attributes()["keep_dims"])
    return to.operation(name, "Mean", to.node(operation, 0), axes, Tidx=DataType.INT32, keep_dims=keep)


def _pool(kind: str, *, filling: float) -> "_Translate":
    def translate_pool(to: Translation, operation: Any, name: str) -> str:
        attributes = operation.get_attributes()
        pads = [*attributes["pads_begin"], *attributes["pads_end"]]
        if attributes["rounding_type"] != "floor" or (any(pads) and attributes.get("exclude-pad")):
            raise _refused(operation, "expected sizes rounded down, and padding that counts")
        x = to.padded(name, to.node(operation, 0), operation, with_value=filling)
        window = [1, *(int(side) for side in attributes["kernel"]), 1]
        return to.operation(name, kind, x, ksize=window, strides=_strides(operation), padding="VALID")

    return translate_pool


def _concatenation(to: Translation, operation: Any, name: str) -> str:
    axes = len(operation.output(0).shape)
    if operation.get_attributes()["axis"] not in {1, 1 - axes}:
        raise _refused(operation, "expected channels behind one another")
    count = operation.get_input_size()
    axis = to.graph.constant(f"{name}/axis", np.array(axes - 1, np.int32))
    inputs = [to.node(operation, index) for index in range(count)]
    return to.operation(name, "ConcatV2", *inputs, axis, N=count, Tidx=DataType.INT32)


def _conversion(to: Translation, operation: Any, name: str) -> str | NDArray[Any]:
    value = to.value(operation, 0)
    return value if isinstance(value, str) else value.astype(np.float32)


_Translate = Callable[[Translation, Any, str], str | NDArray[Any]]
OPERATIONS: Final[dict[str, _Translate]] = {
    "Add": _binary("AddV2"),
    "AvgPool": _pool("AvgPool", filling=0.0),
    "BatchNormInference": _batch_normalisation,
    "Clamp": _clamp,
    "Concat": _concatenation,
    "Convert": _conversion,
    "Convolution": _convolution,
    "Divide": _binary("RealDiv"),
    "GroupConvolution": _group_convolution,
    "MatMul": _matrix_product,
    "MaxPool": _pool("MaxPool", filling=_LOWEST),
    "Maximum": _binary("Maximum"),
    "Minimum": _binary("Minimum"),
    "Multiply": _binary("Mul"),
    "PRelu": _parametric_relu,
    "ReduceMean": _mean,
    "Relu": _unary("Relu"),
    "Reshape": _reshape,
    "Sigmoid": _unary("Sigmoid"),
    "Squeeze": _reshape,
    "Subtract": _binary("Sub"),
    "Tanh": _unary("Tanh"),
    "Unsqueeze": _reshape,
}
