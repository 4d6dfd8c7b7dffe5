"""Writes a trained identity classifier as a graph: embeddings → Dense 128 → one probability per class."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import CLASSES_JSON, EMBEDDINGS, PROBABILITIES, IdentityClasses
from model_repo import layers
from model_repo.saved_model import BATCH, DataType, Graph, Model, Port

Weights = NDArray[np.float32]


def build(
    hidden: tuple[Weights, Weights], output: tuple[Weights, Weights], classes: IdentityClasses
) -> Model:
    """Return the model: float32 (N, D) vectors of the embedder that *classes* names → probabilities.

    What the columns mean is an output itself, the same row of bytes for every face: so a client learns it
    over the wire, from exactly the version that it asks. Clients name the outputs they want.

    Args:
        hidden: Weights (D, H) and bias (H,).
        output: Weights (H, classes) and bias (classes,).

    Raises:
        ValueError: Weights and classes don't fit together.
    """
    dimensions, count = hidden[0].shape[0], output[1].shape[0]
    if count != len(classes.person_ids):
        raise ValueError(f"expected a column for each of {len(classes.person_ids)} classes, got {count}")
    graph = Graph()
    graph.placeholder(EMBEDDINGS, DataType.FLOAT, (BATCH, dimensions))
    x = layers.relu(graph, "hidden/relu", _dense(graph, "hidden", EMBEDDINGS, hidden))
    probabilities = layers.softmax(graph, PROBABILITIES, _dense(graph, "output", x, output))
    text = np.frombuffer(msgspec.json.encode(classes), np.uint8)
    return Model(
        graph,
        inputs={EMBEDDINGS: Port(EMBEDDINGS, DataType.FLOAT, (BATCH, dimensions))},
        outputs={
            PROBABILITIES: Port(probabilities, DataType.FLOAT, (BATCH, count)),
            CLASSES_JSON: Port(_repeated(graph, text), DataType.UINT8, (BATCH, len(text))),
        },
        labels=tuple(classes.person_ids),
    )


def _dense(graph: Graph, name: str, x: str, weights: tuple[Weights, Weights]) -> str:
    return layers.bias_add(graph, name, layers.dense(graph, f"{name}/product", x, weights[0]), weights[1])


def _repeated(graph: Graph, text: NDArray[np.uint8]) -> str:
    """Add a row of bytes for each row of the input: servers that batch want every output to have as many."""
    axis = graph.constant("classes/axis", np.array([1], np.int32))
    sums = graph.operation(
        "classes/sums", "Sum", EMBEDDINGS, axis, T=DataType.FLOAT, Tidx=DataType.INT32, keep_dims=True
    )
    zeros = layers.dense(graph, "classes/zeros", sums, np.zeros((1, len(text)), np.float32))
    floats = layers.bias_add(graph, "classes/floats", zeros, text.astype(np.float32))
    return graph.operation(CLASSES_JSON, "Cast", floats, SrcT=DataType.FLOAT, DstT=DataType.UINT8)
