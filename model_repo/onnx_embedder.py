"""Makes an embedder of a network that somebody brought as an ONNX file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMBEDDINGS, ImportedEmbedder
from mien.runtime.quiet_openvino import openvino
from model_repo import layers
from model_repo.saved_model import Graph, Model
from model_repo.translation import read_network, translate

_CHECKED_PICTURES: Final = 4
_FULL_PRECISION: Final = {"INFERENCE_PRECISION_HINT": "f32"}


@dataclass(frozen=True)
class Preprocessing:
    """What a network expects of its pixels: (pixel - mean) / scale, in its own order of colours."""

    mean: float = 127.5
    scale: float = 127.5
    bgr: bool = False


def build(
    path: Path,
    *,
    size: int,
    preprocessing: Preprocessing,
    alignment: str,
    output: str | None = None,
    accept_similarity: float | None = None,
    margin: float = 0.0,
) -> Model:
    """Return the model: uint8 RGB faces to the network's descriptor, scaled to length 1.

    Raises:
        TranslationError: The network can't be read or translated; nothing is guessed.
    """
    network = read_network(path, size=size)
    graph = Graph()
    x = layers.image_input(graph, size, (preprocessing.mean,) * 3)
    x = layers.scale(graph, "normalise/unit", x, 1 / preprocessing.scale)
    if preprocessing.bgr:
        x = layers.reverse_channels(graph, "normalise/bgr", x)
    descriptor, dimensions = translate(network, graph, x, output=output)
    known = ImportedEmbedder(
        size=size,
        dimensions=dimensions,
        alignment=alignment,
        accept_similarity=accept_similarity,
        margin=margin,
    )
    return layers.imported_embedder(graph, descriptor, known)


def largest_difference(
    path: Path, version_folder: Path, *, size: int, preprocessing: Preprocessing, output: str | None = None
) -> float:
    """Return how far translation and source differ on pictures of noise, both scaled to length 1."""
    pictures = np.random.default_rng(1).integers(0, 256, (_CHECKED_PICTURES, size, size, 3), dtype=np.uint8)
    core = openvino.Core()
    ours = core.compile_model(core.read_model(version_folder), "CPU", _FULL_PRECISION)
    network = read_network(path, size=size)
    if output is not None:
        network.add_outputs(output)
    theirs = core.compile_model(network, "CPU", _FULL_PRECISION)
    floats = (pictures.astype(np.float32) - preprocessing.mean) / preprocessing.scale
    floats = floats[..., ::-1] if preprocessing.bgr else floats
    expected = [
        theirs(np.ascontiguousarray(one.transpose(2, 0, 1))[None])[-1 if output else 0] for one in floats
    ]
    return float(np.abs(ours(pictures)[EMBEDDINGS] - _unit_rows(expected)).max())


def _unit_rows(vectors: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    rows = np.stack([vector.reshape(-1) for vector in vectors])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
