"""Jobs: long work that tells what it does in files, so that a terminal and a dashboard can both follow it.

::

    HOME/jobs/ID/job.json          what was asked for, the state, and how it ended
    HOME/jobs/ID/progress.jsonl    one JSON object a line, appended as the work goes on
    HOME/jobs/ID/result.json       what came of it
    HOME/jobs/ID/lock              held by the process for as long as it lives

Lines of progress carry ``at`` (ISO 8601), ``step``, ``done`` and ``total``; those of training also the
figures of an epoch. A job whose process died without a word is told by its lock, which the kernel lets go.
"""

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol, Self

import msgspec

from mien.errors import MienError, PermanentError

JobState = Literal["running", "finished", "failed", "cancelled", "interrupted"]
"""``interrupted``: its process died without saying so."""
_RECORD: Final = "job.json"


class Tell(Protocol):
    """Takes what a job has to tell."""

    def __call__(self, step: str, done: int, total: int, **figures: float | str) -> None: ...


class JobCancelledError(MienError):
    """Somebody asked the job to end; it can be resumed."""


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job.

    Attributes:
        kind: What is made, such as ``identity``.
        options: As they were asked for; a resumed job takes them again.
        started_at: ISO 8601; of the last start.
        explanation: Why it failed; empty otherwise.
    """

    job_id: str
    kind: str
    options: dict[str, Any]
    state: JobState
    started_at: str
    ended_at: str | None = None
    explanation: str = ""


class Job:
    """A job that runs in this process.

    Attributes:
        folder: Everything the job keeps; its files outlive it.
    """

    def __init__(self, folder: Path, record: JobRecord, progress: IO[str]) -> None:
        self.folder = folder
        self._record = record
        self._progress = progress

    @classmethod
    @contextmanager
    def start(
        cls, jobs: Path, kind: str, options: dict[str, Any], *, resume: str | None = None
    ) -> Iterator[Self]:
        """Run a job in this context, the main thread's; SIGTERM and Ctrl-C cancel it.

        Args:
            jobs: Folder of all jobs.
            options: Kept with it; a resumed job must be given those of its record.
            resume: Id of a job that did not finish; what it had done already lies in its folder.

        Raises:
            PermanentError: The job to resume does not exist, runs, has finished, or is of another kind.
            JobCancelledError: It was cancelled.
        """
        job_id = resume or f"{kind}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}"
        folder = jobs / job_id
        if resume:
            old = read_job(folder)
            if old.kind != kind or old.state in {"running", "finished"}:
                raise PermanentError(f"{resume}: expected a {kind} job to go on with, it is {old.state}")
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("a+") as lock, (folder / "progress.jsonl").open("a") as progress:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            record = JobRecord(job_id=job_id, kind=kind, options=options, state="running", started_at=_now())
            job = cls(folder, record, progress)
            job._write()
            before = signal.signal(signal.SIGTERM, _interrupt)
            try:
                yield job
                job._end("finished")
            except KeyboardInterrupt:
                job._end("cancelled")
                raise JobCancelledError(f"{job_id} was cancelled") from None
            except BaseException as error:
                job._end("failed", f"{type(error).__name__}: {error}")
                raise
            finally:
                signal.signal(signal.SIGTERM, before)

    @property
    def job_id(self) -> str:
        return self._record.job_id

    def tell(self, step: str, done: int, total: int, **figures: float | str) -> None:
        """Append a line of progress."""
        line = {"at": _now(), "step": step, "done": done, "total": total, **figures}
        self._progress.write(json.dumps(line) + "\n")
        self._progress.flush()

    def write_result(self, result: dict[str, Any]) -> None:
        """Keep what came of the job."""
        _write_whole(self.folder / "result.json", json.dumps(result, indent=2).encode() + b"\n")

    def _end(self, state: JobState, explanation: str = "") -> None:
        self._record = msgspec.structs.replace(
            self._record, state=state, ended_at=_now(), explanation=explanation
        )
        self._write()

    def _write(self) -> None:
        _write_whole(self.folder / _RECORD, msgspec.json.format(msgspec.json.encode(self._record)) + b"\n")


def list_jobs(jobs: Path) -> list[JobRecord]:
    """Return all jobs, the last started first."""
    records = [read_job(path.parent) for path in jobs.glob(f"*/{_RECORD}")]
    return sorted(records, key=lambda record: record.started_at, reverse=True)


def read_job(folder: Path) -> JobRecord:
    """Return what is known of a job.

    Raises:
        PermanentError: There is no such job.
    """
    try:
        record = msgspec.json.decode((folder / _RECORD).read_bytes(), type=JobRecord)
    except FileNotFoundError:
        raise PermanentError(f"{folder.name}: no such job; mien train jobs lists them") from None
    if record.state == "running" and _owner(folder) is None:
        return msgspec.structs.replace(record, state="interrupted")
    return record


def read_progress(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of progress so far; one that is being written is left out."""
    path = folder / "progress.jsonl"
    text = path.read_text() if path.is_file() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def read_result(folder: Path) -> dict[str, Any] | None:
    """Return what came of a job; None before it has finished."""
    path = folder / "result.json"
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def cancel_job(folder: Path) -> None:
    """Ask a running job to end.

    Raises:
        PermanentError: It does not run.
    """
    state = read_job(folder).state
    owner = _owner(folder)
    if owner is None:
        raise PermanentError(f"{folder.name} does not run, it is {state}")
    os.kill(owner, signal.SIGTERM)


def _owner(folder: Path) -> int | None:
    """Return the process that holds a job's lock."""
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            return int(lock.read())
    return None


def _interrupt(_signum: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _write_whole(path: Path, content: bytes) -> None:
    draft = path.with_suffix(".new")
    draft.write_bytes(content)
    draft.replace(path)
