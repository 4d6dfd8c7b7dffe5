"""Networks that OpenVINO reads (ONNX and others) as TensorFlow graphs of ours.

The operations known are those of convolutional networks; a network with others is refused by name.
"""

from pathlib import Path
from typing import Any

import numpy as np

from mien.runtime.quiet_openvino import openvino, passes
from model_repo.saved_model import Graph
from model_repo.translation_operations import OPERATIONS, Translation, TranslationError, value_key


def read_network(path: Path, *, size: int) -> Any:
    """Read a network of one picture in, one descriptor out, fixed to a batch of one.

    Raises:
        TranslationError: OpenVINO can't read it, or it takes something else than (N, 3, size, size).
    """
    try:
        network = openvino.Core().read_model(path)
        if len(network.inputs) != 1:
            raise TranslationError(
                f"{path}: expected one input, got {[str(port) for port in network.inputs]}"
            )
        network.reshape([1, 3, size, size])
        # With every size known, what was computed from sizes becomes a constant.
        fold = passes.Manager()
        fold.register_pass(passes.ConstantFolding())
        fold.run_passes(network)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise TranslationError(
            f"{path}: expected a network of pictures (N, 3, {size}, {size}). {reason}"
        ) from error
    return network


def translate(network: Any, graph: Graph, images: str, *, output: str | None = None) -> tuple[str, int]:
    """Add a network to a graph that already has its input, float32 (N, rows, columns, 3), as node *images*.

    Args:
        output: Name of the value to take for the descriptor; None takes the network's first output.

    Returns:
        The node of the descriptor, float32 (N, dimensions), and its number of dimensions.

    Raises:
        TranslationError: There is no such output, it is no descriptor, or an operation is not known here.
    """
    port = _find_output(network, output)
    translation = Translation(graph)
    translation.values[value_key(network.inputs[0])] = images
    for operation in network.get_ordered_ops():
        _add(translation, operation)
        if operation == port.node:
            break
    shape = tuple(port.shape)
    if len(shape) not in {2, 4} or int(np.prod(shape)) != shape[1]:
        raise TranslationError(f"expected a descriptor of shape (1, dimensions), got {shape}")
    node = translation.values[value_key(port)]
    assert isinstance(node, str)
    return translation.reshaped("descriptor", node, len(shape), (1, shape[1])), int(shape[1])


def _find_output(network: Any, name: str | None) -> Any:
    if name is None:
        return network.outputs[0].node.input_value(0)
    for operation in network.get_ordered_ops():
        for port in operation.outputs():
            if name in port.names:
                return port
    raise TranslationError(f"expected a value named {name!r} in the network, found none")


def _add(to: Translation, operation: Any) -> None:
    kind = operation.get_type_name()
    if kind in {"Parameter", "Result"}:
        return
    if kind == "Constant":
        to.values[value_key(operation.output(0))] = np.asarray(operation.data)
        return
    translate_one = OPERATIONS.get(kind)
    if translate_one is None:
        raise TranslationError(
            f"operation {kind} ({operation.get_friendly_name()}) is not known here; known are "
            f"{', '.join(sorted(OPERATIONS))}. If it only scales the result, leave it out: --output"
        )
    to.values[value_key(operation.output(0))] = translate_one(to, operation, f"{kind}_{len(to.values)}")
