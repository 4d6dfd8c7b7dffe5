"""Which face is for training, which to choose the best network by, and which for the figures that are told.

By photo, every person is in every part: for a network that names these people. By person, nobody is in two
parts: for a network that must work for people it has never seen. Either way near-duplicates stay together.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np

from mien.dataset.duplicates import MAX_DIFFERENT_BITS, different_bits
from mien.dataset.manifest import Dataset, Face, write_json
from mien.errors import PermanentError

By = Literal["photo", "person"]
Part = Literal["train", "validation", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "validation", "test")
SPLIT: Final = "split.json"


class LeakError(PermanentError):
    """A split has the same thing in two parts, so what is measured with it would mean nothing."""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """Ids of faces by part.

    Attributes:
        left_out: People with too few photos, by key, and how many they have.
    """

    by: By
    seed: int
    train: list[str]
    validation: list[str]
    test: list[str]
    left_out: dict[str, int] = {}

    def part(self, part: Part) -> list[str]:
        """Return the ids of a part."""
        ids: list[str] = getattr(self, part)
        return ids


def split_dataset(
    dataset: Dataset, *, by: By, validation: float, test: float, seed: int, min_photos: int = 3
) -> Split:
    """Divide the used faces, the same way for the same seed.

    Args:
        by: ``photo`` divides each person's photos; ``person`` divides the people, emotions balanced.
        validation: Share of the faces, above 0.
        test: Share of the faces, above 0; both together below 1.
        min_photos: By photo, people with fewer are left out.

    Raises:
        PermanentError: Shares or data leave a part empty.
    """
    if min(validation, test) <= 0 or validation + test >= 1:
        raise PermanentError(
            f"expected two shares above 0 that leave something for training, got {validation:g} and {test:g}"
        )
    shares = {"train": 1 - validation - test, "validation": validation, "test": test}
    generator = np.random.default_rng(seed)
    groups = _near_duplicate_groups(dataset.used())
    left_out: dict[str, int] = {}
    if by == "person":
        parts = _by_person(groups, shares, generator)
    else:
        parts, left_out = _by_photo(groups, shares, generator, min_photos)
    split = Split(by=by, seed=seed, left_out=left_out, **{part: sorted(parts[part]) for part in PARTS})
    if empty := [part for part in PARTS if not split.part(part)]:
        raise PermanentError(
            f"nothing is left for {' and '.join(empty)}: there are {len(dataset.used())} faces of "
            f"{len({face.person for face in dataset.used()})} people; "
            f"by photo, each person needs {min_photos} photos"
        )
    return split


def read_split(folder: Path, dataset: Dataset) -> Split:
    """Read and check the split of a data set.

    Raises:
        LeakError: The same face, near-duplicate or (by person) person is in two parts.
        PermanentError: There is none, it can't be understood or names faces that are not used.
    """
    try:
        split = msgspec.json.decode((folder / SPLIT).read_bytes(), type=Split)
    except FileNotFoundError:
        raise PermanentError(
            f"{folder}: expected a {SPLIT}, found none; make one: mien dataset split {folder}"
        ) from None
    except msgspec.MsgspecError as error:
        raise PermanentError(f"{folder / SPLIT} can't be understood: {error}") from error
    check_split(split, dataset)
    return split


def write_split(split: Split, folder: Path) -> None:
    """Write a split beside its data set."""
    write_json(folder / SPLIT, split)


def check_split(split: Split, dataset: Dataset) -> None:
    """Refuse a split that leaks.

    Raises:
        LeakError: The same face, near-duplicate or (by person) person is in two parts.
        PermanentError: It names faces that are not used.
    """
    faces = {face.face_id: face for face in dataset.used()}
    ids = [face_id for part in PARTS for face_id in split.part(part)]
    if unknown := sorted(set(ids) - faces.keys()):
        raise PermanentError(
            f"the split names {len(unknown)} faces that are not used, such as {unknown[0]}; split again"
        )
    if twice := [face_id for face_id, count in Counter(ids).items() if count > 1]:
        raise LeakError(f"the split leaks: {twice[0]} is in it more than once")
    part_of = {face_id: part for part in PARTS for face_id in split.part(part)}
    for group in _near_duplicate_groups([faces[face_id] for face_id in ids]):
        if len({part_of[face.face_id] for face in group}) > 1:
            names = " and ".join(face.face_id for face in group[:2])
            raise LeakError(f"the split leaks: {names} are the same picture, in different parts")
    if split.by == "person":
        parts_of: dict[str, set[Part]] = defaultdict(set)
        for face_id, part in part_of.items():
            parts_of[faces[face_id].person].add(part)
        for person, parts in sorted(parts_of.items()):
            if len(parts) > 1:
                raise LeakError(f"the split leaks: {person} is in {' and '.join(sorted(parts))}")


Groups = list[list[Face]]


def _by_photo(
    groups: Groups, shares: Mapping[str, float], generator: np.random.Generator, min_photos: int
) -> tuple[dict[str, list[str]], dict[str, int]]:
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    left_out: dict[str, int] = {}
    of_person: dict[str, Groups] = defaultdict(list)
    for group in groups:
        for person in {face.person for face in group}:
            of_person[person].append([face for face in group if face.person == person])
    # One picture under two names can't be kept together and in both people's parts.
    shared = {id_ for group in groups if len({f.person for f in group}) > 1 for id_ in map(_id, group)}
    for person, own in sorted(of_person.items()):
        usable = [group for group in own if not shared & set(map(_id, group))]
        if len(usable) < max(min_photos, len(PARTS)):
            left_out[person] = sum(map(len, own))
            continue
        order = [usable[row] for row in generator.permutation(len(usable))]
        counts = _counts(len(order), shares)
        for part in PARTS:
            parts[part] += [_id(face) for group in order[: counts[part]] for face in group]
            order = order[counts[part] :]
    return parts, left_out


def _by_person(
    groups: Groups, shares: Mapping[str, float], generator: np.random.Generator
) -> dict[str, list[str]]:
    """Give people to the part that lacks most of what they bring, those with most photos first."""
    clusters = _people_who_share_pictures(groups)
    order = [clusters[row] for row in generator.permutation(len(clusters))]
    order.sort(key=len, reverse=True)
    total = Counter(face.emotion for cluster in clusters for face in cluster)
    lacking = {part: {emotion: count * shares[part] for emotion, count in total.items()} for part in PARTS}
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    for cluster in order:
        brings = Counter(face.emotion for face in cluster)

        def need(part: Part, brings: Mapping[str | None, int] = brings) -> float:
            # In shares of what the part is to have: a small part is not always the last to get its own.
            return sum(
                count * lacking[part][emotion] / (total[emotion] * shares[part])
                for emotion, count in brings.items()
            )

        part = max(PARTS, key=need)
        parts[part] += [_id(face) for face in cluster]
        for emotion, count in brings.items():
            lacking[part][emotion] -= count
    return parts


def _counts(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Divide *total* by largest remainder, at least one for each part."""
    counts = {part: max(int(total * share), 1) for part, share in shares.items()}
    while sum(counts.values()) > total:
        counts[max(counts, key=lambda part: counts[part])] -= 1
    while sum(counts.values()) < total:
        counts[max(shares, key=lambda part: total * shares[part] - counts[part])] += 1
    return counts


def _near_duplicate_groups(faces: Sequence[Face]) -> Groups:
    if not faces:
        return []
    same = different_bits([face.fingerprint for face in faces]) <= MAX_DIFFERENT_BITS
    return [[faces[row] for row in rows] for rows in _connected(same)]


def _people_who_share_pictures(groups: Groups) -> Groups:
    people = sorted({face.person for group in groups for face in group})
    row_of = {person: row for row, person in enumerate(people)}
    linked = np.eye(len(people), dtype=bool)
    for group in groups:
        rows = sorted({row_of[face.person] for face in group})
        linked[np.ix_(rows, rows)] = True
    faces: dict[str, list[Face]] = defaultdict(list)
    for group in groups:
        for face in group:
            faces[face.person].append(face)
    return [[face for row in rows for face in faces[people[row]]] for rows in _connected(linked)]


def _connected(linked: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> list[list[int]]:
    """Return the connected components of a symmetric matrix, in order of their first rows."""
    seen: set[int] = set()
    components = []
    for start in range(len(linked)):
        if start in seen:
            continue
        component, waiting = {start}, [start]
        while waiting:
            for row in np.flatnonzero(linked[waiting.pop()]).tolist():
                if row not in component:
                    component.add(row)
                    waiting.append(row)
        seen |= component
        components.append(sorted(component))
    return components


def _id(face: Face) -> str:
    return face.face_id
