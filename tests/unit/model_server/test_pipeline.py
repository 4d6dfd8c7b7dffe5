from typing import Any

import grpc
import numpy as np
import pytest

from services.model_server.pipeline import (
    RefusedError,
    Signature,
    TensorSpec,
    can_join,
    check_request,
    empty_outputs,
    join,
    split,
)

UINT8, FLOAT32 = np.dtype(np.uint8), np.dtype(np.float32)
EMBEDDER = Signature(
    "serving_default",
    {"images": TensorSpec(UINT8, (-1, 2, 2, 3))},
    {"embeddings": TensorSpec(FLOAT32, (-1, 5))},
)


def images(count: int, *, dtype: Any = np.uint8) -> Any:
    return np.zeros((count, 2, 2, 3), dtype)


def check(inputs: dict[str, Any], *, outputs: tuple[str, ...] = ()) -> int:
    return check_request(EMBEDDER, inputs, outputs, max_batch_size=4)


def test_the_first_dimension_counts_examples() -> None:
    """A good request has as many examples as rows."""
    assert check({"images": images(3)}) == 3
    assert check({"images": images(0)}) == 0


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ({}, (), r"0!=1 .*Missing but required: \{images\}"),
        ({"images": images(1), "x": images(1)}, (), r"2!=1 .*Sent extra: \{x\}"),
        ({"x": images(1)}, (), "alias not found in signature: x"),
        ({"images": images(1, dtype=np.float32)}, (), "Expects images to be uint8 but float32"),
        ({"images": np.zeros((1, 2, 2), np.uint8)}, (), r"shape \[-1, 2, 2, 3\] but \[1, 2, 2\]"),
        ({"images": np.zeros((1, 2, 9, 3), np.uint8)}, (), r"but \[1, 2, 9, 3\]"),
        ({"images": images(5)}, (), "Task size 5 is larger than maximum input batch size 4"),
        ({"images": images(1)}, ("x",), "output tensor alias not found in signature: x"),
        ({"images": images(1)}, ("embeddings", "embeddings"), "duplicate output tensor alias"),
    ],
)
def test_what_does_not_fit_is_refused(inputs: dict[str, Any], outputs: tuple[str, ...], message: str) -> None:
    """The refusal is INVALID_ARGUMENT and says what was expected and what came."""
    with pytest.raises(RefusedError, match=message) as caught:
        check(inputs, outputs=outputs)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


def test_inputs_must_agree_on_the_batch() -> None:
    """Two inputs with different numbers of rows are refused."""
    signature = Signature(
        "s", {name: TensorSpec(FLOAT32, (-1, 1)) for name in "ab"}, {"c": TensorSpec(FLOAT32, (-1, 1))}
    )
    inputs = {"a": np.zeros((1, 1), np.float32), "b": np.zeros((2, 1), np.float32)}
    with pytest.raises(RefusedError, match="equal 0th-dimension size"):
        check_request(signature, inputs, [], max_batch_size=4)


def test_a_model_without_a_batch_dimension_takes_one_request_at_a_time() -> None:
    """Its requests count as one example and its signature can't join them."""
    signature = Signature("s", {"a": TensorSpec(FLOAT32, (3,))}, {"c": TensorSpec(FLOAT32, ())})
    assert not signature.is_batched
    assert check_request(signature, {"a": np.zeros(3, np.float32)}, [], max_batch_size=1) == 1


def test_joined_requests_get_their_own_rows_back() -> None:
    """Splitting the joined rows gives each request its own."""
    first, second = {"a": np.array([[1], [2]])}, {"a": np.array([[3]])}
    assert can_join(first, second)
    parts = split(join([first, second]), [2, 1])
    assert [part["a"].tolist() for part in parts] == [[[1], [2]], [[3]]]


def test_rows_that_got_lost_are_an_error() -> None:
    """A model that doesn't answer row by row is found out."""
    with pytest.raises(ValueError, match="1 rows for 3 examples"):
        split({"a": np.zeros((1, 1))}, [2, 1])


def test_requests_of_different_sizes_do_not_join() -> None:
    """Only the number of rows may differ."""
    assert not can_join({"a": np.zeros((1, 4))}, {"a": np.zeros((1, 5))})


def test_nothing_in_gives_nothing_out() -> None:
    """An empty batch has outputs of the right shape and type."""
    embeddings = empty_outputs(EMBEDDER)["embeddings"]
    assert embeddings.shape == (0, 5)
    assert embeddings.dtype == FLOAT32
