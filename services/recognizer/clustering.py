"""Which visits are one stranger's: decided as they come, without any input or output."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mien.contracts.recognition import Rules, StrangerMember
from mien.vision.similarity import Vector, Vectors, unit, vector_of

MOST_MEMBERS = 16
"""Visits that a stranger is compared by; the best and the last are kept."""


@dataclass(frozen=True)
class StrangerMatch:
    """A stranger and how much a face resembles them."""

    stranger_id: str
    similarity: float


class StrangerIndex:
    """The strangers of one embedder and version: visits grouped by who they are by now.

    A stranger looks like the mean of their visits, each counting by its quality.
    """

    def __init__(self, *, dimensions: int, model_version: int) -> None:
        self._dimensions, self._model_version = dimensions, model_version
        self._rules = Rules()
        self._members: dict[str, StrangerMember] = {}
        self._groups: dict[str, dict[str, StrangerMember]] = {}
        self._centres: dict[str, Vector] = {}
        self._matrix: Vectors | None = None

    def __len__(self) -> int:
        """Return the number of strangers."""
        return len(self._groups)

    @property
    def members(self) -> Mapping[str, StrangerMember]:
        """All visits by id."""
        return MappingProxyType(self._members)

    def put(self, member: StrangerMember) -> None:
        """Add a visit, or what it looks like by now; one of another embedder's version is left out."""
        self.remove(member.member_id)
        if len(member.vector) != 4 * self._dimensions or member.model_version != self._model_version:
            return
        self._members[member.member_id] = member
        root = self._rules.root_of(member.stranger_id)
        self._groups.setdefault(root, {})[member.member_id] = member
        self._centre_again(root)

    def remove(self, member_id: str) -> None:
        """Forget a visit; the last one takes its stranger along."""
        member = self._members.pop(member_id, None)
        if member is None:
            return
        root = self._rules.root_of(member.stranger_id)
        del self._groups[root][member_id]
        self._centre_again(root)

    def regroup(self, rules: Rules) -> None:
        """Group all visits anew, for strangers have been joined or taken apart."""
        members, self._members, self._groups, self._centres = self._members, {}, {}, {}
        self._rules, self._matrix = rules, None
        for member in members.values():
            self.put(member)

    def members_of(self, stranger_id: str) -> list[StrangerMember]:
        """Return the visits of a stranger, under whichever of their ids."""
        return list(self._groups.get(self._rules.root_of(stranger_id), {}).values())

    def nearest(self, vector: Vector) -> StrangerMatch | None:
        """Return the stranger whom a unit vector resembles most, or None where there is none."""
        if not self._centres:
            return None
        similarities = self._similarities(vector)
        best = int(similarities.argmax())
        return StrangerMatch(list(self._centres)[best], float(similarities[best]))

    def twin_of(self, stranger_id: str, *, similarity: float) -> str | None:
        """Return another stranger so similar that the two are one, unless somebody said that they aren't."""
        root = self._rules.root_of(stranger_id)
        if root not in self._centres:
            return None
        ids: list[str] = list(self._centres)
        similarities = self._similarities(self._centres[root])
        for row in map(int, np.argsort(-similarities)):
            if similarities[row] < similarity:
                return None
            other = ids[row]
            if other != root and not self._kept_apart(root, other):
                return other
        return None

    def older_of(self, first_id: str, second_id: str) -> tuple[str, str]:
        """Return two strangers, the one who was seen first in front."""

        def age(stranger_id: str) -> tuple[int, str]:
            return min(member.seen_at_ns for member in self.members_of(stranger_id)), stranger_id

        first, second = sorted((self._rules.root_of(first_id), self._rules.root_of(second_id)), key=age)
        return first, second

    def _similarities(self, vector: Vector) -> NDArray[np.float32]:
        if self._matrix is None:
            self._matrix = np.stack(list(self._centres.values()))
        return np.asarray(self._matrix @ vector, dtype=np.float32)

    def _centre_again(self, root: str) -> None:
        self._matrix = None
        if self._groups[root]:
            self._centres[root] = centre_of(self._groups[root].values())
        else:
            del self._groups[root]
            self._centres.pop(root, None)

    def _kept_apart(self, first_root: str, second_root: str) -> bool:
        return any(
            {self._rules.root_of(one) for one in pair} == {first_root, second_root}
            for pair in self._rules.apart
        )


def centre_of(members: Iterable[StrangerMember]) -> Vector:
    """Return the unit vector that visits point to on average, each weighted by its quality."""
    total = sum(vector_of(member.vector) * max(member.quality, 0.01) for member in members)
    return unit(np.asarray(total, dtype=np.float32))


def superfluous(members: Iterable[StrangerMember], *, most: int = MOST_MEMBERS) -> list[str]:
    """Return the ids of visits that a stranger needs no longer: all but the last, the poorest first."""
    ordered = sorted(members, key=lambda member: member.seen_at_ns)
    if len(ordered) <= most:
        return []
    poorest = sorted(ordered[:-1], key=lambda member: member.quality)
    return [member.member_id for member in poorest[: len(ordered) - most]]
