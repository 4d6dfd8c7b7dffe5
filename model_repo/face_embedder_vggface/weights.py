"""Reads VGG-Face's weights from the files they are passed around in, whatever their layout.

The Visual Geometry Group published them for MatConvNet (``.mat``) and Caffe (``.caffemodel``); others
converted them to Keras (``.h5``), with fully connected layers as convolutions or as matrices.
"""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.errors import PermanentError
from model_repo.face_embedder_vggface import caffe
from model_repo.layers import Weights

DESCRIPTOR_SIZES: Final = {"fc6": 4096, "fc8": 2622}
Descriptor = Literal["fc6", "fc8"]

# Convolutions of 3x3 between two poolings, by their number of filters.
BLOCKS: Final = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_CONVOLUTIONS: Final = tuple((3, filters) for block in BLOCKS for filters in block)
_FULLY_CONNECTED: Final = ((7, 4096), (1, 4096), (1, 2622))
_LAYERS_TO: Final = {"fc6": len(_CONVOLUTIONS) + 1, "fc8": len(_CONVOLUTIONS) + 3}

Layer = tuple[Weights, Weights]
"""Kernel (height, width, in, out) and bias (out) of one convolution."""
Colours = Literal["rgb", "bgr"]


@dataclass(frozen=True)
class VggFaceWeights:
    """The convolutions of VGG-Face, in order, and the colours the first of them expects."""

    layers: tuple[Layer, ...]
    colours: Colours


def expected_shapes(descriptor: Descriptor = "fc8") -> list[tuple[int, int, int, int]]:
    """Return the shapes of the kernels up to a layer, in order; a bias has its kernel's last size."""
    sizes = [*_CONVOLUTIONS, *_FULLY_CONNECTED]
    inputs = [3, *(filters for _, filters in sizes)]
    shapes = [(side, side, inputs[index], filters) for index, (side, filters) in enumerate(sizes)]
    return shapes[: _LAYERS_TO[descriptor]]


def read_weights(path: Path, *, descriptor: Descriptor, colours: Colours | None = None) -> VggFaceWeights:
    """Read the layers up to *descriptor*, those behind it are left out, and check them against the network.

    Args:
        colours: What the network expects; None takes what its format is known for: BGR for Caffe, else RGB.

    Raises:
        PermanentError: A package is missing, the file is of another kind, or it is not VGG-Face.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise PermanentError(f"{path}: expected a file named {', '.join('*' + name for name in _READERS)}")
    shapes = expected_shapes(descriptor)
    found = [array for layer in reader(path) for array in layer][: 2 * len(shapes)]
    wanted = [shape for kernel in shapes for shape in (kernel, kernel[3:])]
    if len(found) != len(wanted) or any(
        not _fits(array, shape) for array, shape in zip(found, wanted, strict=True)
    ):
        shapes_found = [array.shape for array in found]
        raise PermanentError(
            f"{path}: these are not VGG-Face's weights: expected {len(wanted)} arrays beginning with "
            f"{wanted[:2]} and ending with {wanted[-2:]}, got {len(found)}: "
            f"{shapes_found[:2]} … {shapes_found[-2:]}"
        )
    arrays = [
        np.ascontiguousarray(array.reshape(shape), np.float32)
        for array, shape in zip(found, wanted, strict=True)
    ]
    known: Colours = "bgr" if reader is _read_caffe else "rgb"
    return VggFaceWeights(tuple(zip(arrays[::2], arrays[1::2], strict=True)), colours or known)


def _fits(array: NDArray[Any], shape: tuple[int, ...]) -> bool:
    """Whether an array is what a layer needs; a matrix (inputs, out) is a convolution of a whole map."""
    return array.size == np.prod(shape) and array.shape[-1] == shape[-1]


def _read_keras(path: Path) -> Iterable[list[NDArray[Any]]]:
    try:
        import h5py  # noqa: PLC0415  only this command needs it
    except ImportError as error:
        raise PermanentError("h5py is not installed; run: pip install 'mien[models]'") from error
    try:
        with h5py.File(path, "r") as file:
            group = file.get("model_weights", file)
            if "layer_names" not in group.attrs:
                raise PermanentError(
                    f"{path}: expected Keras's attribute layer_names (format .h5), found none"
                )
            return [
                [
                    np.asarray(group[_text(layer)][_text(name)])
                    for name in group[_text(layer)].attrs["weight_names"]
                ]
                for layer in group.attrs["layer_names"]
            ]
    except OSError as error:
        raise PermanentError(f"{path}: expected a Keras .h5 file of weights. {error}") from error


def _read_matconvnet(path: Path) -> Iterable[list[NDArray[Any]]]:
    try:
        from scipy.io import loadmat, matlab  # noqa: PLC0415  only this command needs it
    except ImportError as error:
        raise PermanentError("scipy is not installed; run: pip install 'mien[models]'") from error
    try:
        content = loadmat(path, simplify_cells=True)
    except (matlab.MatReadError, zlib.error, ValueError, TypeError, NotImplementedError, OSError) as error:
        raise PermanentError(f"{path}: expected a MATLAB file, before version 7.3. {error}") from error
    layers = content.get("net", content)
    if not isinstance(layers, dict) or "layers" not in layers:
        raise PermanentError(f"{path}: expected MatConvNet's cell array `layers`, got {sorted(content)}")
    convolutions = [layer for layer in layers["layers"] if str(layer.get("type")) == "conv"]
    # Releases before MatConvNet 1.0-beta8 have two fields where later ones have one cell array of both.
    pairs = [
        layer["weights"] if "weights" in layer else (layer["filters"], layer["biases"])
        for layer in convolutions
    ]
    return [[np.asarray(kernel), np.asarray(bias)] for kernel, bias in pairs]


def _read_caffe(path: Path) -> Iterable[list[NDArray[Any]]]:
    # Caffe's kernels are (out, in, height, width); the rows of a matrix run through a map in that order too.
    layers: list[list[NDArray[Any]]] = []
    for (kernel, bias), (height, width, inputs, outputs) in zip(
        caffe.read_layers(path), expected_shapes(), strict=False
    ):
        if kernel.size == height * width * inputs * outputs:
            layers.append([kernel.reshape(outputs, inputs, height, width).transpose(2, 3, 1, 0), bias])
        else:
            layers.append([kernel, bias])
    return layers


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


_READERS: Final[dict[str, Callable[[Path], Iterable[list[NDArray[Any]]]]]] = {
    ".h5": _read_keras,
    ".hdf5": _read_keras,
    ".mat": _read_matconvnet,
    ".caffemodel": _read_caffe,
}
