"""Whom photos show is read off folders and names, however they were packed."""

from pathlib import PurePosixPath

import pytest

from mien.contracts.photo_names import display_name, read_photo_names


def people(*paths: str) -> list[str | None]:
    return [name.person for name in read_photo_names([PurePosixPath(path) for path in paths])]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ([], []),
        (["Ada_L-happy-1.jpg", "holiday.jpg"], ["Ada_L", None]),
        (["Ada/1.jpg", "Bob/1.jpg"], ["Ada", "Bob"]),
        (["team/Ada/1.jpg", "team/Bob/1.jpg"], ["Ada", "Bob"]),
        (["a/b/team/Ada/1.jpg", "a/b/team/Bob/old/1.jpg"], ["Ada", "Bob"]),
        (["team/Ada_L-happy-1.jpg", "team/Bob_K-sad-2.jpg"], ["Ada_L", "Bob_K"]),
        (["Ada/1.jpg", "Ada/2.jpg"], ["Ada", "Ada"]),
        (["team/Ada/1.jpg"], ["Ada"]),
        (["team/Ada/1.jpg", "team/group.jpg"], ["Ada", None]),
    ],
)
def test_folder_per_person_or_name_per_photo(paths: list[str], expected: list[str | None]) -> None:
    assert people(*paths) == expected


def test_emotion_is_kept_wherever_the_file_lies() -> None:
    names = read_photo_names([PurePosixPath("Ada/Ada_L-Happy-1.jpg"), PurePosixPath("Bob/2.jpg")])
    assert [name.emotion for name in names] == ["happy", None]


def test_name_is_made_readable() -> None:
    assert display_name(" Ada_King  Lovelace_") == "Ada King Lovelace"
