"""The two engines that must read our SavedModels, as plain functions."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import IMAGES, SIGNATURE
from tests.integration.models.conftest import skip_or_fail


def run_openvino(folder: Path, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the outputs of a version by name, in full float32 precision."""
    openvino = _require("openvino")
    core = openvino.Core()
    model = core.compile_model(core.read_model(folder), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    results = model({IMAGES: images})
    return {output.any_name: results[output] for output in model.outputs}


def run_tensorflow(folder: Path, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """Return the outputs of a version's default signature by name."""
    tensorflow = _require("tensorflow")
    # The loaded object owns what the function needs, so it must live as long as the call.
    loaded = tensorflow.saved_model.load(str(folder))
    outputs = loaded.signatures[SIGNATURE](**{IMAGES: tensorflow.constant(images)})
    return {name: tensor.numpy() for name, tensor in outputs.items()}


def largest_difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Return the largest absolute difference of two arrays, which must have one shape."""
    assert a.shape == b.shape
    return float(np.abs(a - b).max())


def _require(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError:
        skip_or_fail(f"{name} is not installed: SavedModels are not executed in it")
