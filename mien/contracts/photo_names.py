"""Whom photos show by the names of their files: ``First_Last-emotion-N.jpg``, or a folder per person."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from mien.contracts.models import EMOTIONS

PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
EMOTION_WORDS: Final = {label: label for label in EMOTIONS} | {
    "anger": "angry",
    "happiness": "happy",
    "sadness": "sad",
    "tiredness": "tired",
}
"""What folders, names of files and tables call an expression, in lower case, and the label it counts for."""
_NAMED: Final = re.compile(r"(?P<person>.+)-(?P<emotion>[A-Za-z]+)-(?P<number>\d+)")


@dataclass(frozen=True)
class PhotoName:
    """What a file's name and folder say.

    Attributes:
        person: As it is spelt there; None where they say nobody.
        emotion: In lower case; None where the name says none.
    """

    person: str | None
    emotion: str | None = None


def read_photo_name(path: PurePath) -> PhotoName:
    """Read the name of a file by its path: its first folder is the person, without one its name says who."""
    named = _NAMED.fullmatch(path.stem)
    emotion = named["emotion"].lower() if named else None
    if len(path.parts) > 1:
        return PhotoName(path.parts[0], emotion)
    return PhotoName(named["person"] if named else None, emotion)


def read_photo_names(paths: Sequence[PurePath]) -> list[PhotoName]:
    """Read the names of files that belong together, in any folder they may have been packed with.

    Folders that all of them share hold the people (``team/Ada/1.jpg``), unless files lie in the last of
    these: then they are named themselves (``team/Ada_Lovelace-happy-1.jpg``), or all show the person whom
    that folder is named after (``team/Ada/1.jpg`` and nothing else).
    """
    if not paths:
        return []
    shared = min((path.parts[:-1] for path in paths), key=len)
    while any(path.parts[: len(shared)] != shared for path in paths):
        shared = shared[:-1]
    inside = [PurePath(*path.parts[len(shared) :]) for path in paths]
    names = [read_photo_name(path) for path in inside]
    if shared and all(name.person is None for name in names):
        return [PhotoName(shared[-1], name.emotion) for name in names]
    return names


def display_name(person: str) -> str:
    """Return a person's name for people to read: ``First_Last`` is First Last."""
    return " ".join(person.replace("_", " ").split())
