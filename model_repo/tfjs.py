"""Reading the weights of TensorFlow.js models."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import PermanentError

_DTYPES = {name: np.dtype(name) for name in ("float32", "int32")}
_QUANTIZED_DTYPES = {name: np.dtype(name) for name in ("uint8", "uint16", "float16")}


def read_weights(
    manifest: Sequence[Mapping[str, Any]], read_file: Callable[[str], bytes]
) -> dict[str, NDArray[Any]]:
    """Return the arrays of a weights manifest by name, dequantised to their declared type.

    `read_file` returns the bytes of a file that the manifest names.

    Raises:
        PermanentError: the manifest and its files don't fit each other, or a type is unknown.
    """
    weights: dict[str, NDArray[Any]] = {}
    for group in manifest:
        content = b"".join(read_file(path) for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            array, offset = _read_array(entry, content, offset)
            weights[entry["name"]] = array
        if offset != len(content):
            raise PermanentError(f"{group['paths']}: expected {offset} bytes of weights, got {len(content)}")
    return weights


def dequantise(stored: NDArray[Any], dtype: np.dtype[Any], quantization: Mapping[str, Any]) -> NDArray[Any]:
    """Return `stored` as `dtype`: integers are multiples of a scale above a minimum, float16 is just shorter.

    TensorFlow.js computes in double precision and rounds once; so do we, and get the same bits.
    """
    if stored.dtype == np.float16:
        return stored.astype(dtype)
    values: NDArray[np.float64] = stored.astype(np.float64) * quantization["scale"] + quantization["min"]
    return values.astype(dtype)


def _read_array(entry: Mapping[str, Any], content: bytes, offset: int) -> tuple[NDArray[Any], int]:
    quantization = entry.get("quantization")
    known, stored_name = (
        (_QUANTIZED_DTYPES, quantization["dtype"]) if quantization else (_DTYPES, entry["dtype"])
    )
    if stored_name not in known or entry["dtype"] not in _DTYPES:
        raise PermanentError(f"weights {entry['name']}: unknown type {stored_name} of {entry['dtype']}")
    stored_dtype = known[stored_name]
    count = int(np.prod(entry["shape"], dtype=np.int64))
    end = offset + count * stored_dtype.itemsize
    if end > len(content):
        raise PermanentError(f"weights {entry['name']}: expected {end} bytes, the file has {len(content)}")
    stored = np.frombuffer(content, stored_dtype, count, offset).reshape(entry["shape"])
    return (dequantise(stored, _DTYPES[entry["dtype"]], quantization) if quantization else stored), end
