"""Builds VGG-Face from its weights.

Parkhi, Vedaldi, Zisserman: Deep Face Recognition, BMVC 2015, configuration D: 145,002,878 parameters, of
which 117,479,232 lie before the descriptor of 4,096 numbers.
"""

from typing import Final

from mien.contracts.models import ImportedEmbedder
from model_repo import layers
from model_repo.face_embedder_vggface.weights import BLOCKS, DESCRIPTOR_SIZES, Descriptor, VggFaceWeights
from model_repo.saved_model import Graph, Model

NAMES: Final[dict[Descriptor, str]] = {"fc8": "face_embedder_vggface", "fc6": "face_embedder_vggface_fc6"}
SIZE: Final = 224
_ALIGNMENT: Final = "square15"

# Average colour of the training pictures, as the original release gives it.
_MEAN_RGB: Final = (129.1863, 104.7624, 93.5940)


def build(
    weights: VggFaceWeights,
    descriptor: Descriptor,
    *,
    accept_similarity: float | None = None,
    margin: float = 0.0,
) -> Model:
    """Return the model: uint8 RGB faces to a layer of the network, scaled to length 1.

    ``fc8``: the 2622 scores before the softmax. ``fc6``: the first fully connected layer, after its ReLU.
    """
    kernel, bias = weights.layers[0]
    # Turning the first kernel around takes the pictures in RGB whatever the network was trained on.
    first = (kernel[:, :, ::-1, :], bias) if weights.colours == "bgr" else (kernel, bias)
    remaining = iter([first, *weights.layers[1:]])
    graph = Graph()
    x = layers.image_input(graph, SIZE, _MEAN_RGB)
    for block, filters in enumerate(BLOCKS, start=1):
        for index in range(1, len(filters) + 1):
            name = f"conv{block}_{index}"
            x = layers.relu(graph, f"{name}/relu", layers.convolution(graph, name, x, *next(remaining)))
        x = layers.max_pool(graph, f"pool{block}", x, 2, stride=2)
    for name in ("fc6",) if descriptor == "fc6" else ("fc6", "fc7"):
        x = layers.convolution(graph, name, x, *next(remaining), padding="VALID")
        x = layers.relu(graph, f"{name}/relu", x)
    if descriptor == "fc8":
        x = layers.convolution(graph, "fc8", x, *next(remaining), padding="VALID")
    # The map is one pixel by now; its average is that pixel.
    x = layers.global_average(graph, "descriptor", x)
    known = ImportedEmbedder(
        size=SIZE,
        dimensions=DESCRIPTOR_SIZES[descriptor],
        alignment=_ALIGNMENT,
        accept_similarity=accept_similarity,
        margin=margin,
    )
    return layers.imported_embedder(graph, x, known)
