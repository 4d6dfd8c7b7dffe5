"""What the shipped emotion network was trained on, face by face, and what its figures are told for.

Every set's people are divided by a checksum of their names, so nobody is in two parts:

- FER-2013: its Training part to train. Of its PublicTest part one half to choose, the other for the figures.
  It says nobody's name; near-duplicates were removed from the copy that is read.
- muxspace and YawDD: 4 of 10 people to train, 2 to choose, 4 for the figures.
- CK+: for the figures alone. Its agreement forbids more.

*Tired* means a yawn (YawDD): nobody has a public set of tired faces.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from mien.contracts.models import EMOTIONS
from mien.dataset.split import Part
from mien.errors import PermanentError
from mien.training.emotion_data import (
    EmotionData,
    EmotionOptions,
    LabelledFace,
    check_people,
    read_emotion_data,
)

SETS: Final = ("fer2013", "muxspace", "yawdd", "ckplus48")
OTHER: Final = "other"
_TRAINING_TIMES: Final = {"muxspace": 3, "yawdd": 2}
"""FER-2013 has 7,200 faces to train on, these have 300 each and look like what cameras see."""
_COLUMNS: Final = {
    # The columns that hold label and person; empty where a set names nobody.
    "fer2013": ("label", ""),
    "muxspace": ("label", "name_stem"),
    "yawdd": ("label5_proxy", "person_group"),
    "ckplus48": ("label5", "subject"),
}


def read_faces(options: EmotionOptions) -> EmotionData:
    """Return the faces that a training is asked to use.

    Raises:
        PermanentError: The data can't be used.
        LeakError: Somebody is in two parts.
    """
    if options.recipe:
        data = read_recipe(Path(options.recipe))
    else:
        data = read_emotion_data(
            [Path(path) for path in options.data],
            validation=options.validation,
            test=options.test,
            seed=options.seed,
        )
    if not options.most_per_label:
        return data
    seen: Counter[str] = Counter()
    kept = []
    for row in np.random.default_rng(options.seed).permutation(len(data.faces)):
        face = data.faces[row]
        seen[face.label] += face.part == "train"
        if face.part != "train" or seen[face.label] <= options.most_per_label:
            kept.append(face)
    return msgspec.structs.replace(data, faces=kept)


def read_recipe(folder: Path) -> EmotionData:
    """Return the faces that the shipped network is trained on, chosen by and measured on.

    Training faces of the small sets come several times, each in other views.

    Raises:
        PermanentError: The sets are not there.
    """
    faces = [face for name in SETS for face in read_set(folder, name)]
    once = [face for face in faces if face.label in EMOTIONS]
    check_people(once)
    known = [face for face in once for _ in range(_times(face))]
    return EmotionData(
        faces=known,
        labels=list(EMOTIONS),
        left_out={OTHER: len(faces) - len(once)},
        without_person=sum(face.person == face.path for face in once),
    )


def read_set(folder: Path, name: str) -> Iterator[LabelledFace]:
    """Yield the faces of a set, those outside the five labels as ``other``.

    Raises:
        PermanentError: The set is not there.
    """
    table = folder / name / "labels.csv"
    if not table.is_file():
        raise PermanentError(
            f"expected labelled faces in {folder} ({', '.join(SETS)}, each with a labels.csv), there is no "
            f"{table}. They are photographs of real people for research and no part of the repository: see "
            "docs/emotion.md"
        )
    label_column, person_column = _COLUMNS[name]
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            if row.get("kind", "face") != "face":
                continue
            person = f"{name}/{row[person_column] if person_column else row['path']}"
            yield LabelledFace(
                path=str((table.parent / row["path"]).resolve()),
                label=row[label_column] or OTHER,
                person=person,
                part=_part(name, person, row.get("split", "")),
            )


def _times(face: LabelledFace) -> int:
    return _TRAINING_TIMES.get(face.person.split("/")[0], 1) if face.part == "train" else 1


def _part(name: str, person: str, split: str) -> Part:
    tenth = int(hashlib.sha256(person.encode()).hexdigest(), 16) % 10
    if name == "ckplus48":
        return "test"
    if name == "fer2013":
        return "train" if split == "train" else "validation" if tenth < 5 else "test"
    return "train" if tenth < 4 else "validation" if tenth < 6 else "test"
