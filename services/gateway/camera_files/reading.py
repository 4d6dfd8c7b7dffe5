"""From an uploaded file to the cameras in it."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from services.gateway.camera_files.entry import CameraFile, CameraFileError, FileEntry
from services.gateway.camera_files.recorders import read_frigate, read_go2rtc
from services.gateway.camera_files.safe_yaml import item_lines, lines_of, load_yaml
from services.gateway.camera_files.variables import Variables

MAX_FILE_BYTES: Final = 512 * 1024
MAX_CAMERAS: Final = 2000
_MAX_FIELD: Final = 4000
_EXPECTED: Final = (
    "expected a CSV file with the columns name and url, a YAML file with a list of cameras, or the "
    "configuration of Frigate or go2rtc"
)


def read_camera_file(content: bytes, *, variables: Mapping[str, str]) -> CameraFile:
    """Read a file of any kind; what kind it is, its content says.

    Args:
        variables: Values of names such as ``{FRIGATE_RTSP_PASSWORD}``.

    Raises:
        CameraFileError: It is of no kind that can be read, or too large.
    """
    if len(content) > MAX_FILE_BYTES:
        raise CameraFileError(f"the file is larger than {MAX_FILE_BYTES // 1024} KB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CameraFileError("expected a text file in UTF-8") from None
    if "\0" in text or not text.strip():
        raise CameraFileError(f"the file is empty or no text: {_EXPECTED}")
    values = Variables(variables)
    read = CameraFile("csv", _read_csv(text)) if _looks_like_csv(text) else _read_yaml(text, values)
    if not read.entries:
        raise CameraFileError(f"there is no camera in it: {_EXPECTED}")
    if len(read.entries) > MAX_CAMERAS:
        raise CameraFileError(f"the file holds more than {MAX_CAMERAS} cameras")
    return CameraFile(read.format, read.entries, sorted(values.missing))


def _looks_like_csv(text: str) -> bool:
    header = {name.strip().lower() for name in _first_row(text)}
    return {"name", "url"} <= header


def _first_row(text: str) -> list[str]:
    line = text.lstrip("\r\n").splitlines()[0]
    return next(csv.reader([line], delimiter=_delimiter(line)), []) if len(line) < _MAX_FIELD else []


def _delimiter(line: str) -> str:
    return max(",;\t", key=line.count)


def _read_csv(text: str) -> list[FileEntry]:
    text = text.lstrip("\r\n")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.splitlines()[0]))
    try:
        names = [name.strip().lower() for name in next(reader)]
        return [
            _csv_entry(names, row, f"line {reader.line_num}")
            for row in reader
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise CameraFileError(f"line {reader.line_num}: {error}") from None


def _csv_entry(names: list[str], row: list[str], place: str) -> FileEntry:
    cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if cell.strip() and name}
    name = cells.get("name", "")[:200]
    if len(row) > len(names):
        return FileEntry(
            place, name, problem=f"expected at most {len(names)} values, as the header has, got {len(row)}"
        )
    return FileEntry(place, name, dict(cells))


def _read_yaml(text: str, variables: Variables) -> CameraFile:
    document, node = load_yaml(text)
    if isinstance(document, list):
        return CameraFile("yaml", _listed(document, item_lines(node)))
    if not isinstance(document, dict):
        raise CameraFileError(_EXPECTED)
    cameras = document.get("cameras")
    if isinstance(cameras, list):
        return CameraFile("yaml", _listed(cameras, item_lines(node, "cameras")))
    if isinstance(cameras, dict):
        return CameraFile("frigate", read_frigate(document, lines_of(node, "cameras"), variables))
    streams, path = document.get("streams"), ("streams",)
    if streams is None and isinstance(document.get("go2rtc"), dict):
        streams, path = document["go2rtc"].get("streams"), ("go2rtc", "streams")  # type: ignore[assignment]
    if isinstance(streams, dict):
        named = {str(name): sources for name, sources in streams.items()}
        return CameraFile("go2rtc", read_go2rtc(named, lines_of(node, *path), variables))
    raise CameraFileError(_EXPECTED)


def _listed(cameras: list[Any], lines: list[int]) -> list[FileEntry]:
    entries = []
    for camera, line in zip(cameras, lines, strict=True):
        place = f"line {line}"
        if not isinstance(camera, dict):
            entries.append(FileEntry(place, "", problem="expected a camera: a name, a url and more"))
        else:
            fields = {str(key): value for key, value in camera.items()}
            entries.append(FileEntry(place, str(fields.get("name", ""))[:200], fields))
    return entries
