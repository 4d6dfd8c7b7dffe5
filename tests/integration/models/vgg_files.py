"""VGG-Face with random weights, in the layouts that its weights are passed around in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[attr-defined]
from numpy.typing import NDArray

from model_repo.face_embedder_vggface.weights import Layer, expected_shapes
from tests.integration.models.conftest import skip_or_fail

NAMES = [
    f"conv{block}_{index}" for block, count in enumerate((2, 2, 3, 3, 3), 1) for index in range(1, count + 1)
]
NAMES += ["fc6", "fc7", "fc8"]


def random_layers(*, thinner_by: int = 1, keep: Sequence[int] = (4096, 2622)) -> list[Layer]:
    """Return random weights; *thinner_by*: with fewer filters, in layers that have not *keep* of them.

    Scaled so that activations neither vanish nor grow on their way through the network.
    """
    generator = np.random.default_rng(5)
    layers: list[Layer] = []
    inputs = 3
    for side, _, _, filters in expected_shapes():
        outputs = filters if filters in keep else filters // thinner_by
        kernel = generator.standard_normal((side, side, inputs, outputs), dtype=np.float32)
        kernel *= np.float32(np.sqrt(2 / (side * side * inputs)))
        layers.append((kernel, np.linspace(0, 0.02, outputs, dtype=np.float32)))
        inputs = outputs
    return layers


def write_keras(path: Path, layers: Sequence[Layer], *, dense: bool = False) -> None:
    """Write weights as Keras 2 does; *dense*: what is fully connected as matrices instead of convolutions."""
    try:
        import h5py  # noqa: PLC0415  the tests of the other models run without it
    except ImportError:
        skip_or_fail("h5py is not installed: the import of VGG-Face is not tested")
    with h5py.File(path, "w") as file:
        names = []
        for name, (kernel, bias) in zip(NAMES, layers, strict=False):
            # Layers without weights lie between the convolutions.
            names += [name, f"{name}_dropout"]
            file.create_group(names[-1]).attrs["weight_names"] = np.array([], dtype="S1")
            group = file.create_group(name)
            matrix = dense and name.startswith("fc")
            stored = kernel.reshape(-1, kernel.shape[3]) if matrix else kernel
            arrays = {f"{name}/kernel:0": stored, f"{name}/bias:0": bias}
            for array_name, array in arrays.items():
                group.create_dataset(array_name, data=array)
            group.attrs["weight_names"] = [array_name.encode() for array_name in arrays]
        file.attrs["layer_names"] = [name.encode() for name in names]


def write_matconvnet(path: Path, layers: Sequence[Layer], *, old: bool = False) -> None:
    """Write weights as MatConvNet does; *old*: as its first releases did."""
    from scipy.io import savemat  # noqa: PLC0415  as above

    cells: list[dict[str, Any]] = []
    for name, (kernel, bias) in zip(NAMES, layers, strict=False):
        if old:
            stored: dict[str, Any] = {"filters": kernel, "biases": bias[None]}
        else:
            weights = np.empty((1, 2), object)
            weights[0, 0], weights[0, 1] = kernel, bias[:, None]
            stored = {"weights": weights}
        cells += [{"name": name, "type": "conv", **stored}, {"name": f"relu_{name}", "type": "relu"}]
    array = np.empty((1, len(cells)), object)
    for index, cell in enumerate(cells):
        array[0, index] = cell
    savemat(path, {"layers": array} if old else {"net": {"layers": array}})


def write_caffe(path: Path, layers: Sequence[Layer], *, old: bool = False) -> None:
    """Write weights as Caffe does; *old*: in layers of the first kind, with matrices."""
    layer_field, blobs_field = (2, 6) if old else (100, 7)
    content = b""
    for index, (kernel, bias) in enumerate(layers):
        turned = kernel.transpose(3, 2, 0, 1)
        blobs = b"".join(
            _field(blobs_field, _field(5, np.ascontiguousarray(array, "<f4").tobytes()))
            for array in (turned.reshape(1, -1) if old and index > 12 else turned, bias)
        )
        content += _field(layer_field, blobs)
        content += _field(layer_field, b"")  # a layer without weights, such as a pooling
    path.write_bytes(content)


def _field(number: int, payload: bytes) -> bytes:
    """Return a length-delimited protobuf field."""
    return bytes(_VarintBytes(number << 3 | 2) + _VarintBytes(len(payload)) + payload)


def random_images(count: int, size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
