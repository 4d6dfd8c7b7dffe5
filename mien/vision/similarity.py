"""The nearest vectors of many: exactly, as a matrix product, or through an index where there are too many.

`mien bench gallery` measures both.
"""

import os
from typing import Final, Protocol

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


class ApproximateIndex:
    """An inverted file of half-precision vectors: only the cells nearest to a face are searched.

    faiss's IndexIVFScalarQuantizer (https://github.com/facebookresearch/faiss). Building it takes seconds
    per 100,000 vectors, so do that in a thread. Never changed afterwards.
    """

    _CELLS_PER_ROOT: Final = 2
    _TRAINED_PER_CELL: Final = 40
    _TRAINING_ROUNDS: Final = 10
    _SEARCHED_SHARE: Final = 0.2

    def __init__(self, vectors: Vectors) -> None:
        import faiss  # noqa: PLC0415 - 65 MB that only a very large gallery needs

        faiss.omp_set_num_threads(len(os.sched_getaffinity(0)))
        count, dimensions = vectors.shape
        cells = min(int(self._CELLS_PER_ROOT * count**0.5), max(count // self._TRAINED_PER_CELL, 1))
        sample = np.random.default_rng(0).choice(
            count, min(count, cells * self._TRAINED_PER_CELL), replace=False
        )
        self._quantizer = faiss.IndexFlatIP(dimensions)
        self._index = faiss.IndexIVFScalarQuantizer(
            self._quantizer, dimensions, cells, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        self._index.cp.niter = self._TRAINING_ROUNDS
        self._index.train(vectors[np.sort(sample)])
        self._index.add(vectors)
        # A single search split over threads waits for the slowest of them on a busy machine.
        faiss.omp_set_num_threads(1)
        self._index.nprobe = max(int(cells * self._SEARCHED_SHARE), min(cells, 16))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def nearest(self, vector: Vector, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See :meth:`VectorIndex.nearest`; may miss some, and similarities are those of half precision."""
        query = np.ascontiguousarray(vector[np.newaxis], dtype=np.float32)
        similarities, rows = self._index.search(query, min(count, len(self)))
        found = rows[0] >= 0
        return rows[0][found].astype(np.int64), similarities[0][found]


class LayeredIndex:
    """An index of before, without what is gone since, and what has come since, searched exactly."""

    def __init__(
        self,
        base: VectorIndex,
        row_of_base: NDArray[np.int64],
        added: VectorIndex,
        added_rows: NDArray[np.int64],
    ) -> None:
        """Put the two together.

        Args:
            row_of_base: The row that each vector of the base has by now, -1 where it is gone.
            added_rows: The rows of the vectors that came since.
        """
        self._base, self._row_of_base = base, row_of_base
        self._added, self._added_rows = added, added_rows
        self._gone = int((row_of_base < 0).sum())

    def __len__(self) -> int:
        return len(self._base) - self._gone + len(self._added)

    def nearest(self, vector: Vector, count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """See :meth:`VectorIndex.nearest`."""
        # Of the nearest in the base, as many as are gone might be in front.
        base_rows, base_similarities = self._base.nearest(vector, count + min(self._gone, count))
        rows = self._row_of_base[base_rows]
        added_rows, added_similarities = self._added.nearest(vector, count)
        rows = np.concatenate([rows[rows >= 0], self._added_rows[added_rows]])
        similarities = np.concatenate(
            [base_similarities[self._row_of_base[base_rows] >= 0], added_similarities]
        )
        order = np.argsort(-similarities, kind="stable")[:count]
        return rows[order], similarities[order]


def unit(vector: Vector) -> Vector:
    """Return the vector of length 1 in the same direction; one of length 0 stays as it is."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)


def vector_of(encoded: bytes) -> Vector:
    """Decode a vector of float32, little-endian."""
    return np.frombuffer(encoded, dtype="<f4")


def encode_vector(vector: Vector) -> bytes:
    """Encode a vector as float32, little-endian."""
    return vector.astype("<f4").tobytes()
