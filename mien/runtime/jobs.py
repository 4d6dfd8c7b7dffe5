"""The folder of jobs: asked for, followed, cancelled and deleted by whoever sees it.

Nothing here needs the process of a job to be on the same machine, but its folder.
"""

import fcntl
import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

import msgspec

from mien.contracts.jobs import (
    CANCEL_FILE,
    FORGET_FILE,
    LOCK_FILE,
    PEOPLE_FILE,
    PROGRESS_FILE,
    RECORD_FILE,
    RESULT_FILE,
    JobRecord,
)
from mien.errors import PermanentError


class JobUnknownError(PermanentError):
    """There is no such job."""


class JobBusyError(PermanentError):
    """A process works on the job."""


def queue_job(jobs: Path, kind: str, options: dict[str, Any], *, requested_by: str = "") -> JobRecord:
    """Ask for a job; a trainer that sees the folder runs it."""
    record = JobRecord(
        job_id=new_job_id(kind),
        kind=kind,
        options=options,
        state="queued",
        started_at=time_now(),
        requested_by=requested_by,
    )
    folder = jobs / record.job_id
    folder.mkdir(parents=True)
    write_record(folder, record)
    return record


def queue_again(folder: Path) -> JobRecord:
    """Ask for a job to be gone on with.

    Raises:
        JobUnknownError: There is none.
        JobBusyError: It runs.
        PermanentError: It is queued already, or has finished.
    """
    with held(folder):
        record = read_record(folder)
        if record.state in {"queued", "finished"}:
            raise PermanentError(f"{folder.name} can't be gone on with, it is {record.state}")
        again = msgspec.structs.replace(
            record, state="queued", started_at=time_now(), ended_at=None, explanation=""
        )
        write_record(folder, again)
        (folder / CANCEL_FILE).unlink(missing_ok=True)
    return again


def cancel_job(folder: Path) -> None:
    """Ask a running job to end, which it does within seconds; one that is queued never begins.

    Raises:
        JobUnknownError: There is none.
        PermanentError: It neither runs nor waits to.
    """
    try:
        with held(folder):
            record = read_job(folder, is_held=True)
            if record.state != "queued":
                raise PermanentError(f"{folder.name} does not run, it is {record.state}")
            write_record(folder, msgspec.structs.replace(record, state="cancelled", ended_at=time_now()))
    except JobBusyError:
        (folder / CANCEL_FILE).touch()


def fail_job(folder: Path, explanation: str) -> None:
    """Write down that a job could not even begin."""
    with held(folder):
        record = msgspec.structs.replace(
            read_record(folder), state="failed", ended_at=time_now(), explanation=explanation
        )
        write_record(folder, record)


def delete_job(folder: Path) -> None:
    """Delete a job with its report and pictures; a version that it published stays.

    Raises:
        JobUnknownError: There is none.
        JobBusyError: It runs.
    """
    with held(folder):
        shutil.rmtree(folder)


def write_people(folder: Path, person_ids: Collection[str]) -> None:
    """Note whose photos a job is made from, so that it is deleted with the first of them who is forgotten."""
    write_whole(folder / PEOPLE_FILE, json.dumps(sorted(person_ids)).encode())


def forget_person(jobs: Path, person_id: str) -> int:
    """Delete every job that was made from a person's photos; returns how many.

    One that runs is asked to end, seen by nobody any more, and deleted by :func:`delete_forgotten`.
    """
    made_from_them = [
        path for path in jobs.glob(f"*/{PEOPLE_FILE}") if person_id in json.loads(path.read_text())
    ]
    for path in made_from_them:
        try:
            delete_job(path.parent)
        except JobBusyError:
            (path.parent / FORGET_FILE).touch()
            (path.parent / CANCEL_FILE).touch()
    return len(made_from_them)


def delete_forgotten(jobs: Path) -> None:
    """Delete the jobs that still ran when somebody was forgotten, and have ended since."""
    for path in jobs.glob(f"*/{FORGET_FILE}"):
        with suppress(JobBusyError, JobUnknownError):
            delete_job(path.parent)


def list_jobs(jobs: Path) -> list[JobRecord]:
    """Return all jobs that are not to be forgotten, the last started first."""
    records = []
    for path in jobs.glob(f"*/{RECORD_FILE}"):
        if (path.parent / FORGET_FILE).exists():
            continue
        try:
            records.append(read_job(path.parent))
        except JobUnknownError:  # deleted since it was listed
            continue
    return sorted(records, key=lambda record: record.started_at, reverse=True)


def read_job(folder: Path, *, is_held: bool = False) -> JobRecord:
    """Return what is known of a job.

    Args:
        is_held: The caller holds it, so that nobody else works on it.

    Raises:
        JobUnknownError: There is none.
    """
    record = read_record(folder)
    if record.state == "running" and (is_held or not _is_held(folder)):
        # It may have ended between the two looks.
        record = read_record(folder)
        if record.state == "running":
            return msgspec.structs.replace(record, state="interrupted")
    return record


def read_progress(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of progress so far; one that is being written is left out."""
    path = folder / PROGRESS_FILE
    text = path.read_text() if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return what came of a job; None before it has finished."""
    path = folder / RESULT_FILE
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text())
    return result


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep everybody else from working on a job.

    Raises:
        JobUnknownError: There is no such job.
        JobBusyError: Somebody works on it.
    """
    try:
        lock = (folder / LOCK_FILE).open("a")
    except FileNotFoundError:
        raise _unknown(folder) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JobBusyError(f"{folder.name} runs: cancel it first") from None
        yield


def read_record(folder: Path) -> JobRecord:
    """Return what a job's process wrote last, which may have died since; see :func:`read_job`.

    Raises:
        JobUnknownError: There is no such job.
    """
    try:
        return msgspec.json.decode((folder / RECORD_FILE).read_bytes(), type=JobRecord)
    except FileNotFoundError:
        raise _unknown(folder) from None


def write_record(folder: Path, record: JobRecord) -> None:
    """Write what is known of a job; readers never see half of it."""
    write_whole(folder / RECORD_FILE, msgspec.json.format(msgspec.json.encode(record)) + b"\n")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that readers see whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_bytes(content)
    draft.replace(path)


def new_job_id(kind: str) -> str:
    """Return an id that tells what it is and when it was asked for."""
    return f"{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{token_hex(3)}"


def time_now() -> str:
    """Return the time as records and progress carry it, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _is_held(folder: Path) -> bool:
    try:
        with (folder / LOCK_FILE).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _unknown(folder: Path) -> JobUnknownError:
    return JobUnknownError(f"{folder.name}: no such job; mien train jobs lists them")
