"""What a face costs: processor time of the model server and of its client, each model on one thread."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import psutil
from numpy.typing import NDArray

from mien.contracts.models import Embedder, EmbedderSpec
from mien.evaluate.identity.embeddings import BATCH, CALL_SECONDS
from mien.local.model_server import RunningModelServer
from mien.runtime.embedding import FaceEmbedding
from mien.runtime.serving import ServingClient
from model_repo import repository
from model_repo.face_embedder_vggface import build as vgg_face
from model_repo.face_embedder_vggface.weights import DESCRIPTOR_SIZES, VggFaceWeights, expected_shapes

VGG_FACE: Final = EmbedderSpec(
    vgg_face.NAMES["fc8"],
    vgg_face.SIZE,
    DESCRIPTOR_SIZES["fc8"],
    "square15",
    accept_similarity=1.0,
    margin=0.0,
)


async def cpu_ms_per_face(
    model: EmbedderSpec,
    version: int,
    crops: NDArray[np.uint8],
    server: RunningModelServer,
    serving: ServingClient,
) -> float:
    """Return processor time per face of aligned *crops*, in batches, client and server together.

    The first batch is sent once more before the clock starts.
    """
    embedding = FaceEmbedding(
        serving, model, version=version, max_batch_size=BATCH, timeout_seconds=CALL_SECONDS
    )
    await embedding.embed(_Ready(crops[:BATCH]))
    before = _cpu_seconds(server)
    await embedding.embed(_Ready(crops))
    return 1000 * (_cpu_seconds(server) - before) / len(crops)


def fused_costs(embedder: Embedder, by_model: Mapping[str, Sequence[float]]) -> list[float]:
    """Return what a face costs an embedder in each round, from the costs of its parts."""
    rounds = zip(*(by_model[part.model.name] for part in embedder.parts), strict=True)
    return [sum(costs) for costs in rounds]


@contextmanager
def random_vgg_face() -> Iterator[Path]:
    """Yield a repository that holds VGG-Face with random weights, which cost as much as real ones."""
    generator = np.random.default_rng(0)
    layers = []
    for shape in expected_shapes():
        spread = np.float32(np.sqrt(2 / np.prod(shape[:3])))
        kernel = generator.standard_normal(shape, dtype=np.float32)
        kernel *= spread
        layers.append((kernel, np.zeros(shape[3], np.float32)))
    with tempfile.TemporaryDirectory(prefix="mien-vgg-face-") as folder:
        model = vgg_face.build(VggFaceWeights(tuple(layers), "rgb"), "fc8")
        repository.publish(model, Path(folder) / VGG_FACE.name / "1", origin={"source": "random weights"})
        yield Path(folder)


class _Ready:
    """Faces that are aligned already."""

    def __init__(self, crops: NDArray[np.uint8]) -> None:
        self._crops = crops

    def __call__(self, *, alignment: str, size: int) -> NDArray[np.uint8]:
        return self._crops


def _cpu_seconds(server: RunningModelServer) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system) + time.process_time()
