"""What the interface says of imports."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.gateway.schemas import Schema

ImportState = Literal["draft", "reading", "running", "done", "undoing", "undone"]


class ImportCreate(Schema):
    """A new import; *source* is what people know it by: the name of a folder or an archive."""

    source: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255)]


class ImportCommit(Schema):
    """How and when the people agreed; noted with everybody who is new."""

    consent_note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class ImportCounts(Schema):
    """How far an import is.

    Attributes:
        entries, read: Of the archive: how many files it holds, and how many were looked at.
        files: Pictures that become photos, or have.
        waiting: Of these, not decided on yet.
        enrolled: Used to recognise people.
        set_aside: Enrolled, but under the wrong name as it seems.
        refused: Pictures that could not be used, with those left out before it began.
        skipped: Files that are no pictures.
    """

    entries: int
    read: int
    files: int
    waiting: int
    enrolled: int
    set_aside: int
    refused: int
    skipped: int


class ImportSummary(Schema):
    """An import at a glance; *problem* is why an archive could not be read to its end."""

    import_id: str
    source: str
    state: ImportState
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    problem: str | None
    counts: ImportCounts


class ImportPerson(Schema):
    """Somebody whom the files show; without an id, somebody new."""

    name: str
    person_id: str | None
    is_new: bool
    photos: int
    left_out: int
    emotions: dict[str, int]
    samples: list[str]


class ImportProblem(Schema):
    """A file that is not used, and why."""

    path: str
    kind: Literal["refused", "set_aside"]
    words: str


class ImportInfo(ImportSummary):
    """An import with its people, and the files that are not used (the first 500)."""

    consent_note: str
    people: list[ImportPerson]
    problems: Annotated[list[ImportProblem], Field(max_length=500)]
