"""From faces to the vectors they are compared by, through the model server."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMBEDDINGS, IMAGES, Embedder, EmbedderPart
from mien.runtime.serving import ServingClient


class AlignFaces(Protocol):
    """Warps the same faces, in the same order, onto whatever template a model asks for."""

    def __call__(self, *, alignment: str, size: int) -> NDArray[np.uint8]:
        """Return RGB faces, shape (N, size, size, 3); blocks."""


class FaceEmbedding:
    """An embedder behind a model server; the parts of a fused one are asked at the same time.

    Args:
        version: Of the embedder; the parts of a fused one have versions of their own.
        max_batch_size: Most faces in one call.
        timeout_seconds: Deadline of one call.
    """

    def __init__(
        self,
        serving: ServingClient,
        embedder: Embedder,
        *,
        version: int,
        max_batch_size: int,
        timeout_seconds: float,
    ) -> None:
        self._serving = serving
        self._embedder = embedder
        self._version = version
        self._max_batch_size = max_batch_size
        self._timeout_seconds = timeout_seconds

    async def embed(self, align: AlignFaces) -> NDArray[np.float32]:
        """Return the vectors of faces, shape (N, dimensions), norm 1; N may be 0.

        Raises:
            TransientError: The model server is away or too slow, or a model is not loaded.
            PermanentError: A face can't be aligned, or the model server refuses it.
        """
        parts = self._embedder.parts
        vectors = await asyncio.gather(*(self._embed_part(part, align) for part in parts))
        return fuse(self._embedder, vectors)

    async def _embed_part(self, part: EmbedderPart, align: AlignFaces) -> NDArray[np.float32]:
        model = part.model
        images = await asyncio.to_thread(align, alignment=model.alignment, size=model.size)
        vectors = [np.empty((0, model.dimensions), dtype=np.float32)]
        for start in range(0, len(images), self._max_batch_size):
            prediction = await self._serving.predict(
                model.name,
                {IMAGES: images[start : start + self._max_batch_size]},
                version=part.version or self._version,
                timeout_seconds=self._timeout_seconds,
            )
            vectors.append(prediction.outputs[EMBEDDINGS])
        return np.concatenate(vectors)


def fuse(embedder: Embedder, vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Put the unit vectors of an embedder's parts, each (N, its dimensions), behind one another.

    Each is scaled by the root of its part's share, so that the result, shape (N, dimensions), has norm 1 and
    its dot products are the weighted sums of the parts'.
    """
    scaled = [
        one * np.float32(np.sqrt(part.share)) for part, one in zip(embedder.parts, vectors, strict=True)
    ]
    return np.concatenate(scaled, axis=1) if len(scaled) > 1 else vectors[0]
