"""A fused embedder asks each model in its own way, and its similarity is the weighted sum of theirs."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.models import (
    EMBEDDERS,
    EMBEDDINGS,
    FACE_EMBEDDER_FUSED,
    IMAGES,
    EmbedderPart,
    EmbedderSpec,
    FusedEmbedderSpec,
)
from mien.runtime.embedding import FaceEmbedding, fuse
from mien.runtime.serving import Prediction

SMALL = EmbedderSpec("small", 8, 4, "dlib5", accept_similarity=0.9, margin=0)
LARGE = EmbedderSpec("large", 16, 6, "square15", accept_similarity=0.6, margin=0)
BOTH = FusedEmbedderSpec(
    "both", (EmbedderPart(SMALL, 0.7, version=3), EmbedderPart(LARGE, 0.3)), accept_similarity=0.8, margin=0
)


def unit_rows(rows: int, dimensions: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).standard_normal((rows, dimensions)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


class RecordingServer:
    """A model server that notes what it was asked and answers with unit vectors."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int | None, tuple[int, ...]]] = []

    async def predict(
        self, model: str, inputs: dict[str, NDArray[np.uint8]], *, version: int | None, **_: object
    ) -> Prediction:
        images = inputs[IMAGES]
        self.asked.append((model, version, images.shape))
        dimensions = {spec.name: spec.dimensions for spec in (SMALL, LARGE)}[model]
        return Prediction({EMBEDDINGS: unit_rows(len(images), dimensions, seed=len(images))}, version=1)


class Faces:
    """Faces that note how they were wanted."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.wanted: set[tuple[str, int]] = set()

    def __call__(self, *, alignment: str, size: int) -> NDArray[np.uint8]:
        self.wanted.add((alignment, size))
        return np.zeros((self.count, size, size, 3), np.uint8)


def embedding(server: Any, embedder: EmbedderSpec | FusedEmbedderSpec) -> FaceEmbedding:
    return FaceEmbedding(server, embedder, version=2, max_batch_size=2, timeout_seconds=1)


async def test_each_model_gets_its_own_alignment_and_version() -> None:
    """Three faces with two per call are two calls to each model; a part's own version goes before ours."""
    server, faces = RecordingServer(), Faces(3)
    vectors = await embedding(server, BOTH).embed(faces)
    assert faces.wanted == {("dlib5", 8), ("square15", 16)}
    assert sorted(server.asked) == [
        ("large", 2, (1, 16, 16, 3)),
        ("large", 2, (2, 16, 16, 3)),
        ("small", 3, (1, 8, 8, 3)),
        ("small", 3, (2, 8, 8, 3)),
    ]
    assert vectors.shape == (3, BOTH.dimensions)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("embedder", [SMALL, BOTH])
async def test_no_faces_are_no_vectors(embedder: EmbedderSpec | FusedEmbedderSpec) -> None:
    """Nothing is asked for a batch of nothing."""
    server = RecordingServer()
    vectors = await embedding(server, embedder).embed(Faces(0))
    assert vectors.shape == (0, embedder.dimensions)
    assert server.asked == []


def test_similarity_is_the_weighted_sum_of_the_parts() -> None:
    """So galleries, votes and thresholds need to know nothing of fusion."""
    small, large = unit_rows(5, 4, seed=1), unit_rows(5, 6, seed=2)
    fused = fuse(BOTH, [small, large])
    np.testing.assert_allclose(fused @ fused.T, 0.7 * small @ small.T + 0.3 * large @ large.T, atol=1e-6)


def test_one_model_alone_is_not_changed() -> None:
    vectors = unit_rows(2, 4, seed=3)
    np.testing.assert_array_equal(fuse(SMALL, [vectors]), vectors)


@pytest.mark.parametrize("embedder", EMBEDDERS.values(), ids=lambda embedder: embedder.name)
def test_shares_of_our_embedders_add_up_to_one(embedder: EmbedderSpec | FusedEmbedderSpec) -> None:
    assert sum(part.share for part in embedder.parts) == pytest.approx(1)


def test_parts_of_ours_say_their_versions() -> None:
    """A new version of a part changes the vectors of the whole: it must not come in by itself."""
    assert all(part.version is not None for part in FACE_EMBEDDER_FUSED.parts)
