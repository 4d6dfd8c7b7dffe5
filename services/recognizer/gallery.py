"""Enrolled people as one matrix: exact search is a product of a few thousand rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.contracts.shared_state import Template


@dataclass(frozen=True)
class Match:
    """The person whose template is nearest, and how near the second-nearest person is.

    Attributes:
        person_id: None when nobody is enrolled.
        similarity: Cosine similarity of the nearest template; -1 when nobody is enrolled.
        runner_up_similarity: The same for the nearest other person; -1 when there is none.
    """

    person_id: str | None
    similarity: float
    runner_up_similarity: float


class Gallery:
    """Templates of one embedder, searched exactly.

    Built anew for each generation; never changed afterwards.
    """

    def __init__(self, templates: Sequence[Template], *, dimensions: int, generation: int) -> None:
        """Take the templates whose vectors have *dimensions* values; others can't be compared."""
        usable = [template for template in templates if len(template.vector) == 4 * dimensions]
        self.generation = generation
        self.ignored = len(templates) - len(usable)
        self._person_ids = np.array([template.person_id for template in usable])
        vectors = [np.frombuffer(template.vector, dtype="<f4") for template in usable]
        self._vectors = np.stack(vectors) if vectors else np.empty((0, dimensions), dtype=np.float32)

    def __len__(self) -> int:
        """Return the number of templates."""
        return len(self._vectors)

    @property
    def people(self) -> frozenset[str]:
        """Everybody who is enrolled."""
        return frozenset(self._person_ids.tolist())

    def accepted(self, vector: NDArray[np.float32], accept_similarity: float) -> list[str]:
        """Return the people who have a template at least this similar to a unit vector, the nearest first."""
        similarities = self._vectors @ vector
        order = np.argsort(-similarities, kind="stable")
        near = order[similarities[order] >= accept_similarity]
        return list(dict.fromkeys(self._person_ids[near].tolist()))

    def nearest(self, vector: NDArray[np.float32]) -> Match:
        """Find the person whose template is most similar to a unit vector, shape (dimensions,)."""
        if not len(self._vectors):
            return Match(None, -1.0, -1.0)
        similarities = self._vectors @ vector
        best = int(similarities.argmax())
        others = similarities[self._person_ids != self._person_ids[best]]
        return Match(
            str(self._person_ids[best]),
            float(similarities[best]),
            float(others.max()) if len(others) else -1.0,
        )
