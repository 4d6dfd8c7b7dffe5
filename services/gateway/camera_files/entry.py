"""What all kinds of camera files come down to."""

from dataclasses import dataclass, field
from typing import Any, Literal

from mien.errors import PermanentError

FileFormat = Literal["csv", "yaml", "frigate", "go2rtc"]


class CameraFileError(PermanentError):
    """A file can't be read at all; the message says why, and where."""


@dataclass(frozen=True)
class FileEntry:
    """A camera in a file.

    Attributes:
        place: Where it stands, for people: ``line 3``.
        name: What the file calls it.
        fields: Of :class:`~services.gateway.camera_schemas.CameraCreate`, unchecked.
        problem: Why it can't be added; None when nothing is known against it yet.
    """

    place: str
    name: str
    fields: dict[str, Any] = field(default_factory=dict, repr=False)
    problem: str | None = None


@dataclass(frozen=True)
class CameraFile:
    """What a file holds.

    Attributes:
        needs: Variables that it names and that were not given.
    """

    format: FileFormat
    entries: list[FileEntry]
    needs: list[str] = field(default_factory=list)
