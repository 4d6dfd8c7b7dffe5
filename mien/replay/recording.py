"""A recording on disk: a folder of JPEGs for each camera, and an index of when each was taken.

::

    FOLDER/                  readable by its owner only
      index.jsonl            a header, then a line for each picture in the order of arrival
      lobby/00000001.jpg     as the camera, or ingest, encoded it

A line is written after its picture, so what a crash cuts off is at most the last one.
"""

import shutil
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from mien.contracts.cameras import CameraId
from mien.contracts.frames import Frame
from mien.errors import MienError

INDEX: Final = "index.jsonl"
_PRIVATE: Final = 0o700


class RecordingError(MienError):
    """A folder holds no recording, or can't take one."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of an index."""

    format: Literal["mien-recording"] = "mien-recording"
    version: Literal[1] = 1
    started_at_ns: int


class RecordedFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One picture of a recording.

    Attributes:
        number: Of the camera's pictures, from 1; the name of its file.
        captured_at_ns: Unix time.
        size_wh: Pixels.
        jpeg_bytes: Size of its file.
        still: Nothing had moved since the picture before.
    """

    camera_id: CameraId
    number: int
    captured_at_ns: int
    size_wh: tuple[int, int]
    jpeg_bytes: int
    still: bool = False

    def path(self, folder: Path) -> Path:
        """Return where the picture lies in the folder of its recording."""
        return folder / self.camera_id / f"{self.number:08d}.jpg"


@dataclass(frozen=True)
class Recording:
    """A recording that has been read.

    Attributes:
        frames: By camera, in the order of their times; no camera is without a picture.
        missing: Pictures of the index whose files are gone.
    """

    folder: Path
    started_at_ns: int
    frames: Mapping[str, tuple[RecordedFrame, ...]]
    missing: int = 0

    @property
    def jpeg_bytes(self) -> int:
        """Size of all pictures."""
        return sum(frame.jpeg_bytes for frames in self.frames.values() for frame in frames)


class RecordingWriter:
    """Writes pictures into a new folder until it has taken as many bytes as it may."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        """Make the folder.

        Raises:
            RecordingError: It is there already and not empty, or can't be made.
        """
        self.jpeg_bytes = 0
        self.counts: defaultdict[str, int] = defaultdict(int)
        self._folder = folder
        self._max_bytes = max_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise RecordingError(f"{folder} is not empty: a recording wants a new folder")
            folder.chmod(_PRIVATE)
            self._index = (folder / INDEX).open("xb")
        except OSError as error:
            raise RecordingError(f"{folder} can't take a recording: {error}") from error
        self._write_line(Header(started_at_ns=time.time_ns()))

    def add(self, frame: Frame) -> bool:
        """Write a picture; returns False, and writes nothing, when the recording is full.

        Raises:
            RecordingError: The disk does not take it.
        """
        if self.jpeg_bytes + len(frame.jpeg) > self._max_bytes:
            return False
        line = RecordedFrame(
            camera_id=frame.camera_id,
            number=self.counts[frame.camera_id] + 1,
            captured_at_ns=frame.captured_at_ns,
            size_wh=frame.size_wh,
            jpeg_bytes=len(frame.jpeg),
            still=frame.still,
        )
        path = line.path(self._folder)
        try:
            path.parent.mkdir(mode=_PRIVATE, exist_ok=True)
            path.write_bytes(frame.jpeg)
            self._write_line(line)
        except OSError as error:
            raise RecordingError(f"{path} can't be written: {error}") from error
        self.counts[frame.camera_id] += 1
        self.jpeg_bytes += len(frame.jpeg)
        return True

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def _write_line(self, line: Header | RecordedFrame) -> None:
        self._index.write(msgspec.json.encode(line) + b"\n")
        self._index.flush()


def read_recording(folder: Path) -> Recording:
    """Read a recording; a last line that was cut off is left out.

    Raises:
        RecordingError: The folder holds none, or its index is damaged.
    """
    header, lines = _read_index(folder)
    frames: defaultdict[str, list[RecordedFrame]] = defaultdict(list)
    missing = 0
    for number, line in enumerate(lines, start=2):
        try:
            frame = msgspec.json.decode(line, type=RecordedFrame)
        except msgspec.DecodeError as error:
            if number == len(lines) + 1:
                break
            raise RecordingError(f"{folder / INDEX}, line {number}: {error}") from error
        if frame.path(folder).is_file():
            frames[frame.camera_id].append(frame)
        else:
            missing += 1
    by_camera = {
        camera_id: tuple(sorted(taken, key=lambda frame: frame.captured_at_ns))
        for camera_id, taken in sorted(frames.items())
    }
    return Recording(folder, header.started_at_ns, by_camera, missing)


def forget_recording(folder: Path) -> None:
    """Delete a recording, all pictures first, whether its index is whole or not.

    Raises:
        RecordingError: The folder is no recording, or holds something that a recording would not: nothing
            is deleted then.
    """
    _read_index(folder)
    if (stranger := next(_foreign(folder), None)) is not None:
        raise RecordingError(f"{stranger} is not part of a recording: nothing was deleted")
    try:
        for camera in [path for path in folder.iterdir() if path.is_dir()]:
            shutil.rmtree(camera)
        (folder / INDEX).unlink()
        folder.rmdir()
    except OSError as error:
        raise RecordingError(f"{folder} can't be deleted: {error}") from error


def _read_index(folder: Path) -> tuple[Header, list[bytes]]:
    try:
        first, *lines = (folder / INDEX).read_bytes().splitlines() or [b""]
        return msgspec.json.decode(first, type=Header), lines
    except (OSError, msgspec.DecodeError) as error:
        raise RecordingError(f"{folder} holds no recording: {error}") from error


def _foreign(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name == INDEX:
            continue
        if path.is_symlink() or not path.is_dir():
            yield path
        else:
            yield from (one for one in path.iterdir() if not _is_picture(one))


def _is_picture(path: Path) -> bool:
    return path.suffix == ".jpg" and path.stem.isdecimal() and path.is_file() and not path.is_symlink()
