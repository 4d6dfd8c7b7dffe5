import numpy as np
import pytest

from mien.runtime.serving_protos import DATA_TYPES, TensorProto
from mien.runtime.serving_tensors import array_from_tensor, tensor_from_array


def tensor(data_type: str, shape: list[int]) -> TensorProto:
    proto = TensorProto(dtype=DATA_TYPES[data_type])
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(2, 3), (0, 3), ()])
def test_arrays_return_as_they_went(dtype: str, shape: tuple[int, ...]) -> None:
    """Every element type and shape survives, the empty and the scalar too."""
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    returned = array_from_tensor(TensorProto.FromString(tensor_from_array(array).SerializeToString()))
    assert returned.dtype == array.dtype
    np.testing.assert_array_equal(returned, array)


@pytest.mark.parametrize(
    ("data_type", "field", "values"),
    [
        ("DT_FLOAT", "float_val", [1.5, 2.5]),
        ("DT_UINT8", "int_val", [1, 255]),
        ("DT_INT64", "int64_val", [-1, 2**40]),
        ("DT_BOOL", "bool_val", [True, False]),
    ],
)
def test_value_fields_are_read(data_type: str, field: str, values: list[float]) -> None:
    """Values in the typed fields mean the same as bytes."""
    proto = tensor(data_type, [2])
    getattr(proto, field).extend(values)
    assert array_from_tensor(proto).tolist() == values


def test_half_values_are_bits() -> None:
    """`half_val` carries the bits of a 16-bit float."""
    proto = tensor("DT_HALF", [1])
    proto.half_val.append(0x3E00)
    assert array_from_tensor(proto).tolist() == [1.5]


def test_the_last_value_fills_the_rest() -> None:
    """Fewer values than elements are filled up, as TensorFlow does."""
    proto = tensor("DT_FLOAT", [2, 2])
    proto.float_val.extend([1, 7])
    assert array_from_tensor(proto).tolist() == [[1, 7], [7, 7]]


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (tensor("DT_STRING", [1]), "DT_STRING is not supported"),
        (tensor("DT_FLOAT", [2]), "carries 0 values"),
        (tensor("DT_FLOAT", [-1]), "fully known shape"),
        (TensorProto(dtype=DATA_TYPES["DT_FLOAT"], tensor_content=b"123"), "needs 4 bytes, got 3"),
        (TensorProto(dtype=99), "DT_99 is not supported"),
    ],
    ids=["text", "no values", "unknown size", "odd bytes", "unknown type"],
)
def test_what_is_no_array_is_refused(proto: TensorProto, message: str) -> None:
    """Tensors that don't describe an array are errors that say why."""
    with pytest.raises(ValueError, match=message):
        array_from_tensor(proto)


def test_arrays_without_a_tensorflow_type_are_refused() -> None:
    """Objects and text cannot be sent."""
    with pytest.raises(ValueError, match="got an array of"):
        tensor_from_array(np.array(["a"]))
