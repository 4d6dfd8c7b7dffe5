"""How TensorFlow.js weights are read."""

from typing import Any

import numpy as np
import pytest

from mien.errors import PermanentError
from model_repo.tfjs import read_weights


def _group(*weights: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"paths": ["w.bin"], "weights": list(weights)}]


def test_integers_are_multiples_of_the_scale_above_the_minimum() -> None:
    """uint8 weights come back as float32, computed in double precision and rounded once."""
    scale, minimum = 0.0005260649557207145, -0.07101876902229645
    entry = {
        "name": "k",
        "shape": [3],
        "dtype": "float32",
        "quantization": {"dtype": "uint8", "scale": scale, "min": minimum},
    }
    weights = read_weights(_group(entry), lambda _: bytes([0, 135, 255]))
    assert weights["k"].dtype == np.float32
    assert weights["k"].tolist() == [np.float32(v * scale + minimum) for v in (0, 135, 255)]


def test_half_precision_is_widened() -> None:
    """float16 weights keep their value."""
    stored = np.array([[0.5, -3.25]], np.float16)
    entry = {"name": "k", "shape": [1, 2], "dtype": "float32", "quantization": {"dtype": "float16"}}
    weights = read_weights(_group(entry), lambda _: stored.tobytes())
    assert weights["k"].dtype == np.float32
    assert weights["k"].tolist() == [[0.5, -3.25]]


def test_weights_run_on_across_files() -> None:
    """A group's files are one stream; an array may begin in one and end in the next."""
    content = np.array([1, 2, 3], np.float32).tobytes()
    manifest = [
        {
            "paths": ["a", "b"],
            "weights": [
                {"name": "x", "shape": [2], "dtype": "float32"},
                {"name": "y", "shape": [], "dtype": "float32"},
            ],
        }
    ]
    weights = read_weights(manifest, {"a": content[:6], "b": content[6:]}.__getitem__)
    assert weights["x"].tolist() == [1, 2]
    assert weights["y"].shape == ()
    assert weights["y"].item() == 3


@pytest.mark.parametrize("content", [b"\0" * 7, b"\0" * 9])
def test_wrong_length_is_an_error(content: bytes) -> None:
    """A file that is too short or too long doesn't belong to its manifest."""
    with pytest.raises(PermanentError, match="expected 8 bytes"):
        read_weights(_group({"name": "x", "shape": [2], "dtype": "float32"}), lambda _: content)


def test_unknown_type_is_an_error() -> None:
    """What we can't convert is named rather than guessed."""
    with pytest.raises(PermanentError, match="weights x: unknown type string"):
        read_weights(_group({"name": "x", "shape": [1], "dtype": "string"}), lambda _: b"")
