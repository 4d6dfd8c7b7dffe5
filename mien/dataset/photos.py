"""Which photos a folder holds, and whom each of them shows, by its name alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from mien.contracts.photo_names import PICTURE_SUFFIXES, display_name, read_photo_name
from mien.errors import PermanentError

PEOPLE_FILE: Final = "people.json"
"""Optional, beside the photos: :class:`Person` by the name used in files and folders."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in the photos.

    Attributes:
        name: For people to read.
        person_id: As Mien knows them; None for somebody who is not enrolled.
    """

    name: str
    person_id: str | None = None


@dataclass(frozen=True)
class Photo:
    """A picture file and what its name says.

    Attributes:
        path: Relative to the folder of photos.
        person: Key of the person, safe as a name of a folder; None when the name says nobody.
        emotion: In lower case; None when the name says none.
    """

    path: Path
    person: str | None
    emotion: str | None = None


def list_photos(folder: Path) -> list[Photo]:
    """List the photos of a folder, by path.

    A file in a subfolder shows the person that the subfolder is named after; a file in the folder itself is
    named ``First_Last-emotion-N.jpg``. Files that begin with a dot, or are no pictures, don't count.

    Raises:
        PermanentError: There is no such folder, or no photo in it.
    """
    if not folder.is_dir():
        raise PermanentError(f"{folder}: expected a folder of photos, found none")
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    photos = [_photo(path) for path in files if _is_picture(path)]
    if not photos:
        raise PermanentError(
            f"{folder}: expected photos named First_Last-emotion-N.jpg, or a folder of photos for each "
            f"person; found {len(files)} files, none of them {', '.join(sorted(PICTURE_SUFFIXES))}"
        )
    return photos


def read_people(folder: Path, photos: list[Photo]) -> dict[str, Person]:
    """Return who the keys of the photos stand for; ``First_Last`` is First Last unless a file says more.

    Raises:
        PermanentError: The file can't be understood.
    """
    path = folder / PEOPLE_FILE
    known: dict[str, Person] = {}
    if path.is_file():
        try:
            known = msgspec.json.decode(path.read_bytes(), type=dict[str, Person])
        except msgspec.MsgspecError as error:
            raise PermanentError(f"{path}: expected a name and an id for each folder: {error}") from error
    keys = sorted({photo.person for photo in photos if photo.person})
    return {key: known.get(key, Person(name=display_name(key))) for key in keys}


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _photo(path: Path) -> Photo:
    name = read_photo_name(path)
    return Photo(path, name.person, name.emotion)
