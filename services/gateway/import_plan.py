"""What an import would do: whose photo each file is, who is new, and what is left out. Pure decisions."""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from mien.contracts.photo_names import display_name, read_photo_names

MAX_FILES: Final = 5_000
_MAX_NAME: Final = 200


@dataclass(frozen=True)
class StagedFile:
    """A picture that was brought; *problem* is why it can't be used."""

    file_id: int
    path: str
    sha256: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class KnownPerson:
    """Somebody who is there already."""

    person_id: str
    name: str


@dataclass(frozen=True)
class WantedFile:
    """A file that becomes a photo."""

    file_id: int
    path: str
    emotion: str | None


@dataclass
class PlannedPerson:
    """Somebody the files show; *person_id* is None where they are new."""

    name: str
    person_id: str | None
    files: list[WantedFile] = field(default_factory=list)
    left_out: int = 0


@dataclass(frozen=True)
class LeftOut:
    """A file that does not become a photo, and why."""

    file_id: int
    path: str
    words: str


@dataclass(frozen=True)
class Plan:
    """Who gets which photos; people by name, files in the order they came."""

    people: list[PlannedPerson]
    left_out: list[LeftOut]


def plan_import(
    files: Sequence[StagedFile],
    known: Sequence[KnownPerson],
    enrolled: Mapping[str, KnownPerson],
) -> Plan:
    """Decide on every file.

    Args:
        enrolled: Whose photo a file is already, by the file's SHA-256.
    """
    by_key: dict[str, list[KnownPerson]] = defaultdict(list)
    for one in known:
        by_key[_key(one.name)].append(one)
    people: dict[str, PlannedPerson] = {}
    left_out: list[LeftOut] = []
    first_path: dict[str, str] = {}
    named: list[StagedFile] = []
    for file in files:
        if _leads_out(file.path):
            left_out.append(
                LeftOut(file.file_id, file.path, file.problem or "its path leads out of the folder")
            )
        else:
            named.append(file)
    names = read_photo_names([PurePosixPath(file.path) for file in named])
    for file, name in zip(named, names, strict=True):
        person_name = display_name(name.person or "")
        namesakes = by_key[_key(person_name)] if person_name else []
        if (nameless := _name_problem(person_name, namesakes)) is not None:
            left_out.append(LeftOut(file.file_id, file.path, file.problem or nameless))
            continue
        person = people.setdefault(_key(person_name), _planned(person_name, namesakes))
        words = file.problem or _copy_problem(file, namesakes, enrolled, first_path)
        if words is None:
            person.files.append(WantedFile(file.file_id, file.path, name.emotion))
        else:
            left_out.append(LeftOut(file.file_id, file.path, words))
            person.left_out += 1
    return Plan(sorted(people.values(), key=lambda one: _key(one.name)), left_out)


def _leads_out(path: str) -> bool:
    """Whether a path says nothing about the folder that was brought."""
    return path.startswith("/") or ".." in path.split("/")


def _planned(name: str, namesakes: Sequence[KnownPerson]) -> PlannedPerson:
    if namesakes:
        return PlannedPerson(namesakes[0].name, namesakes[0].person_id)
    return PlannedPerson(name, None)


def _name_problem(name: str, namesakes: Sequence[KnownPerson]) -> str | None:
    if not name:
        return "the name says nobody: expected First_Last-emotion-N.jpg, or a folder named after the person"
    if len(name) > _MAX_NAME:
        return f"the person's name is longer than {_MAX_NAME} characters"
    if len(namesakes) > 1:
        return f"{len(namesakes)} people are called {namesakes[0].name}: add the photos on a person's page"
    return None


def _copy_problem(
    file: StagedFile,
    namesakes: Sequence[KnownPerson],
    enrolled: Mapping[str, KnownPerson],
    first_path: dict[str, str],
) -> str | None:
    if file.sha256 is None:
        return None
    owner = enrolled.get(file.sha256)
    if owner is not None:
        is_same = bool(namesakes) and owner.person_id == namesakes[0].person_id
        return "already there" if is_same else f"already a photo of {owner.name}"
    first = first_path.setdefault(file.sha256, file.path)
    return None if first == file.path else f"the same file as {first}"


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
