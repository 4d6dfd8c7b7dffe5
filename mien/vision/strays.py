"""Photos under the wrong name: each is compared with its own person's others, and with everybody else.

A photo's likeness to a person is its mean similarity to that person's photos, itself and copies left out
(leave-one-out). Of all that look wrong the worst is set aside first, and the rest are judged again without
it: a stray makes the good photos around it look bad, and those of the person it really shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.vision.similarity import Vectors

Verdict = Literal["fine", "alone", "duplicate", "lookalike", "differs", "odd", "stray"]
"""What a photo's likeness says of it.

- ``fine``: like the person's other photos.
- ``alone``: there is no other photo to compare with.
- ``duplicate``: a copy of another photo of the person; adds nothing.
- ``lookalike``: the person's, as far as can be told, but enough like somebody else to be taken for them.
- ``differs``: the only two photos of a person are unlike each other; which one is wrong can't be told.
- ``odd``: unlike the others, and those agree. Set aside.
- ``stray``: more like somebody else than like the others. Set aside.
"""
SET_ASIDE: Final[frozenset[Verdict]] = frozenset({"odd", "stray"})

_TOLD_BY_TWO: Final = 5.0
"""How many leads make a stray of one of only two photos, where either may be the wrong one."""
_BLOCK: Final = 1024


@dataclass(frozen=True)
class StrayLimits:
    """When a likeness is suspicious.

    Attributes:
        lead: How much more like somebody else than like its own person a stray is.
        odd_similarity: Less like the person's others than this, a photo shows somebody else.
        accept_similarity: From here on a face is given that person's name.
        duplicate_similarity: From here on two photos are copies of one.
    """

    lead: float
    odd_similarity: float
    accept_similarity: float
    duplicate_similarity: float


@dataclass(frozen=True)
class Likeness:
    """How a photo compares.

    Attributes:
        own_similarity: To the person's other photos; None where there is none.
        other_person: Index of the person whom it resembles most besides; None where there is nobody else.
        other_similarity: To that person's photos; None where there is nobody else.
        duplicate_of: Row of the earlier photo that it is a copy of.
    """

    verdict: Verdict
    own_similarity: float | None = None
    other_person: int | None = None
    other_similarity: float | None = None
    duplicate_of: int | None = None


def find_strays(
    vectors: Vectors,
    person_of: NDArray[np.int64],
    limits: StrayLimits,
    *,
    in_use: NDArray[np.bool_] | None = None,
    people: Sequence[int] | None = None,
) -> dict[int, Likeness]:
    """Judge photos by what they look like.

    Args:
        vectors: Of unit length, shape (N, dimensions), the earliest photo of each person in front.
        person_of: Index of the person of each row, shape (N,).
        in_use: Rows that others are compared with, shape (N,); None is all. The rest are judged, too.
        people: Judge their photos, and those of others that resemble them; None judges everybody's.

    Returns:
        By row; a photo in use whose verdict is in :data:`SET_ASIDE` is to be set aside.
    """
    if not len(vectors):
        return {}
    everything = np.ones(len(vectors), dtype=np.bool_)
    use = everything.copy() if in_use is None else in_use.copy()
    judged = np.arange(len(vectors)) if people is None else np.flatnonzero(np.isin(person_of, people))
    copies = _copies(vectors, person_of, use, person_of[judged], limits.duplicate_similarity)
    comparison = _Comparison(vectors, person_of, use & ~np.isin(np.arange(len(use)), list(copies)))
    if people is not None:
        judged = np.union1d(judged, comparison.rows_near(people, limits.lead))
    doubted = use.copy()
    scores = comparison.scores(judged)
    aside: dict[int, Likeness] = {}
    while True:
        badness = _badness(scores, limits)
        badness[~doubted[judged]] = 0.0
        worst = int(badness.argmax()) if len(badness) else 0
        if not len(badness) or badness[worst] <= 0:
            break
        row = int(judged[worst])
        aside[row] = _likeness(scores, worst, limits)
        doubted[row] = False
        person = comparison.leave_out(row)
        scores = comparison.scores_after(judged, scores, person)
    found = {int(row): _likeness(scores, at, limits) for at, row in enumerate(judged)}
    for row, first in copies.items():
        if row in found and found[row].verdict not in SET_ASIDE:
            one = found[row]
            found[row] = Likeness(
                "duplicate", one.own_similarity, one.other_person, one.other_similarity, first
            )
    return found | aside


@dataclass
class _Scores:
    """Per judged row: likeness to its person's others, how many these are, and to the nearest other."""

    own: NDArray[np.float32]
    own_count: NDArray[np.int64]
    other: NDArray[np.float32]
    other_person: NDArray[np.int64]

    def of(self, at: slice) -> "_Scores":
        """Return those of some of the rows."""
        return _Scores(self.own[at], self.own_count[at], self.other[at], self.other_person[at])


class _Comparison:
    """Everybody's mean, without holding all similarities at once."""

    def __init__(self, vectors: Vectors, person_of: NDArray[np.int64], counts: NDArray[np.bool_]) -> None:
        self._vectors, self._person_of = vectors, person_of
        self._counted = counts.copy()
        self._sums = np.zeros((int(person_of.max()) + 1, vectors.shape[1]), dtype=np.float32)
        np.add.at(self._sums, person_of[counts], vectors[counts])
        self._sizes = np.bincount(person_of[counts], minlength=len(self._sums))

    def scores(self, rows: NDArray[np.int64]) -> _Scores:
        own, own_count = self._own(rows)
        other = np.full(len(rows), -1.0, dtype=np.float32)
        other_person = np.full(len(rows), -1, dtype=np.int64)
        means = self._sums / np.maximum(self._sizes, 1)[:, np.newaxis]
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            similarities = self._vectors[block] @ means.T
            similarities[:, self._sizes == 0] = -1.0
            similarities[np.arange(len(block)), self._person_of[block]] = -1.0
            best = similarities.argmax(axis=1)
            other[start : start + len(block)] = similarities[np.arange(len(block)), best]
            other_person[start : start + len(block)] = best
        return _Scores(own, own_count, other, other_person)

    def scores_after(self, rows: NDArray[np.int64], before: _Scores, person: int) -> _Scores:
        """Return the scores when one person's mean has changed."""
        similarity = self._to_person(rows, person)
        touched = (
            (self._person_of[rows] == person) | (before.other_person == person) | (similarity > before.other)
        )
        again = self.scores(rows[touched])
        scores = _Scores(
            before.own.copy(), before.own_count.copy(), before.other.copy(), before.other_person.copy()
        )
        scores.own[touched], scores.own_count[touched] = again.own, again.own_count
        scores.other[touched], scores.other_person[touched] = again.other, again.other_person
        return scores

    def leave_out(self, row: int) -> int:
        """Compare with a photo no more; returns whose it was."""
        person = int(self._person_of[row])
        if self._counted[row]:
            self._counted[row] = False
            self._sums[person] -= self._vectors[row]
            self._sizes[person] -= 1
        return person

    def rows_near(self, people: Sequence[int], lead: float) -> NDArray[np.int64]:
        """Return the photos of others that are about as like one of these people as like their own."""
        everybody = np.arange(len(self._vectors))
        own, _ = self._own(everybody)
        near = np.zeros(len(everybody), dtype=np.bool_)
        for person in people:
            near |= self._to_person(everybody, person) > np.nan_to_num(own, nan=-1.0) - lead
        return np.flatnonzero(near & ~np.isin(self._person_of, people))

    def _own(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        person, counted = self._person_of[rows], self._counted[rows]
        count = self._sizes[person] - counted
        total = np.einsum("nd,nd->n", self._vectors[rows], self._sums[person]) - counted
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32), count

    def _to_person(self, rows: NDArray[np.int64], person: int) -> NDArray[np.float32]:
        if not self._sizes[person]:
            return np.full(len(rows), -1.0, dtype=np.float32)
        return np.asarray(self._vectors[rows] @ (self._sums[person] / self._sizes[person]), dtype=np.float32)


def _badness(scores: _Scores, limits: StrayLimits) -> NDArray[np.float32]:
    """Return by how much each photo is a stray or odd, 0 where it is neither."""
    lead = np.nan_to_num(scores.other - scores.own, nan=-1.0)
    below = np.nan_to_num(limits.odd_similarity - scores.own, nan=-1.0)
    of_several = np.where(
        (lead > limits.lead) | (below > 0), np.maximum(np.maximum(lead, below), limits.lead), 0
    )
    of_two = np.where(
        (lead > _TOLD_BY_TWO * limits.lead) & (scores.other >= limits.accept_similarity), lead, 0.0
    )
    badness = np.where(scores.own_count >= 2, of_several, np.where(scores.own_count == 1, of_two, 0.0))
    return np.asarray(badness, dtype=np.float32)


def _likeness(scores: _Scores, at: int, limits: StrayLimits) -> Likeness:
    own = None if scores.own_count[at] == 0 else float(scores.own[at])
    other = float(scores.other[at]) if scores.other[at] > -1 else None
    return Likeness(
        _verdict(scores, at, limits), own, None if other is None else int(scores.other_person[at]), other
    )


def _verdict(scores: _Scores, at: int, limits: StrayLimits) -> Verdict:
    if _badness(scores.of(slice(at, at + 1)), limits)[0] > 0:
        return "stray" if scores.other[at] - scores.own[at] > limits.lead else "odd"
    if scores.other[at] >= limits.accept_similarity:
        return "lookalike"
    if scores.own_count[at] == 0:
        return "alone"
    if scores.own_count[at] == 1 and scores.own[at] < limits.odd_similarity:
        return "differs"
    return "fine"


def _copies(
    vectors: Vectors,
    person_of: NDArray[np.int64],
    use: NDArray[np.bool_],
    people: NDArray[np.int64],
    duplicate_similarity: float,
) -> dict[int, int]:
    """Return, by row, the first photo in use of the same person that it is a copy of."""
    found: dict[int, int] = {}
    for person in np.unique(people):
        rows = np.flatnonzero(person_of == person)
        similarities = vectors[rows] @ vectors[rows].T
        for at in range(1, len(rows)):
            earlier = [n for n in range(at) if use[rows[n]] and int(rows[n]) not in found]
            if earlier:
                best = max(earlier, key=lambda n, at=at: similarities[at, n])  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                if similarities[at, best] >= duplicate_similarity:
                    found[int(rows[at])] = int(rows[best])
    return found
