"""Zip archives from outside: what is in them is read one photo's worth at a time, or refused in words."""

import io
import struct
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from services.gateway import archives
from services.gateway.archives import clean_path, count_entries, is_worth_a_word, read_entries
from services.gateway.photos import MAX_PHOTO_BYTES
from services.gateway.pipeline import InvalidInputError


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_files_come_in_order_and_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"Ada/": b"", "Ada/1.jpg": b"1", "Ada/2.jpg": b"2"})
    assert [(one.path, one.content) for one in read_entries(archive)] == [
        ("Ada/1.jpg", b"1"),
        ("Ada/2.jpg", b"2"),
    ]
    assert [one.path for one in read_entries(archive, first=2)] == ["Ada/2.jpg"]
    assert count_entries(archive) == 3


def test_bomb_is_refused_without_being_unpacked(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"Ada/1.jpg": bytes(MAX_PHOTO_BYTES + 1), "Ada/2.jpg": b"2"})
    bomb, good = read_entries(archive)
    assert bomb.content is None
    assert bomb.problem == "it is larger than 10 MB unpacked"
    assert good.content == b"2"


def test_entry_that_lies_about_its_size_gives_no_more_than_it_said(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"Ada/1.jpg": bytes(4 * MAX_PHOTO_BYTES)})
    content = bytearray(archive.read_bytes())
    at = content.rfind(b"PK\1\2")
    struct.pack_into("<L", content, at + 24, 10)
    archive.write_bytes(content)
    (entry,) = read_entries(archive)
    assert entry.problem is not None or len(entry.content or b"") <= 10


def test_locked_and_damaged_entries_say_so(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"locked.jpg": b"x" * 50, "damaged.jpg": b"y" * 50})
    content = bytearray(archive.read_bytes())
    first = content.find(b"PK\1\2")
    content[first + 8] |= 1
    at = content.find(b"damaged.jpg") + len("damaged.jpg")
    content[at : at + 3] = b"\xff\xff\xff"
    archive.write_bytes(content)
    locked, damaged = read_entries(archive)
    assert locked.problem == "it is locked with a password"
    assert damaged.problem is not None
    assert damaged.problem.startswith("it can't be unpacked")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    for content in (b"", b"not a zip", b"PK\3\4" + b"x" * 100):
        path.write_bytes(content)
        with pytest.raises(InvalidInputError, match="no zip archive"):
            count_entries(path)
    whole = zipped(path, {"Ada/1.jpg": b"1" * 1000}).read_bytes()
    path.write_bytes(whole.replace(b"PK\1\2", b"PK__"))
    with pytest.raises(InvalidInputError, match="no zip archive"):
        list(read_entries(path))


def test_archive_with_too_many_entries_is_refused_before_its_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MAX_ENTRIES", 2)
    archive = zipped(tmp_path / "a.zip", {f"{number}.jpg": b"" for number in range(3)})
    with pytest.raises(InvalidInputError, match="more than 2 entries"):
        count_entries(archive)


def test_name_in_utf8_that_the_packer_did_not_mark_is_read(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("Zo_.jpg".ljust(8, "_"), b"1")
    archive.write_bytes(buffer.getvalue().replace(b"Zo_.jpg_", "Zoë.jpg".encode()))
    (entry,) = read_entries(archive)
    assert entry.path == "Zoë.jpg"


@pytest.mark.parametrize(
    "name",
    ["../x.jpg", "a/../../x.jpg", "/etc/x.jpg", "C:\\x.jpg", "..\\x.jpg", "", "a\nb.jpg", "x" * 500, "./"],
)
def test_path_that_leads_out_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="its path"):
        clean_path(name)


def test_path_is_brought_to_one_form() -> None:
    assert clean_path("team\\Zoe\u0308//1.jpg") == PurePosixPath("team/Zoë/1.jpg")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Ada/1.JPG", True),
        ("Ada/1.heic", True),
        ("Ada/more.zip", True),
        ("__MACOSX/Ada/._1.jpg", False),
        ("Ada/.DS_Store", False),
        ("Ada/._1.jpg", False),
        ("notes.txt", False),
        ("Thumbs.db", False),
    ],
)
def test_leftovers_of_a_system_are_passed_over(path: str, *, expected: bool) -> None:
    assert is_worth_a_word(PurePosixPath(path)) is expected
