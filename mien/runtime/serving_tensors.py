"""NumPy arrays to TensorFlow's TensorProto and back."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.runtime.serving_protos import DATA_TYPES, TensorProto

_DTYPES: dict[int, np.dtype[Any]] = {
    DATA_TYPES[name]: np.dtype(dtype)
    for name, dtype in {
        "DT_BOOL": "bool",
        "DT_DOUBLE": "<f8",
        "DT_FLOAT": "<f4",
        "DT_HALF": "<f2",
        "DT_INT8": "i1",
        "DT_INT16": "<i2",
        "DT_INT32": "<i4",
        "DT_INT64": "<i8",
        "DT_UINT8": "u1",
        "DT_UINT16": "<u2",
        "DT_UINT32": "<u4",
        "DT_UINT64": "<u8",
    }.items()
}
_DATA_TYPES = {dtype: data_type for data_type, dtype in _DTYPES.items()}
_NAMES = {number: name for name, number in DATA_TYPES.items()}

# Where a tensor keeps its values when they are not in `tensor_content`.
_VALUE_FIELDS = {
    "DT_BOOL": "bool_val",
    "DT_DOUBLE": "double_val",
    "DT_FLOAT": "float_val",
    "DT_HALF": "half_val",
    "DT_INT64": "int64_val",
    "DT_UINT32": "uint32_val",
    "DT_UINT64": "uint64_val",
}
_SMALL_INTEGERS_FIELD = "int_val"


def data_type_name(data_type: int) -> str:
    """TensorFlow's name of an element type, such as "DT_FLOAT"; "DT_99" for one it doesn't know."""
    return _NAMES.get(data_type, f"DT_{data_type}")


def dtype_of(data_type: int) -> np.dtype[Any]:
    """NumPy's element type for TensorFlow's.

    Raises:
        ValueError: NumPy has no such type, or it is not numeric.
    """
    try:
        return _DTYPES[data_type]
    except KeyError:
        raise ValueError(f"element type {data_type_name(data_type)} is not supported") from None


def tensor_from_array(array: NDArray[Any]) -> Any:
    """TensorProto with the values of `array` in `tensor_content`.

    Raises:
        ValueError: TensorFlow has no such element type.
    """
    data_type = _DATA_TYPES.get(array.dtype)
    if data_type is None:
        raise ValueError(f"expected numbers that TensorFlow knows, got an array of {array.dtype}")
    tensor = TensorProto(dtype=data_type, tensor_content=array.tobytes())
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    return tensor


def array_from_tensor(tensor: Any) -> NDArray[Any]:
    """Array of a TensorProto, from `tensor_content` (read-only, not copied) or from the `*_val` fields.

    A single value stands for all elements, and fewer values than elements are filled up with the last one,
    as TensorFlow does.

    Raises:
        ValueError: the element type is not supported, or the values don't fit the shape.
    """
    dtype = dtype_of(tensor.dtype)
    shape = tuple(int(dimension.size) for dimension in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise ValueError(f"a tensor needs a fully known shape, got {list(shape)}")
    count = math.prod(shape)
    if tensor.tensor_content:
        if len(tensor.tensor_content) != count * dtype.itemsize:
            expected, sent = count * dtype.itemsize, len(tensor.tensor_content)
            raise ValueError(f"{list(shape)} of {dtype} needs {expected} bytes, got {sent}")
        return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
    return _from_values(tensor, dtype, count).reshape(shape)


def _from_values(tensor: Any, dtype: np.dtype[Any], count: int) -> NDArray[Any]:
    values = getattr(tensor, _VALUE_FIELDS.get(data_type_name(tensor.dtype), _SMALL_INTEGERS_FIELD))
    if len(values) > count or (count and not values):
        raise ValueError(f"a tensor of {count} elements carries {len(values)} values")
    # `half_val` holds the bits of each number in an integer.
    array = np.array(values, np.uint16).view(dtype) if dtype == np.float16 else np.array(values, dtype)
    return array if len(array) == count else np.pad(array, (0, count - len(array)), mode="edge")
