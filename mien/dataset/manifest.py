"""What is known of every photo of a data set, and where its files lie: ``dataset.json``.

::

    DATA/dataset.json                        this
    DATA/faces/PERSON/NAME.jpg               the box, cut out: img[y:y+h, x:x+w]
    DATA/aligned/EMBEDDER/PERSON/NAME.png    the face on the template of an embedder
    DATA/set-aside/REASON/PERSON/NAME.jpg    what is not used: the face, or the photo where there is none
    DATA/split.json                          which face is for training, validation and test
"""

from pathlib import Path
from typing import Final, Literal

import msgspec

from mien.contracts.events import BoxXyxy, PointXy
from mien.dataset.photos import Person
from mien.errors import PermanentError

Reason = Literal[
    "unnamed", "unreadable", "no_face", "several", "too_small", "blurred", "duplicate", "by_hand"
]
REASONS: Final[dict[Reason, str]] = {
    "unnamed": "the name says nobody",
    "unreadable": "no picture that can be read",
    "no_face": "no face",
    "several": "several faces",
    "too_small": "too small",
    "blurred": "blurred",
    "duplicate": "duplicate",
    "by_hand": "set aside by hand",
}
MANIFEST: Final = "dataset.json"


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """A photo and the face that it is about.

    Attributes:
        photo: Path relative to the folder of photos.
        name: Name of its files, unique for the person.
        person: Key in :attr:`Dataset.people`; empty when nobody is named.
        emotion: As the photo's name has it.
        reason: Why it is not used; None for a face that is.
        explanation: The reason in words, with the figures behind it.
        faces_found: How many faces the photo shows.
        box_xyxy: Of the chosen face in pixels of the photo; None without one.
        landmarks_xy: Five points of it, pixels of the photo.
        score: The detector's confidence, 0 to 1.
        eye_distance_px: Between the eyes, pixels of the photo.
        sharpness: Variance of the Laplacian on the aligned face.
        fingerprint: 256 bits as hexadecimal digits that near-duplicates share but for a few.
    """

    photo: str
    name: str
    person: str
    emotion: str | None = None
    reason: Reason | None = None
    explanation: str = ""
    faces_found: int = 0
    box_xyxy: BoxXyxy | None = None
    landmarks_xy: list[PointXy] = []
    score: float = 0.0
    eye_distance_px: float = 0.0
    sharpness: float = 0.0
    fingerprint: str = ""

    @property
    def face_id(self) -> str:
        """What a split calls it."""
        return f"{self.person}/{self.name}"


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """All photos of a folder, used and set aside.

    Attributes:
        photos_folder: Where the photos were read; they are never changed.
        aligned_for: Embedders that aligned faces are kept for.
        model_repo: Where imported embedders say how they align; empty for the one beside the code.
    """

    photos_folder: str
    people: dict[str, Person]
    aligned_for: list[str]
    faces: list[Face]
    model_repo: str = ""

    def used(self) -> list[Face]:
        """Return the faces that count."""
        return [face for face in self.faces if face.reason is None]


def read_dataset(folder: Path) -> Dataset:
    """Read the manifest of a data set.

    Raises:
        PermanentError: There is none, or it can't be understood.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Dataset)
    except FileNotFoundError:
        raise PermanentError(
            f"{folder}: expected a data set, found no {MANIFEST}; make one: "
            f"mien dataset prepare PHOTOS {folder}"
        ) from None
    except msgspec.MsgspecError as error:
        raise PermanentError(f"{folder / MANIFEST} can't be understood: {error}") from error


def write_dataset(dataset: Dataset, folder: Path) -> None:
    """Write the manifest; readers never see half of it."""
    write_json(folder / MANIFEST, dataset)


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
    draft.replace(path)


def crop_path(folder: Path, face: Face) -> Path:
    """Where a face's picture lies, used or set aside."""
    place = folder / "faces" if face.reason is None else folder / "set-aside" / face.reason
    return place / (face.person or "nobody") / f"{face.name}.jpg"


def aligned_path(folder: Path, face: Face, embedder: str) -> Path:
    """Where a used face lies on the template of an embedder."""
    return folder / "aligned" / embedder / face.person / f"{face.name}.png"
