"""Labelled faces to train emotion networks on: from folders or tables, no person in two parts.

::

    DATA/LABEL/anything.jpg                a folder for each label
    DATA/First_Last-emotion-N.jpg          label and person by name, also in folders of people
    DATA.csv                               path, label and, as they come, person, split; paths beside it
    DATA/labels.csv                        the same, as mien people export-emotions writes it

A picture whose person nobody names counts as a person of its own.
"""

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.contracts.models import EMOTIONS
from mien.contracts.photo_names import EMOTION_WORDS
from mien.dataset.gallery import LABELS_FILE
from mien.dataset.photos import list_photos
from mien.dataset.split import PARTS, LeakError, Part
from mien.errors import PermanentError

_PARTS: Final[dict[str, Part]] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}
_NAMED_PEOPLE: Final = 10


class EmotionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a training is asked for; kept with its job.

    Attributes:
        data: Folders and tables, as above. Without them, and without *recipe*: the photos of enrolled people
            whose expression is known, as the enrolment coach takes them.
        recipe: Folder of the sets that the shipped network was trained on, instead of *data*.
        copies: New views of each training face, for the strong network; the student sees a new one each time.
        most_per_label: At most so many training faces of each label; 0 takes all.
        validation, test: Shares of the people, where the data brings no parts of its own.
        publish: Whether the network becomes a version of the model.
    """

    data: list[str] = []
    model_repo: str
    recipe: str = ""
    network: Literal["strong", "student"] = "strong"
    copies: int = 1
    epochs: int = 60
    patience: int = 12
    batch_size: int = 64
    learning_rate: float = 1e-3
    most_per_label: int = 0
    validation: float = 0.15
    test: float = 0.15
    seed: int = 1
    publish: bool = True


class LabelledFace(msgspec.Struct, frozen=True, kw_only=True):
    """A picture, what its face looks like, and whose it is.

    Attributes:
        path: Absolute.
        label: One of EMOTIONS.
        person: Key; the path itself where nobody says whose face it is.
        part: None where the parts are still to be drawn.
    """

    path: str
    label: str
    person: str
    part: Part | None = None


class EmotionData(msgspec.Struct, frozen=True, kw_only=True):
    """Faces in parts.

    Attributes:
        labels: Those that there are faces of, in the order of EMOTIONS.
        left_out: Pictures with another label, counted by it.
        without_person: Pictures of whom nobody says whose they are.
    """

    faces: list[LabelledFace]
    labels: list[str]
    left_out: dict[str, int]
    without_person: int

    def part(self, part: Part) -> list[LabelledFace]:
        """Return the faces of a part."""
        return [face for face in self.faces if face.part == part]


def read_emotion_data(paths: Sequence[Path], *, validation: float, test: float, seed: int) -> EmotionData:
    """Read folders and tables, and divide what they don't divide themselves by person.

    Args:
        validation: Share of the people, above 0.
        test: Share of the people, above 0; both together below 1.
        seed: The same seed divides in the same way.

    Raises:
        PermanentError: There is nothing to learn from, or a table can't be understood.
        LeakError: Somebody is in two parts.
    """
    if min(validation, test) <= 0 or validation + test >= 1:
        raise PermanentError(
            f"expected two shares above 0 that leave something for training, got {validation:g} and {test:g}"
        )
    faces: list[LabelledFace] = []
    left_out: Counter[str] = Counter()
    for path in paths:
        for face in _read(path):
            label = EMOTION_WORDS.get(face.label.lower())
            if label is None:
                left_out[face.label or "no label"] += 1
            else:
                faces.append(msgspec.structs.replace(face, label=label))
    _check_labels(faces, left_out)
    faces = list(_divided(faces, validation=validation, test=test, seed=seed))
    check_people(faces)
    data = EmotionData(
        faces=faces,
        labels=[label for label in EMOTIONS if any(face.label == label for face in faces)],
        left_out=dict(left_out),
        without_person=sum(face.person == face.path for face in faces),
    )
    check_parts(data)
    return data


def check_people(faces: Iterable[LabelledFace]) -> None:
    """Refuse a split that leaks.

    Raises:
        LeakError: Somebody is in two parts; it says who.
    """
    parts: dict[str, set[Part]] = defaultdict(set)
    for face in faces:
        if face.part is not None:
            parts[face.person].add(face.part)
    leaked = sorted(person for person, among in parts.items() if len(among) > 1)
    if leaked:
        told = "; ".join(
            f"{person} ({', '.join(part for part in PARTS if part in parts[person])})"
            for person in leaked[:_NAMED_PEOPLE]
        )
        more = f" and {len(leaked) - _NAMED_PEOPLE} more" if len(leaked) > _NAMED_PEOPLE else ""
        raise LeakError(
            f"the split leaks {told}{more}. Figures about people who were trained on say nothing about "
            "others: give each person one part"
        )


def check_parts(data: EmotionData) -> None:
    """Refuse parts that nothing can be learnt from, chosen by or measured on.

    Raises:
        PermanentError: A part has no face of a label; it says which.
    """
    there = {(face.part, face.label) for face in data.faces}
    missing = [
        f"{part} has no {label}" for part in PARTS for label in data.labels if (part, label) not in there
    ]
    if missing:
        people = len({face.person for face in data.faces})
        raise PermanentError(
            f"expected every label in every part, nobody in two; with {people} people {', '.join(missing)}. "
            "Add pictures of more people, or choose other shares or another seed"
        )


def _read(path: Path) -> list[LabelledFace]:
    table = path / LABELS_FILE if path.is_dir() else path
    return _read_table(table) if table.is_file() else _read_folder(path)


def _read_table(path: Path) -> list[LabelledFace]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        columns = set(table.fieldnames or ())
        if missing := {"path", "label"} - columns:
            raise PermanentError(
                f"{path}: expected columns path, label and perhaps person and split; "
                f"{', '.join(sorted(missing))} is missing among {', '.join(sorted(columns)) or 'none'}"
            )
        return [_row_face(path, number, row) for number, row in enumerate(table, start=2)]


def _row_face(table: Path, line: int, row: dict[str, str]) -> LabelledFace:
    picture = (table.parent / (row["path"] or "")).resolve()
    if not picture.is_file():
        raise PermanentError(f"{table}, line {line}: expected a picture, there is no {picture}")
    part = None
    if text := (row.get("split") or "").strip().lower():
        part = _PARTS.get(text)
        if part is None:
            raise PermanentError(
                f"{table}, line {line}: expected a split of {', '.join(PARTS)}, got {text!r}"
            )
    person = (row.get("person") or "").strip()
    return LabelledFace(
        path=str(picture), label=(row["label"] or "").strip(), person=person or str(picture), part=part
    )


def _read_folder(folder: Path) -> list[LabelledFace]:
    try:
        photos = list_photos(folder)
    except PermanentError:
        raise PermanentError(
            f"{folder}: expected pictures in a folder for each label ({', '.join(EMOTIONS)}), pictures named "
            f"First_Last-emotion-N.jpg, or a table with columns path and label; found no picture"
        ) from None
    faces = []
    for photo in photos:
        path = str((folder / photo.path).resolve())
        by_label = len(photo.path.parts) > 1 and photo.path.parts[0].lower() in EMOTION_WORDS
        named = photo.path.stem.rsplit("-", 2)
        own = named[0] if len(named) == 3 and named[2].isdecimal() else path
        faces.append(
            LabelledFace(
                path=path,
                label=photo.path.parts[0].lower() if by_label else photo.emotion or photo.person or "",
                person=own if by_label else photo.person or path,
            )
        )
    return faces


def _divided(
    faces: Sequence[LabelledFace], *, validation: float, test: float, seed: int
) -> Iterable[LabelledFace]:
    """Give a part to whoever has none, by lot.

    People are drawn among those whose rarest label is the same, so that no part goes without it.
    """
    parts = {face.person: face.part for face in faces if face.part is not None}
    counts = Counter(face.label for face in faces)
    rarest: dict[str, str] = {}
    for face in sorted(faces, key=lambda face: (-counts[face.label], face.label)):
        rarest[face.person] = face.label
    for label in counts:
        drawn = sorted(
            (person for person, own in rarest.items() if own == label and person not in parts),
            key=lambda person: hashlib.sha256(f"{seed}/{person}".encode()).digest(),
        )
        tested = _share(test, len(drawn))
        validated = tested + _share(validation, len(drawn))
        for place, person in enumerate(drawn):
            parts[person] = "test" if place < tested else "validation" if place < validated else "train"
    for face in faces:
        yield face if face.part else msgspec.structs.replace(face, part=parts[face.person])


def _share(share: float, people: int) -> int:
    """Return how many people a part is given: one at least, where three are to be divided."""
    return max(round(share * people), 1 if people >= len(PARTS) else 0)


def _check_labels(faces: Sequence[LabelledFace], left_out: Mapping[str, int]) -> None:
    found = Counter(face.label for face in faces)
    if len(found) >= 2:
        return
    others = f"; other labels: {in_words(left_out)}" if left_out else ""
    raise PermanentError(
        f"expected faces of two labels at least, of {', '.join(EMOTIONS)}; found "
        f"{in_words(found) or 'none'}{others}"
    )


def in_words(counts: Mapping[str, int]) -> str:
    """Return counts as people read them, the most in front: ``happy (3), sad (1)``."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(ordered) - _NAMED_PEOPLE} more" if len(ordered) > _NAMED_PEOPLE else ""
    return ", ".join(f"{name} ({count})" for name, count in ordered[:_NAMED_PEOPLE]) + more


def class_weights(classes: NDArray[np.int64], count: int) -> list[float]:
    """Return what a mistake in each class costs: the rarer, the more; the mean over all faces is 1."""
    there = np.bincount(classes, minlength=count)
    present = np.count_nonzero(there)
    return [float(len(classes) / (present * faces)) if faces else 0.0 for faces in there]
