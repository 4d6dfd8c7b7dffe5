"""The labelled faces that identity is evaluated on; read where they lie, never copied.

Nothing is chosen on the faces it is reported on. People are numbered in the order of their names: those with
even numbers are for choosing (*tuning*), those with odd numbers for the figures (*reported*). LFW's pairs are
for the figures only; the threshold of each fold comes from the other folds.
"""

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from mien.errors import PermanentError

DATA: Final = Path(__file__).parents[4] / "shared" / "data" / "identity"
SMALL_SETS: Final = ("glint24", "att_faces", "bbt_faceapi")

_T = TypeVar("_T")


class DataMissingError(PermanentError):
    """The labelled faces are not on this machine."""


@dataclass(frozen=True)
class Pair:
    """Two pictures, whether they show one person, and the fold of LFW they belong to."""

    a: Path
    b: Path
    same: bool
    fold: int


@dataclass(frozen=True)
class Enrolled:
    """A person's pictures: some to enrol, others to probe with."""

    enrol: tuple[Path, ...]
    probe: tuple[Path, ...]


People = dict[str, tuple[Path, ...]]
"""All pictures of each person, by name, in the order of the names."""


def require_data(folder: Path = DATA) -> Path:
    """Return the folder of the labelled faces.

    Raises:
        DataMissingError: It is not there.
    """
    if not (folder / "lfw" / "pairs.csv").exists():
        raise DataMissingError(
            f"expected labelled faces in {folder} (lfw/pairs.csv and others), found none. They are "
            "photographs of real people for research and no part of the repository: see docs/identity.md"
        )
    return folder


def lfw_pairs(folder: Path = DATA) -> list[Pair]:
    """Return LFW's pairs of the folds that are here."""
    root = folder / "lfw"
    return [
        Pair(root / row["a"], root / row["b"], row["same"] == "1", int(row["fold"]))
        for row in _rows(root / "pairs.csv")
    ]


def lfw_gallery(folder: Path = DATA) -> dict[str, Enrolled]:
    """Return LFW's people with pictures enough to enrol and to probe, by name."""
    root = folder / "lfw"
    paths: dict[str, dict[str, list[Path]]] = defaultdict(lambda: {"enroll": [], "probe": []})
    for row in _rows(root / "gallery.csv"):
        paths[row["person"]][row["role"]].append(root / row["path"])
    return {
        person: Enrolled(tuple(roles["enroll"]), tuple(roles["probe"]))
        for person, roles in sorted(paths.items())
    }


def lfw_pictures(folder: Path = DATA) -> list[Path]:
    """Return LFW's pictures that are in a pair or of the gallery, sorted."""
    pictures = {path for pair in lfw_pairs(folder) for path in (pair.a, pair.b)}
    for person in lfw_gallery(folder).values():
        pictures.update(person.enrol, person.probe)
    return sorted(pictures)


def lfw_strangers(folder: Path = DATA) -> People:
    """Return LFW's people who are not in the gallery."""
    enrolled = lfw_gallery(folder)
    people: dict[str, set[Path]] = defaultdict(set)
    for pair in lfw_pairs(folder):
        for path in (pair.a, pair.b):
            people[path.parent.name].add(path)
    return {person: tuple(sorted(people[person])) for person in sorted(people) if person not in enrolled}


def small_set(name: str, folder: Path = DATA) -> People:
    """Return the people of one of :data:`SMALL_SETS`."""
    people: dict[str, list[Path]] = defaultdict(list)
    for row in _rows(folder / name / "labels.csv"):
        people[row["person"]].append(folder / name / row["path"])
    return {person: tuple(people[person]) for person in sorted(people)}


def tuning(people: Mapping[str, _T]) -> dict[str, _T]:
    """Return the people that settings may be chosen on."""
    return dict(list(people.items())[::2])


def reported(people: Mapping[str, _T]) -> dict[str, _T]:
    """Return the people that figures are reported for."""
    return dict(list(people.items())[1::2])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
