"""Builds VGG-Face from a file of Keras weights.

Parkhi, Vedaldi, Zisserman: Deep Face Recognition, BMVC 2015, configuration D: 145,002,878 parameters.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from mien.errors import PermanentError
from model_repo import layers
from model_repo.layers import Weights
from model_repo.saved_model import Graph, Model

NAME: Final = "face_embedder_vggface"
SIZE: Final = 224
DIMENSIONS: Final = 2622

# Average colour of the training pictures, as the original release gives it.
_MEAN_RGB = (129.1863, 104.7624, 93.5940)
# Convolutions of 3x3 between two poolings, by their number of filters.
_BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_CONVOLUTIONS = tuple(filters for block in _BLOCKS for filters in block)
_FULLY_CONNECTED = ((7, 4096), (1, 4096), (1, DIMENSIONS))

Layer = tuple[Weights, Weights]
"""Kernel (height, width, in, out) and bias (out) of one convolution."""


def expected_shapes() -> list[tuple[int, int, int, int]]:
    """Return the shapes of the sixteen kernels, in order; a bias has its kernel's last size."""
    sizes = [(3, filters) for filters in _CONVOLUTIONS] + list(_FULLY_CONNECTED)
    inputs = [3, *(filters for _, filters in sizes)]
    return [(side, side, inputs[index], filters) for index, (side, filters) in enumerate(sizes)]


def read_keras_weights(path: Path) -> list[Layer]:
    """Return the convolutions of a Keras `.h5` file (weights or whole model), checked against the network.

    Raises:
        PermanentError: h5py is missing, or the file is not one of Keras's or not VGG-Face.
    """
    try:
        import h5py  # noqa: PLC0415  only this command needs it
    except ImportError as error:
        raise PermanentError("h5py is not installed; run: pip install 'mien[models]'") from error
    try:
        with h5py.File(path, "r") as file:
            arrays = _arrays_in_order(file)
    except OSError as error:
        raise PermanentError(f"{path}: expected a Keras .h5 file of weights. {error}") from error
    found = [array.shape for array in arrays]
    expected = [shape for kernel in expected_shapes() for shape in (kernel, kernel[3:])]
    if found != expected:
        raise PermanentError(
            f"{path}: these are not VGG-Face's weights: expected {len(expected)} arrays beginning with "
            f"{expected[:2]} and ending with {expected[-2:]}, got {len(found)}: {found[:2]} … {found[-2:]}"
        )
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def build(convolutions: list[Layer], *, trained_on_bgr: bool = False) -> Model:
    """Return the model: uint8 RGB faces to the 2622 scores before the softmax, scaled to length 1."""
    kernel, bias = convolutions[0]
    # Turning the first kernel around takes the pictures in RGB whatever the network was trained on.
    first = (kernel[:, :, ::-1, :], bias) if trained_on_bgr else (kernel, bias)
    remaining = iter([first, *convolutions[1:]])
    graph = Graph()
    x = layers.image_input(graph, SIZE, _MEAN_RGB)
    for block, filters in enumerate(_BLOCKS, start=1):
        for index in range(1, len(filters) + 1):
            name = f"conv{block}_{index}"
            x = layers.relu(graph, f"{name}/relu", layers.convolution(graph, name, x, *next(remaining)))
        x = layers.max_pool(graph, f"pool{block}", x, 2, stride=2)
    for name in ("fc6", "fc7"):
        x = layers.convolution(graph, name, x, *next(remaining), padding="VALID")
        x = layers.relu(graph, f"{name}/relu", x)
    x = layers.convolution(graph, "fc8", x, *next(remaining), padding="VALID")
    # The map is one pixel by now; its average is that pixel.
    x = layers.global_average(graph, "descriptor", x)
    return layers.embedder(graph, x, size=SIZE, dimensions=DIMENSIONS)


def _arrays_in_order(file: Any) -> list[Weights]:
    """Return every array in the order of the layers, which Keras keeps in attributes."""
    group = file.get("model_weights", file)
    if "layer_names" not in group.attrs:
        raise PermanentError(
            f"{file.filename}: expected Keras's attribute layer_names (format .h5), found none"
        )
    arrays = []
    for layer_name in group.attrs["layer_names"]:
        layer = group[_text(layer_name)]
        arrays += [np.asarray(layer[_text(name)], np.float32) for name in layer.attrs["weight_names"]]
    return arrays


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
