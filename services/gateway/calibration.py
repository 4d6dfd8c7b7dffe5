"""Thresholds fitted to a gallery: how far faces of different people come, and how near those of the same.

Each template plays a face that comes in: once as a face of its own person, compared with that person's other
templates, and once as a stranger's, compared with everybody else's (its own person is left out). Strangers
that cameras have seen are of no use here: they are remembered because they resembled nobody, so their
similarities end where the threshold was.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.contracts.recognition import SimilarityLimits
from mien.contracts.shared_state import Template
from mien.vision.similarity import Vectors, vector_of

_PROBES: Final = 4_000
"""Faces that are compared with all others; a larger gallery is sampled."""
_BLOCK: Final = 256
_ENOUGH_FACES, _ENOUGH_PEOPLE = 40, 10
"""Fewer faces than this tell nothing about how much strangers resemble these people."""
_TOLD_RATE: Final = 0.1
"""One face in ten; how far one in a thousand comes, no small gallery can tell."""
_LOOKALIKE_MARGIN: Final = 0.005
_HIGHEST: Final = 0.99


@dataclass(frozen=True)
class GalleryScores:
    """What the templates of a gallery say about each other.

    Attributes:
        genuine: Best similarity of a face with another of the same person, shape (G,); people with one
            template have none.
        impostor: Best similarity of a face with anybody else, shape (I,).
        lookalikes: By person id, the best similarity that anybody else's face has with theirs.
        people: How many there are.
        templates: How many there are.
    """

    genuine: NDArray[np.float32]
    impostor: NDArray[np.float32]
    people: int
    templates: int
    lookalikes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """Thresholds, and what they rest on: the gallery's own faces, or the embedder's figures alone."""

    accept_similarity: float
    person_thresholds: dict[str, float]
    basis: Literal["gallery", "cohort"]


def score_gallery(templates: Sequence[Template], denied: Sequence[tuple[str, bytes]] = ()) -> GalleryScores:
    """Compare the templates of one embedder with each other; takes seconds from 10,000 on.

    Args:
        denied: Faces of whom it was said that they are not a person: the person's id and the vector.
    """
    ordered = sorted(templates, key=lambda template: template.person_id)
    if not ordered:
        nothing = np.empty(0, dtype=np.float32)
        return GalleryScores(nothing, nothing, people=0, templates=0)
    vectors = vector_of(b"".join(one.vector for one in ordered)).reshape(len(ordered), -1)
    people, starts, person_of = np.unique(
        [one.person_id for one in ordered], return_index=True, return_inverse=True
    )
    probes = np.arange(len(ordered))
    if len(probes) > _PROBES:
        probes = np.sort(np.random.default_rng(0).choice(probes, _PROBES, replace=False))
    genuine, impostor = [], []
    lookalikes = np.full(len(people), -1.0, dtype=np.float32)
    for first in range(0, len(probes), _BLOCK):
        rows = probes[first : first + _BLOCK]
        similarities = vectors[rows] @ vectors.T
        similarities[np.arange(len(rows)), rows] = -1.0
        by_person = np.maximum.reduceat(similarities, starts, axis=1)
        own = person_of[rows]
        genuine.append(by_person[np.arange(len(rows)), own])
        by_person[np.arange(len(rows)), own] = -1.0
        impostor.append(by_person.max(axis=1))
        lookalikes = np.maximum(lookalikes, by_person.max(axis=0))
    by_id = {str(person): float(best) for person, best in zip(people, lookalikes, strict=True) if best > -1}
    _add_denied(by_id, vectors, [str(people[row]) for row in person_of], denied)
    return GalleryScores(
        genuine=_known(np.concatenate(genuine)),
        impostor=_known(np.concatenate(impostor)),
        people=len(people),
        templates=len(ordered),
        lookalikes=by_id,
    )


def fit_thresholds(
    scores: GalleryScores, limits: SimilarityLimits, *, false_accept_rate: float, least: float
) -> Fit:
    """Choose the threshold at which this share of strangers gets a name, and stricter ones for look-alikes.

    The tail of a gallery's own similarities rests on a handful of look-alikes: continued from 79 LFW people
    it named 0.2 % of 3,219 strangers where 1 % was asked for, and from 40 people up to 5 %. With the
    embedder's figures for pairs of strangers it was 0.5 to 0.7 %, and 0.03 to 0.07 % for 0.1 % (figures and
    strangers are both of LFW). So these decide, moved up by as much as the gallery's faces resemble each
    other more than they should at the one rate that few faces do tell.

    Args:
        least: No threshold below this, whatever the figures say.
    """
    accept = _cohort_threshold(limits, scores.templates, false_accept_rate)
    shift = 0.0
    if len(scores.impostor) >= _ENOUGH_FACES and scores.people >= _ENOUGH_PEOPLE:
        own = float(np.quantile(scores.impostor, 1 - _TOLD_RATE))
        shift = max(own - _cohort_threshold(limits, scores.templates, _TOLD_RATE), 0.0)
    accept += shift
    accept = round(min(max(accept, least), _HIGHEST), 4)
    strict = {
        person_id: round(min(best + _LOOKALIKE_MARGIN, _HIGHEST), 4)
        for person_id, best in scores.lookalikes.items()
        if best + _LOOKALIKE_MARGIN > accept
    }
    return Fit(accept, strict, "gallery" if shift > 0 else "cohort")


def false_accepts(scores: GalleryScores, accept_similarity: float) -> tuple[float, float] | None:
    """Return the share of other people's faces that would get a name, and its upper bound (Wilson, 95 %)."""
    count = len(scores.impostor)
    if not count:
        return None
    share = float((scores.impostor >= accept_similarity).mean())
    z = 1.645
    centre = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return share, min((centre + spread) / (1 + z * z / count), 1.0)


def false_rejects(scores: GalleryScores, accept_similarity: float) -> float | None:
    """Return the share of people's own faces that would get no name; None where nobody has two."""
    if not len(scores.genuine):
        return None
    return float((scores.genuine < accept_similarity).mean())


def _add_denied(
    lookalikes: dict[str, float],
    vectors: Vectors,
    person_of_row: Sequence[str],
    denied: Sequence[tuple[str, bytes]],
) -> None:
    for person_id, vector in denied:
        rows = [row for row, owner in enumerate(person_of_row) if owner == person_id]
        if rows and len(vector) == 4 * vectors.shape[1]:
            best = float((vectors[rows] @ vector_of(vector)).max())
            lookalikes[person_id] = max(best, lookalikes.get(person_id, -1.0))


def _known(similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    return similarities[similarities > -1]


def _cohort_threshold(limits: SimilarityLimits, templates: int, rate: float) -> float:
    """Return the similarity that a stranger reaches with any of so many templates at this rate.

    Comparisons are taken as independent, which they are not quite: the threshold errs to the strict side.
    """
    known = limits.impostor_similarities
    if len(known) < 2:
        return -1.0
    decades = -math.log10(1 - (1 - rate) ** (1 / max(templates, 1)))
    whole = min(max(int(decades), 1), len(known) - 1)
    lower, upper = known[whole - 1], known[whole]
    return lower + (upper - lower) * (decades - whole)
