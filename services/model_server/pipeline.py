"""What a request may ask of a model, and how requests share an execution.

Codes and the beginnings of messages are those of tensorflow/serving (`predict_util.cc`, `server_core.cc`), so
that a client can't tell the two servers apart by their refusals.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


class RefusedError(Exception):
    """A request that is not carried out; the client gets the code and the message."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class TensorSpec:
    """One input or output; a size of -1 is any."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Signature:
    """A named way to call a model."""

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]

    @property
    def is_batched(self) -> bool:
        """Whether the first dimension of everything is the batch, so that requests can be joined."""
        specs = [*self.inputs.values(), *self.outputs.values()]
        return all(spec.shape and spec.shape[0] == -1 for spec in specs)


def check_request(
    signature: Signature, inputs: Arrays, output_filter: Sequence[str], *, max_batch_size: int
) -> int:
    """Number of examples of a request that the model can execute.

    Raises:
        RefusedError: INVALID_ARGUMENT, saying what was expected and what came.
    """
    _check_input_names(signature, inputs)
    _check_output_filter(signature, output_filter)
    for name, spec in signature.inputs.items():
        _check_tensor(name, spec, inputs[name])
    if not signature.is_batched:
        return 1
    sizes = {len(array) for array in inputs.values()}
    if len(sizes) != 1:
        raise _invalid(f"Batching Run() input tensors must have equal 0th-dimension size: {sorted(sizes)}")
    examples = sizes.pop()
    if examples > max_batch_size:
        raise _invalid(f"Task size {examples} is larger than maximum input batch size {max_batch_size}")
    return examples


def empty_outputs(signature: Signature) -> Arrays:
    """Answer to a batch of nothing, which no engine needs to see."""
    return {
        name: np.empty((0, *(max(size, 0) for size in spec.shape[1:])), spec.dtype)
        for name, spec in signature.outputs.items()
    }


def join(requests: Sequence[Arrays]) -> Arrays:
    """Inputs of several requests, one after the other along the batch."""
    if len(requests) == 1:
        return requests[0]
    return {name: np.concatenate([inputs[name] for inputs in requests]) for name in requests[0]}


def split(outputs: Arrays, sizes: Sequence[int]) -> list[Arrays]:
    """Each request's rows of the joined outputs.

    Raises:
        ValueError: an output has another number of rows than the inputs had.
    """
    for name, array in outputs.items():
        if len(array) != sum(sizes):
            raise ValueError(f"output {name} has {len(array)} rows for {sum(sizes)} examples")
    ends = np.cumsum(sizes).tolist()
    return [
        {name: array[end - size : end] for name, array in outputs.items()}
        for size, end in zip(sizes, ends, strict=True)
    ]


def can_join(first: Arrays, other: Arrays) -> bool:
    """Whether two requests differ at most in their number of examples."""
    return all(array.shape[1:] == other[name].shape[1:] for name, array in first.items())


def _check_input_names(signature: Signature, inputs: Arrays) -> None:
    expected, sent = set(signature.inputs), set(inputs)
    if len(sent) != len(expected):
        raise _invalid(
            f"input size does not match signature: {len(sent)}!={len(expected)} len({_braced(sent)}) != "
            f"len({_braced(expected)}). Sent extra: {_braced(sent - expected)}. "
            f"Missing but required: {_braced(expected - sent)}."
        )
    for name in sorted(sent - expected):
        raise _invalid(
            f"input tensor alias not found in signature: {name}. "
            f"Inputs expected to be in the set {_braced(expected)}."
        )


def _check_output_filter(signature: Signature, output_filter: Sequence[str]) -> None:
    for position, name in enumerate(output_filter):
        if name not in signature.outputs:
            raise _invalid(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {_braced(signature.outputs)}."
            )
        if name in output_filter[:position]:
            raise _invalid(f"duplicate output tensor alias: {name}")


def _check_tensor(name: str, spec: TensorSpec, array: NDArray[Any]) -> None:
    if array.dtype != spec.dtype:
        raise _invalid(f"Expects {name} to be {spec.dtype} but {array.dtype} is provided")
    fits = len(array.shape) == len(spec.shape) and all(
        expected in (-1, size) for expected, size in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise _invalid(f"Expects {name} to have shape {list(spec.shape)} but {list(array.shape)} is provided")


def _braced(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _invalid(message: str) -> RefusedError:
    return RefusedError(grpc.StatusCode.INVALID_ARGUMENT, message)
