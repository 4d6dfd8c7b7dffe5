"""The three networks of MTCNN as OpenVINO graphs, with the weights that the ``mtcnn`` package carries.

Zhang et al., "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks", 2016.
Of the installed package only the weight files are read; its code, which needs TensorFlow, never runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from mien.errors import SettingsError
from mien.runtime.quiet_openvino import openvino as ov
from mien.runtime.quiet_openvino import opset13 as ops

# Two layers of P-Net compute in int8: the first, whose input is 8 bits anyway, and the largest, whose input
# lies in this span for 9,998 of 10,000 values in 41 photographs and video frames. A quarter of P-Net's time
# with AVX-512, two fifths with AVX2; of 1,007 faces that the mtcnn package is sure of, one more is missed.
_PIXELS = (0.0, 255.0)
_PROPOSAL_FEATURES = (-8.0, 12.0)

Weights = Sequence[NDArray[np.float32]]
Node = Any  # openvino ships no types

# The networks were trained on (pixel - 127.5) / 128; the first convolution absorbs that.
_PIXEL_MEAN, _PIXEL_SCALE = 127.5, 128.0


@dataclass(frozen=True)
class MtcnnNetworks:
    """Uncompiled graphs; all take RGB uint8 (N, H, W, 3) and have one output.

    Its channels are the logit of "this is a face", four box offsets and, from O-Net, ten landmarks: five x,
    then five y.

    Attributes:
        proposal: P-Net, any H and W → (N, 5, h, w), one cell per 2 pixels.
        refinement: R-Net, 24x24 → (N, 5).
        output: O-Net, 48x48 → (N, 15).
    """

    proposal: Any
    refinement: Any
    output: Any


def build_networks() -> MtcnnNetworks:
    """Build the graphs from the weights of the installed package.

    Raises:
        SettingsError: The ``mtcnn`` package is missing, or holds other files than expected.
    """
    return MtcnnNetworks(
        proposal=_build_proposal(_load_weights("pnet.lz4")),
        refinement=_build_refinement(_load_weights("rnet.lz4")),
        output=_build_output(_load_weights("onet.lz4")),
    )


def _load_weights(name: str) -> Weights:
    try:
        package = metadata.distribution("mtcnn")
    except metadata.PackageNotFoundError as error:
        raise SettingsError("the detector needs the weights of the package mtcnn: install it") from error
    found = [file for file in package.files or [] if file.name == name]
    if not found:
        raise SettingsError(f"expected {name} in the package mtcnn, got version {package.version} without it")
    weights: Weights = joblib.load(package.locate_file(found[0]))
    return weights


def _build_proposal(weights: Weights) -> Any:
    images = ops.parameter([-1, -1, -1, 3], np.uint8, name="images")
    first = _without_normalisation(weights[0], weights[1])
    x = _convolve(_planes(images), first, weights[2], span=_PIXELS)
    x = _pool(x, kernel=2)
    x = _convolve(x, (weights[3], weights[4]), weights[5])
    x = _convolve(x, (weights[6], weights[7]), weights[8], span=_PROPOSAL_FEATURES)
    x = _convolve(x, _heads(weights[11:13], weights[9:11]))
    return ov.Model([x], [images], "mtcnn_proposal")


def _build_refinement(weights: Weights) -> Any:
    images = ops.parameter([-1, 24, 24, 3], np.uint8, name="images")
    x = _convolve(_planes(images), _without_normalisation(weights[0], weights[1]), weights[2])
    x = _pool(x, kernel=3, pad_end=1)
    x = _convolve(x, (weights[3], weights[4]), weights[5])
    x = _pool(x, kernel=3)
    x = _convolve(x, (weights[6], weights[7]), weights[8])
    x = _prelu(_dense(_flat(x), weights[9], weights[10]), weights[11].reshape(1, -1))
    x = _dense(x, *_heads(weights[14:16], weights[12:14]))
    return ov.Model([x], [images], "mtcnn_refinement")


def _build_output(weights: Weights) -> Any:
    images = ops.parameter([-1, 48, 48, 3], np.uint8, name="images")
    x = _convolve(_planes(images), _without_normalisation(weights[0], weights[1]), weights[2])
    x = _pool(x, kernel=3, pad_end=1)
    x = _convolve(x, (weights[3], weights[4]), weights[5])
    x = _pool(x, kernel=3)
    x = _convolve(x, (weights[6], weights[7]), weights[8])
    x = _pool(x, kernel=2)
    x = _convolve(x, (weights[9], weights[10]), weights[11])
    x = _prelu(_dense(_flat(x), weights[12], weights[13]), weights[14].reshape(1, -1))
    x = _dense(x, *_heads(weights[19:21], weights[15:17], weights[17:19]))
    return ov.Model([x], [images], "mtcnn_output")


def _without_normalisation(
    kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    shifted = bias - kernel.sum(axis=(0, 1, 2)) * (_PIXEL_MEAN / _PIXEL_SCALE)
    return (kernel / _PIXEL_SCALE).astype(np.float32), shifted.astype(np.float32)


def _heads(classes: Weights, *others: Weights) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Join layers that read the same input into one: the logit of class 1 ("face") first, then the others.

    Softmax over two classes is the sigmoid of their difference; one layer for all saved 8 % of P-Net.
    """
    logit = [np.diff(values, axis=-1) for values in classes]
    kernels, biases = zip(logit, *others, strict=True)
    return np.concatenate(kernels, axis=-1), np.concatenate(biases, axis=-1)


def _planes(images: Node) -> Node:
    return ops.transpose(ops.convert(images, "f32"), [0, 3, 1, 2])


def _convolve(
    x: Node,
    kernel_and_bias: tuple[NDArray[np.float32], NDArray[np.float32]],
    slopes: NDArray[np.float32] | None = None,
    *,
    span: tuple[float, float] | None = None,
) -> Node:
    """Convolve without padding; kernels come as (H, W, in, out). With *slopes*, a PReLU follows.

    With *span*, that of the input's values, in 8 bits: the span in 256 steps, each output's weights in 255.
    """
    kernel, bias = kernel_and_bias
    weights: Node = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
    if span is not None:
        low, high = (np.float32(end) for end in span)
        x = ops.fake_quantize(x, low, high, low, high, 256)
        largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
        weights = ops.fake_quantize(ops.constant(weights), -largest, largest, -largest, largest, 255)
    x = ops.convolution(x, weights, [1, 1], [0, 0], [0, 0], [1, 1])
    x = ops.add(x, bias.reshape(1, -1, 1, 1))
    return x if slopes is None else _prelu(x, slopes.reshape(1, -1, 1, 1))


def _prelu(x: Node, slopes: NDArray[np.float32]) -> Node:
    return ops.prelu(x, slopes)


def _pool(x: Node, *, kernel: int, pad_end: int = 0) -> Node:
    # Every pooling has stride 2; rounding up pads an odd edge the way "same" padding does.
    rounding = "ceil" if kernel == 2 else "floor"
    return ops.max_pool(x, [2, 2], [1, 1], [0, 0], [pad_end, pad_end], [kernel, kernel], rounding).output(0)


def _flat(x: Node) -> Node:
    # The dense layers were trained on planes flattened column by column, channels last.
    return ops.reshape(ops.transpose(x, [0, 3, 2, 1]), np.array([0, -1], np.int64), True)


def _dense(x: Node, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> Node:
    return ops.add(ops.matmul(x, weights, False, False), bias.reshape(1, -1))
