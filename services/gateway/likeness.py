"""Whom photos look like, by id: the gallery of templates put before :mod:`mien.vision.strays`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mien.contracts.recognition import limits_of
from mien.contracts.shared_state import Template
from mien.vision.similarity import vector_of
from mien.vision.strays import SET_ASIDE, StrayLimits, Verdict, find_strays
from services.gateway.thresholds import GalleryInUse


@dataclass(frozen=True)
class KnownPhoto:
    """What else the judgement depends on: which of two copies came first, and what somebody has said."""

    uploaded_at: float
    use_anyway: bool


@dataclass(frozen=True)
class Judgement:
    """What a photo's likeness says of it; see :class:`mien.vision.strays.Likeness`.

    Attributes:
        to_set_aside: Whether it is compared with, and must not be any more.
    """

    photo_id: str
    person_id: str
    verdict: Verdict
    own_similarity: float | None
    other_similarity: float | None
    other_person_id: str | None
    duplicate_of: str | None
    to_set_aside: bool


def judge_photos(
    gallery: GalleryInUse, photos: Mapping[str, KnownPhoto], people: Collection[str]
) -> list[Judgement]:
    """Judge the photos of some people, and those of others that resemble them.

    Args:
        photos: By id; templates of photos that are not among them are compared with, but not judged.
    """
    templates = _in_order(gallery.templates, photos)
    numbers: dict[str, int] = {}
    person_of = np.array([numbers.setdefault(one.person_id, len(numbers)) for one in templates], np.int64)
    wanted = [numbers[person_id] for person_id in people if person_id in numbers]
    if not wanted:
        return []
    limits = limits_of(gallery.embedder)
    found = find_strays(
        vector_of(b"".join(one.vector for one in templates)).reshape(len(templates), -1),
        person_of,
        StrayLimits(
            lead=limits.stray_lead,
            odd_similarity=limits.disagree_similarity,
            accept_similarity=gallery.accept_similarity,
            duplicate_similarity=limits.duplicate_similarity,
        ),
        in_use=np.array([not one.set_aside for one in templates], np.bool_),
        people=wanted,
    )
    person_ids = list(numbers)
    return [
        Judgement(
            photo_id=templates[row].photo_id,
            person_id=templates[row].person_id,
            verdict=one.verdict,
            own_similarity=one.own_similarity,
            other_similarity=one.other_similarity,
            other_person_id=None if one.other_person is None else person_ids[one.other_person],
            duplicate_of=None if one.duplicate_of is None else templates[one.duplicate_of].photo_id,
            to_set_aside=one.verdict in SET_ASIDE
            and not templates[row].set_aside
            and not photos[templates[row].photo_id].use_anyway,
        )
        for row, one in sorted(found.items())
        if templates[row].photo_id in photos
    ]


def _in_order(templates: Sequence[Template], photos: Mapping[str, KnownPhoto]) -> list[Template]:
    """Return the templates that can be compared with each other, the earliest photo in front."""
    size = len(templates[0].vector) if templates else 0
    return sorted(
        (one for one in templates if len(one.vector) == size),
        key=lambda one: (
            photos[one.photo_id].uploaded_at if one.photo_id in photos else float("inf"),
            one.photo_id,
        ),
    )
