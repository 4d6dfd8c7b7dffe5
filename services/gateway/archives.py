"""Zip archives from outside: nothing in them is believed, and nothing is written where they say."""

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from services.gateway.photos import MAX_PHOTO_BYTES
from services.gateway.pipeline import InvalidInputError

MAX_ARCHIVE_BYTES: Final = 1024 * 1024 * 1024
MAX_PATH: Final = 400
_MAX_ENTRIES: Final = 20_000
_MAX_DIRECTORY_BYTES: Final = 16 * 1024 * 1024
_END: Final = struct.Struct("<4s4H2LH")
"""The record at the end of a zip file: APPNOTE.TXT 4.3.16, PKWARE."""
_PICTURES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif"}
    | {".avif", ".raw", ".dng", ".cr2", ".nef"}
)
"""Those that can't be read are refused in words; what is no picture is passed over."""
_ARCHIVES: Final = frozenset({".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"})
_JUNK: Final = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class Entry:
    """A file of an archive: its bytes, or why they can't be had; one that came by itself has no number."""

    number: int | None
    path: str
    content: bytes | None = None
    problem: str | None = None


def clean_path(name: str) -> PurePosixPath:
    """Return the path of a file as it was packed or uploaded.

    Raises:
        InvalidInputError: It leads out of its folder, or holds what no name may.
    """
    text = unicodedata.normalize("NFC", name.replace("\\", "/"))
    if text.startswith("/") or text[1:2] == ":" or ".." in text.split("/"):
        raise InvalidInputError("its path leads out of the folder")
    if not text.strip("/. ") or len(text) > MAX_PATH or any(ord(character) < 32 for character in text):
        raise InvalidInputError(f"its path is empty, longer than {MAX_PATH}, or holds control characters")
    return PurePosixPath(*(part.strip() for part in text.split("/") if part.strip() not in {"", "."}))


def is_worth_a_word(path: PurePosixPath) -> bool:
    """Whether somebody would miss a file: a picture, or an archive that may hold some."""
    if any(part.startswith(".") or part in _JUNK for part in path.parts):
        return False
    return path.suffix.lower() in _PICTURES | _ARCHIVES


def count_entries(archive: Path) -> int:
    """Return how many entries an archive says it has, before its directory is read.

    Raises:
        InvalidInputError: It is no zip file, or has more than any import needs.
    """
    size = archive.stat().st_size
    with archive.open("rb") as file:
        file.seek(max(size - _END.size - 65_535, 0))
        tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) - at < _END.size:
        raise InvalidInputError("the file is no zip archive, or it is cut off")
    _, _, _, _, entries, directory_bytes, _, _ = _END.unpack_from(tail, at)
    if entries > _MAX_ENTRIES or directory_bytes > _MAX_DIRECTORY_BYTES:
        raise InvalidInputError(f"the archive holds more than {_MAX_ENTRIES:,} entries: split it")
    return int(entries)


def read_entries(archive: Path, *, first: int = 0) -> Iterator[Entry]:
    """Yield an archive's files in order, no more of each than a photo may have; blocks.

    Raises:
        InvalidInputError: It is no zip archive that can be read.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            for number, info in enumerate(opened.infolist()):
                if number >= first and not info.is_dir():
                    yield _entry(opened, number, info)
    except (zipfile.BadZipFile, OSError, NotImplementedError, struct.error, ValueError) as error:
        raise InvalidInputError("the file is no zip archive, or it is damaged") from error


def _entry(opened: zipfile.ZipFile, number: int, info: zipfile.ZipInfo) -> Entry:
    name = _name(info)
    if not _is_read(name):
        return Entry(number, name)
    if info.flag_bits & 1:
        return Entry(number, name, problem="it is locked with a password")
    if info.file_size > MAX_PHOTO_BYTES:
        return Entry(number, name, problem=f"it is larger than {MAX_PHOTO_BYTES // 1024 // 1024} MB unpacked")
    try:
        with opened.open(info) as file:
            return Entry(number, name, content=file.read(MAX_PHOTO_BYTES + 1))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        return Entry(number, name, problem=f"it can't be unpacked ({type(error).__name__})")


def _is_read(name: str) -> bool:
    try:
        path = clean_path(name)
    except InvalidInputError:
        return False
    return is_worth_a_word(path) and path.suffix.lower() not in _ARCHIVES


def _name(info: zipfile.ZipInfo) -> str:
    """Return an entry's name; packers that write UTF-8 without saying so are common."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename
