"""Enrolled people: who is nearest to a face, and who resembles it most besides."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

import numpy as np
from numpy.typing import NDArray

from mien.contracts.recognition import Denial
from mien.contracts.shared_state import Template
from mien.vision.similarity import ExactIndex, Vector, VectorIndex, Vectors, vector_of

_LOOKED_AT = 64
"""Nearest templates to begin with; more where they are all of one person."""
_LOOK_FURTHER = 8


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


NO_MATCH = Match(None, -1.0, -1.0)


class Gallery:
    """Templates of one embedder, and the faces that are known not to be somebody.

    Built anew for each generation; never changed afterwards.
    """

    def __init__(
        self,
        templates: Sequence[Template],
        *,
        dimensions: int,
        generation: int,
        denials: Sequence[Denial] = (),
        inactive_people: Collection[str] = frozenset(),
        index: VectorIndex | None = None,
    ) -> None:
        """Take the templates whose vectors have *dimensions* values; others can't be compared.

        Args:
            denials: Of the same embedder and version.
            inactive_people: Whose templates name nobody.
            index: Over the vectors of :func:`comparable` templates, in this order; None searches exactly.
        """
        usable = comparable(templates, dimensions=dimensions)
        self.generation = generation
        self.ignored = sum(not template.set_aside for template in templates) - len(usable)
        self._people, self._person_of_row = _numbered([template.person_id for template in usable])
        self._index = ExactIndex(stacked(usable, dimensions)) if index is None else index
        self._inactive = frozenset(inactive_people)
        self._denied = _denied_vectors(denials, dimensions)

    def __len__(self) -> int:
        """Return the number of templates that can be compared, those of inactive people included."""
        return len(self._index)

    def nearest(self, vector: Vector) -> Match:
        """Find the person whose template is most similar to a vector, shape (dimensions,), of length up to 1.

        Somebody of whom it was said that a face is not theirs is passed over when that face is nearer than
        the person's own.
        """
        found = list(islice(self._nameable(vector), 2))
        if not found:
            return NO_MATCH
        return Match(found[0][0], found[0][1], found[1][1] if len(found) > 1 else -1.0)

    @property
    def people(self) -> frozenset[str]:
        """Everybody who is enrolled and may be named."""
        return frozenset(self._people) - self._inactive

    def within(self, vector: Vector, similarity: float) -> list[tuple[str, float]]:
        """Return the people who may be named and are at least this similar, the nearest first."""
        return list(takewhile(lambda one: one[1] >= similarity, self._nameable(vector)))

    def resembles_inactive(self, vector: Vector, accept_similarity: float) -> bool:
        """Whether the nearest person of all is one who must not be recognised."""
        person_id, similarity = next(iter(self._ranked(vector)), ("", -1.0))
        return person_id in self._inactive and similarity >= accept_similarity

    def _nameable(self, vector: Vector) -> Iterator[tuple[str, float]]:
        """Yield people as :meth:`_ranked` does, but for those who are inactive, or denied for such a face."""
        for person_id, similarity in self._ranked(vector):
            if person_id not in self._inactive and not self._is_denied(person_id, similarity, vector):
                yield person_id, similarity

    def _ranked(self, vector: Vector) -> Iterator[tuple[str, float]]:
        """Yield people with the similarity of their nearest template, each once, the nearest first."""
        yielded: set[int] = set()
        looked_at, count = 0, _LOOKED_AT
        while looked_at < len(self._index):
            rows, similarities = self._index.nearest(vector, count)
            if len(rows) <= looked_at:
                return
            for row, similarity in zip(rows[looked_at:], similarities[looked_at:], strict=True):
                person = int(self._person_of_row[row])
                if person not in yielded:
                    yielded.add(person)
                    yield self._people[person], float(similarity)
            looked_at, count = len(rows), count * _LOOK_FURTHER

    def _is_denied(self, person_id: str, similarity: float, vector: Vector) -> bool:
        denied = self._denied.get(person_id)
        return denied is not None and float((denied @ vector).max()) > similarity


def comparable(templates: Sequence[Template], *, dimensions: int) -> list[Template]:
    """Return the templates that are in use and whose vectors have this many values, in the order given."""
    return [one for one in templates if len(one.vector) == 4 * dimensions and not one.set_aside]


def stacked(templates: Sequence[Template], dimensions: int) -> Vectors:
    """Return the templates' vectors, shape (N, dimensions)."""
    return vector_of(b"".join(template.vector for template in templates)).reshape(-1, dimensions)


def _numbered(person_ids: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    numbers: dict[str, int] = {}
    rows = np.fromiter((numbers.setdefault(id_, len(numbers)) for id_ in person_ids), dtype=np.int64)
    return list(numbers), rows


def _denied_vectors(denials: Sequence[Denial], dimensions: int) -> dict[str, Vectors]:
    by_person: dict[str, list[Vector]] = {}
    for denial in denials:
        if denial.vector is not None and len(denial.vector.vector) == 4 * dimensions:
            by_person.setdefault(denial.person_id, []).append(vector_of(denial.vector.vector))
    return {person_id: np.stack(vectors) for person_id, vectors in by_person.items()}
