"""The nearest vectors of many: exactly, as a matrix product."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""Shape (dimensions,)."""
Vectors = NDArray[np.float32]
"""Shape (N, dimensions); N may be 0."""


class VectorIndex(Protocol):
    """Finds the vectors with the greatest inner product; that is the cosine where all have unit length."""

    def __len__(self) -> int:
        """Return the number of vectors."""
        ...

    def nearest(self, vector: Vector, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows of the *count* nearest vectors and their inner products, the nearest first."""
        ...


class ExactIndex:
    """All inner products at once: nothing to build and nothing missed."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)

    def __len__(self) -> int:
        return len(self._vectors)

    def nearest(self, vector: Vector, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See :meth:`VectorIndex.nearest`."""
        similarities = self._vectors @ vector
        count = min(count, len(similarities))
        if count == 0:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        rows = np.argpartition(-similarities, count - 1)[:count]
        rows = rows[np.argsort(-similarities[rows], kind="stable")]
        return rows, similarities[rows]


def unit(vector: Vector) -> Vector:
    """Return the vector of length 1 in the same direction; one of length 0 stays as it is."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)


def vector_of(encoded: bytes) -> Vector:
    """Decode a vector of float32, little-endian."""
    return np.frombuffer(encoded, dtype="<f4")


def encode_vector(vector: Vector) -> bytes:
    """Encode a vector as float32, little-endian."""
    return vector.astype("<f4").tobytes()
