"""Whom a photo shows is read off its name or its folder."""

from pathlib import Path

import pytest

from mien.dataset.photos import Person, list_photos, read_people
from mien.errors import PermanentError


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_the_name_says_person_emotion_and_number(tmp_path: Path) -> None:
    (photo,) = list_photos(touch(tmp_path, "Ada_Lovelace-Happy-12.JPG"))
    assert (photo.person, photo.emotion) == ("Ada_Lovelace", "happy")


def test_a_hyphen_in_a_name_belongs_to_the_name(tmp_path: Path) -> None:
    (photo,) = list_photos(touch(tmp_path, "Anna-Lena_Meyer-sad-1.png"))
    assert (photo.person, photo.emotion) == ("Anna-Lena_Meyer", "sad")


def test_a_folder_names_its_person_whatever_the_files_are_called(tmp_path: Path) -> None:
    photos = list_photos(touch(tmp_path, "Ada/IMG_1.jpg", "Ada/old/Bob_X-angry-2.jpg"))
    assert [(photo.person, photo.emotion) for photo in photos] == [("Ada", None), ("Ada", "angry")]


def test_a_photo_of_nobody_is_listed_as_such(tmp_path: Path) -> None:
    (photo,) = list_photos(touch(tmp_path, "holiday.jpg"))
    assert photo.person is None


def test_what_is_no_photo_is_passed_over(tmp_path: Path) -> None:
    assert len(list_photos(touch(tmp_path, "a/1.jpg", "a/notes.txt", "a/.hidden.jpg", ".git/x.png"))) == 1


def test_a_folder_without_photos_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"First_Last-emotion-N\.jpg.*found 1 files"):
        list_photos(touch(tmp_path, "notes.txt"))
    with pytest.raises(PermanentError, match="found none"):
        list_photos(tmp_path / "nowhere")


def test_a_name_is_the_key_unless_the_people_file_says_more(tmp_path: Path) -> None:
    photos = list_photos(touch(tmp_path, "p1/1.jpg", "Ada_Lovelace/1.jpg"))
    (tmp_path / "people.json").write_text('{"p1": {"name": "Rosa", "person_id": "p1"}}')
    assert read_people(tmp_path, photos) == {
        "p1": Person(name="Rosa", person_id="p1"),
        "Ada_Lovelace": Person(name="Ada Lovelace"),
    }


def test_a_broken_people_file_is_refused(tmp_path: Path) -> None:
    photos = list_photos(touch(tmp_path, "p1/1.jpg"))
    (tmp_path / "people.json").write_text('{"p1": 3}')
    with pytest.raises(PermanentError, match=r"people\.json"):
        read_people(tmp_path, photos)
