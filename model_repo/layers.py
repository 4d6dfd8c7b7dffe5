"""The layers that our models are made of, as TensorFlow operations.

Images and feature maps are NHWC; kernels are (height, width, in, out), depthwise ones (height, width, in, 1).
Every function adds float32 nodes under `name` and returns the name of the last one.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMBEDDINGS, IMAGES, ImportedEmbedder
from model_repo.saved_model import BATCH, Attribute, DataType, Graph, Model, Port

Weights = NDArray[np.float32]
Padding = Literal["SAME", "VALID"]

# Keeps the length of a vector of zeros from dividing by zero; far below any real vector's squared length.
_SQUARED_LENGTH_FLOOR = 1e-12


def image_input(graph: Graph, size: int, mean_rgb: tuple[float, float, float]) -> str:
    """Add the input every model has: uint8 RGB (N, size, size, 3), converted to float32, minus `mean_rgb`."""
    graph.placeholder(IMAGES, DataType.UINT8, (BATCH, size, size, 3))
    graph.operation("normalise/cast", "Cast", IMAGES, SrcT=DataType.UINT8, DstT=DataType.FLOAT)
    mean = graph.constant("normalise/mean_rgb", np.array(mean_rgb, np.float32))
    return _float(graph, "normalise", "Sub", "normalise/cast", mean)


def image_port(size: int) -> Port:
    """Port of the node that `image_input` adds."""
    return Port(IMAGES, DataType.UINT8, (BATCH, size, size, 3))


def scale(graph: Graph, name: str, x: str, factor: float) -> str:
    """Multiply by a number."""
    return _float(graph, name, "Mul", x, graph.constant(f"{name}/factor", np.array(factor, np.float32)))


def multiply(graph: Graph, name: str, x: str, factors: Weights) -> str:
    """Multiply the last axis by a factor each."""
    return _float(graph, name, "Mul", x, graph.constant(f"{name}/factors", factors))


def grey(graph: Graph, name: str, x: str, luma_rgb: tuple[float, float, float]) -> str:
    """Turn RGB maps into one channel, the sum of the three, each times its share."""
    kernel = graph.constant(f"{name}/shares", np.array(luma_rgb, np.float32).reshape(1, 1, 3, 1))
    return _float(graph, name, "Conv2D", x, kernel, strides=[1, 1, 1, 1], padding="VALID")


def resize(graph: Graph, name: str, x: str, side: int) -> str:
    """Stretch maps to a square by bilinear interpolation between the centres of pixels, as OpenCV does."""
    sizes = graph.constant(f"{name}/sizes", np.array([side, side], np.int32))
    return _float(graph, name, "ResizeBilinear", x, sizes, align_corners=False, half_pixel_centers=True)


def crop(graph: Graph, name: str, x: str, margin: int) -> str:
    """Cut *margin* off every side of maps."""
    begin = graph.constant(f"{name}/begin", np.array([0, margin, margin, 0], np.int32))
    end = graph.constant(f"{name}/end", np.array([0, -margin, -margin, 0], np.int32))
    strides = graph.constant(f"{name}/strides", np.ones(4, np.int32))
    # Bits of the masks: the first and the last axis are taken whole.
    masks = {"begin_mask": 0b1001, "end_mask": 0b1001}
    return _float(graph, name, "StridedSlice", x, begin, end, strides, Index=DataType.INT32, **masks)


def concatenate(graph: Graph, name: str, *xs: str) -> str:
    """Put rows of (N, C) behind one another: (N, sum of all C)."""
    axis = graph.constant(f"{name}/axis", np.array(1, np.int32))
    return _float(graph, name, "ConcatV2", *xs, axis, N=len(xs), Tidx=DataType.INT32)


def subtract(graph: Graph, name: str, x: str, amounts: tuple[float, ...]) -> str:
    """Subtract a number each from the last axis."""
    return _float(graph, name, "Sub", x, graph.constant(f"{name}/amounts", np.array(amounts, np.float32)))


def reverse_channels(graph: Graph, name: str, x: str) -> str:
    """Turn RGB maps into BGR."""
    order = graph.constant(f"{name}/order", np.array([2, 1, 0], np.int32))
    axis = graph.constant(f"{name}/axis", np.array(3, np.int32))
    types = {"Tparams": DataType.FLOAT, "Tindices": DataType.INT32, "Taxis": DataType.INT32}
    return graph.operation(name, "GatherV2", x, order, axis, batch_dims=0, **types)


def convolution(
    graph: Graph,
    name: str,
    x: str,
    kernel: Weights,
    bias: Weights,
    *,
    stride: int = 1,
    padding: Padding = "SAME",
) -> str:
    """Convolve and add a bias."""
    weights = graph.constant(f"{name}/kernel", kernel)
    strides = [1, stride, stride, 1]
    product = _float(graph, f"{name}/product", "Conv2D", x, weights, strides=strides, padding=padding)
    return bias_add(graph, name, product, bias)


def separable_convolution(
    graph: Graph, name: str, x: str, kernels: tuple[Weights, Weights], bias: Weights, *, stride: int = 1
) -> str:
    """Convolve each channel by itself (first kernel), mix the channels (second kernel), and add a bias."""
    depthwise = graph.constant(f"{name}/depthwise_kernel", kernels[0])
    filtered = _float(
        graph,
        f"{name}/depthwise",
        "DepthwiseConv2dNative",
        x,
        depthwise,
        strides=[1, stride, stride, 1],
        padding="SAME",
    )
    return convolution(graph, name, filtered, kernels[1], bias)


def dense(graph: Graph, name: str, x: str, weights: Weights) -> str:
    """Multiply rows of (N, in) by weights (in, out)."""
    return _float(graph, name, "MatMul", x, graph.constant(f"{name}/weights", weights))


def bias_add(graph: Graph, name: str, x: str, bias: Weights) -> str:
    """Add a bias to the last axis."""
    return _float(graph, name, "BiasAdd", x, graph.constant(f"{name}/bias", bias))


def relu(graph: Graph, name: str, x: str) -> str:
    """Replace what is negative by 0."""
    return _float(graph, name, "Relu", x)


def prelu(graph: Graph, name: str, x: str, slope: str) -> str:
    """Multiply what is negative by `slope`, a node that broadcasts to `x`."""
    positive = _float(graph, f"{name}/positive", "Relu", x)
    negative = _float(graph, f"{name}/negative", "Relu", _float(graph, f"{name}/negated", "Neg", x))
    return _float(graph, name, "Sub", positive, _float(graph, f"{name}/scaled", "Mul", negative, slope))


def add(graph: Graph, name: str, x: str, y: str) -> str:
    """Add two feature maps of one shape."""
    return _float(graph, name, "AddV2", x, y)


def product(graph: Graph, name: str, x: str, y: str) -> str:
    """Multiply two maps, or (N, C) by (N, 1)."""
    return _float(graph, name, "Mul", x, y)


def max_pool(graph: Graph, name: str, x: str, size: int, *, stride: int) -> str:
    """Take the maximum of each window, without padding."""
    return _pool(graph, name, "MaxPool", x, size, stride)


def average_pool(graph: Graph, name: str, x: str, size: int, *, stride: int) -> str:
    """Take the mean of each window, without padding."""
    return _pool(graph, name, "AvgPool", x, size, stride)


def pad_end(graph: Graph, name: str, x: str, *, rows_and_columns: int = 0, channels: int = 0) -> str:
    """Append zeros below, on the right and behind the last channel."""
    amounts = np.array([[0, 0], [0, rows_and_columns], [0, rows_and_columns], [0, channels]], np.int32)
    return _float(graph, name, "Pad", x, graph.constant(f"{name}/amounts", amounts), Tpaddings=DataType.INT32)


def global_average(graph: Graph, name: str, x: str) -> str:
    """Average over rows and columns: (N, H, W, C) becomes (N, C)."""
    axes = graph.constant(f"{name}/axes", np.array([1, 2], np.int32))
    return _float(graph, name, "Mean", x, axes, Tidx=DataType.INT32, keep_dims=False)


def with_mirrored(graph: Graph, name: str, x: str) -> str:
    """Append what a mirror shows of each map: (N, H, W, C) becomes (2N, H, W, C)."""
    columns = graph.constant(f"{name}/columns", np.array([2], np.int32))
    mirrored = _float(graph, f"{name}/mirrored", "ReverseV2", x, columns, Tidx=DataType.INT32)
    batch = graph.constant(f"{name}/batch", np.array(0, np.int32))
    return _float(graph, name, "ConcatV2", x, mirrored, batch, N=2, Tidx=DataType.INT32)


def sum_of_halves(graph: Graph, name: str, x: str) -> str:
    """Add the second half of the rows to the first: (2N, C) becomes (N, C)."""
    batch = graph.constant(f"{name}/batch", np.array(0, np.int32))
    _float(graph, f"{name}/halves", "Split", batch, x, num_split=2)
    return add(graph, name, f"{name}/halves", f"{name}/halves:1")


def reshape(graph: Graph, name: str, x: str, shape: tuple[int, ...]) -> str:
    """Give the values another shape; one of its sizes may be -1."""
    sizes = graph.constant(f"{name}/shape", np.array(shape, np.int32))
    return _float(graph, name, "Reshape", x, sizes, Tshape=DataType.INT32)


def as_points(graph: Graph, name: str, x: str, points: int) -> str:
    """Turn rows of (N, 2 P) into points, (N, P, 2)."""
    return reshape(graph, name, x, (BATCH, points, 2))


def softmax(graph: Graph, name: str, x: str) -> str:
    """Turn rows of (N, C) into probabilities."""
    return _float(graph, name, "Softmax", x)


def unit_length(graph: Graph, name: str, x: str) -> str:
    """Scale each row of (N, C) to Euclidean length 1; a row of zeros stays as it is."""
    axis = graph.constant(f"{name}/axis", np.array([1], np.int32))
    floor = graph.constant(f"{name}/floor", np.array(_SQUARED_LENGTH_FLOOR, np.float32))
    squares = _float(graph, f"{name}/squares", "Square", x)
    sums = _float(graph, f"{name}/sums", "Sum", squares, axis, Tidx=DataType.INT32, keep_dims=True)
    floored = _float(graph, f"{name}/floored", "Maximum", sums, floor)
    return _float(graph, name, "Mul", x, _float(graph, f"{name}/inverse_length", "Rsqrt", floored))


def embedder(graph: Graph, descriptor: str, *, size: int, dimensions: int) -> Model:
    """Finish an embedder: its output is `descriptor`, float32 (N, dimensions), scaled to length 1."""
    output = unit_length(graph, EMBEDDINGS, descriptor)
    return Model(
        graph,
        inputs={IMAGES: image_port(size)},
        outputs={EMBEDDINGS: Port(output, DataType.FLOAT, (BATCH, dimensions))},
    )


def _float(graph: Graph, name: str, kind: str, *inputs: str, **attributes: Attribute) -> str:
    return graph.operation(name, kind, *inputs, T=DataType.FLOAT, **attributes)


def _pool(graph: Graph, name: str, kind: str, x: str, size: int, stride: int) -> str:
    window, strides = [1, size, size, 1], [1, stride, stride, 1]
    return _float(graph, name, kind, x, ksize=window, strides=strides, padding="VALID")


def imported_embedder(graph: Graph, descriptor: str, known: ImportedEmbedder) -> Model:
    """Finish an embedder that somebody brought, and say in it what a recognizer must know."""
    return replace(embedder(graph, descriptor, size=known.size, dimensions=known.dimensions), embedder=known)
