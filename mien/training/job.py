"""A job in this process: it says what it does, in the files of :mod:`mien.contracts.jobs`."""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, Protocol, Self

import msgspec

from mien.contracts.jobs import CANCEL_FILE, PROGRESS_FILE, RESULT_FILE, JobRecord, JobState
from mien.errors import MienError, PermanentError
from mien.runtime.jobs import (
    held,
    new_job_id,
    read_job,
    time_now,
    write_record,
    write_whole,
)

_CANCEL_POLL_SECONDS: Final = 0.5


class Tell(Protocol):
    """Takes what a job has to tell."""

    def __call__(self, step: str, done: int, total: int, **figures: float | str) -> None: ...


class JobCancelledError(MienError):
    """Somebody asked the job to end; it can be resumed."""


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
        """Run a job in this context, the main thread's; SIGTERM, Ctrl-C and its cancel file end it.

        Args:
            jobs: Folder of all jobs.
            options: Kept with it; a resumed job must be given those of its record.
            resume: Id of a job that is queued or did not finish; what it had done already lies in its folder.

        Raises:
            PermanentError: The job to resume does not exist, runs, has finished, or is of another kind.
            JobCancelledError: It was cancelled.
        """
        job_id = resume or new_job_id(kind)
        folder = jobs / job_id
        if not resume:
            folder.mkdir(parents=True)
        with held(folder):
            old = read_job(folder, is_held=True) if resume else None
            if old and (old.kind != kind or old.state == "finished"):
                raise PermanentError(f"{job_id}: expected a {kind} job to go on with, it is {old.state}")
            record = JobRecord(
                job_id=job_id,
                kind=kind,
                options=options,
                state="running",
                started_at=time_now(),
                requested_by=old.requested_by if old else "",
            )
            (folder / CANCEL_FILE).unlink(missing_ok=True)
            write_record(folder, record)
            with (folder / PROGRESS_FILE).open("a") as progress:
                job = cls(folder, record, progress)
                with job._ended_in_words():
                    yield job

    @property
    def job_id(self) -> str:
        return self._record.job_id

    def tell(self, step: str, done: int, total: int, **figures: float | str) -> None:
        """Append a line of progress."""
        line = {"at": time_now(), "step": step, "done": done, "total": total, **figures}
        self._progress.write(json.dumps(line) + "\n")
        self._progress.flush()

    def write_result(self, result: dict[str, Any]) -> None:
        """Keep what came of the job."""
        write_whole(self.folder / RESULT_FILE, json.dumps(result, indent=2).encode() + b"\n")

    @contextmanager
    def _ended_in_words(self) -> Iterator[None]:
        before = signal.signal(signal.SIGTERM, _interrupt)
        ended = threading.Event()
        watching = threading.Thread(target=self._watch_for_cancel, args=(ended,), daemon=True)
        watching.start()
        try:
            yield
            self._end("finished")
        except KeyboardInterrupt:
            self._end("cancelled")
            raise JobCancelledError(f"{self.job_id} was cancelled") from None
        except MienError as error:
            self._end("failed", str(error))
            raise
        except BaseException as error:
            self._end("failed", f"{type(error).__name__}: {error}")
            raise
        finally:
            ended.set()
            signal.signal(signal.SIGTERM, before)

    def _watch_for_cancel(self, ended: threading.Event) -> None:
        main_thread = threading.main_thread().ident
        while not ended.wait(_CANCEL_POLL_SECONDS):
            if (self.folder / CANCEL_FILE).exists() and main_thread is not None:
                signal.pthread_kill(main_thread, signal.SIGTERM)
                return

    def _end(self, state: JobState, explanation: str = "") -> None:
        self._record = msgspec.structs.replace(
            self._record, state=state, ended_at=time_now(), explanation=explanation
        )
        write_record(self.folder, self._record)


def _interrupt(_signum: int, _frame: object) -> None:
    raise KeyboardInterrupt
