"""Small face embedders in ONNX with random weights: what the networks of the ArcFace family are made of."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

SIZE, DIMENSIONS = 32, 24


class _Network:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(4)

    def weight(self, *shape: int, low: float = -0.3, high: float = 0.3) -> str:
        return self.constant(self.random.uniform(low, high, shape).astype(np.float32))

    def constant(self, array: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def normalised(self, x: str, channels: int) -> str:
        statistics = [self.weight(channels, low=0.5, high=1.5), self.weight(channels), self.weight(channels)]
        return self.add(
            "BatchNormalization", x, *statistics, self.weight(channels, low=0.5, high=1.5), epsilon=2e-5
        )

    def write(self, path: Path, output: str, shape: list[int | str]) -> None:
        pictures = helper.make_tensor_value_info("data", TensorProto.FLOAT, ["N", 3, SIZE, SIZE])
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "embedder", [pictures], [result], self.weights)
        opset = helper.make_opsetid("", 17)
        onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), path)


def write_residual_network(path: Path, *, ends_with: str = "") -> str:
    """Write an IResNet in miniature, with squeeze and excitation; returns the name of its descriptor.

    Args:
        ends_with: An operation to put behind the descriptor.
    """
    net = _Network()
    x = net.add("Conv", "data", net.weight(8, 3, 3, 3), net.weight(8), strides=[1, 1], pads=[1, 1, 1, 1])
    x = net.add("PRelu", net.normalised(x, 8), net.weight(8, 1, 1, low=0.1))
    inner = net.add("Conv", net.normalised(x, 8), net.weight(16, 8, 3, 3), pads=[1, 1, 1, 1])
    inner = net.add("PRelu", inner, net.weight(16, 1, 1, low=0.1))
    inner = net.add("Conv", inner, net.weight(16, 16, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    squeezed = net.add("GlobalAveragePool", inner)
    squeezed = net.add("Relu", net.add("Conv", squeezed, net.weight(4, 16, 1, 1)))
    excited = net.add("Sigmoid", net.add("Conv", squeezed, net.weight(16, 4, 1, 1)))
    inner = net.add("Mul", inner, excited)
    shortcut = net.add("Conv", x, net.weight(16, 8, 1, 1), strides=[2, 2])
    x = net.add(
        "MaxPool", net.add("Add", inner, shortcut), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    )
    x = net.add("Dropout", net.add("Flatten", net.normalised(x, 16)))
    x = net.add("Gemm", x, net.weight(DIMENSIONS, 16 * 8 * 8), net.weight(DIMENSIONS), transB=1)
    descriptor = net.normalised(x, DIMENSIONS)
    output = net.add(ends_with, descriptor) if ends_with else descriptor
    net.write(path, output, ["N", DIMENSIONS])
    return descriptor


def write_mobile_network(path: Path) -> None:
    """Write a MobileFaceNet in miniature, which scales its pixels itself and ends in a global convolution."""
    net = _Network()
    x = net.add(
        "Mul",
        net.add("Sub", "data", net.constant(np.array(127.5, np.float32))),
        net.constant(np.array(0.0078125, np.float32)),
    )
    x = net.add("Conv", x, net.weight(8, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    x = net.add(
        "Clip",
        net.normalised(x, 8),
        net.constant(np.array(0, np.float32)),
        net.constant(np.array(6, np.float32)),
    )
    x = net.add("Conv", x, net.weight(16, 1, 3, 3), group=8, pads=[1, 1, 1, 1])
    left = net.add("LeakyRelu", x, alpha=0.1)
    right = net.add("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    x = net.add("Concat", left, right, axis=1)
    x = net.add("Conv", x, net.weight(32, 1, 16, 16), group=32)
    x = net.add("Conv", x, net.weight(DIMENSIONS, 32, 1, 1))
    x = net.add("Reshape", x, net.constant(np.array([-1, DIMENSIONS], np.int64)))
    net.write(path, x, ["N", DIMENSIONS])
