"""A training in this terminal: as a job, with bars and curves, stopped by Ctrl-C and gone on with."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import msgspec
import typer

from mien.commands.api import err
from mien.errors import PermanentError
from mien.local.home import Home, NotRunningError
from mien.runtime.jobs import read_job
from mien.training.job import Job, JobCancelledError, Tell
from model_repo import repository

Resume = Annotated[str | None, typer.Option(help="Go on with this job, with its own options.")]
HomeOption = Annotated[Path | None, typer.Option("--home", help="Data folder (default: ~/.mien).")]
Root = Annotated[Path, typer.Option(help="Model repository.", file_okay=False)]
ROOT = repository.ROOT
_Options = TypeVar("_Options", bound=msgspec.Struct)


def options_of(home: Home, kind: str, job_id: str, root: Path, options: type[_Options]) -> _Options:
    """Return what a job was asked for that is to be gone on with.

    Raises:
        PermanentError: There is no such job, or it is of another kind.
    """
    record = read_job(home.jobs / job_id)
    if record.kind != kind:
        raise PermanentError(
            f"{job_id} trains another network; go on with it: mien train {record.kind} --resume {job_id}"
        )
    # Whoever asked for it on the dashboard doesn't know where this machine has its models.
    return msgspec.convert({"model_repo": str(root.resolve()), **record.options}, options)


def run_job(
    home: Home,
    kind: str,
    options: msgspec.Struct,
    resume: str | None,
    work: Callable[[Job, Tell], dict[str, Any]],
) -> tuple[Path, dict[str, Any]]:
    """Do the work of a job and show how far it is; returns the job's folder, and what came of it.

    Raises:
        PermanentError: The work can't be done.
        typer.Exit: It was cancelled; 130, as a shell says it.
    """
    from mien.training.display import JobDisplay  # noqa: PLC0415 - seconds that other commands do without

    try:
        with (
            Job.start(home.jobs, kind, msgspec.to_builtins(options), resume=resume) as job,
            JobDisplay(err) as display,
        ):

            def tell(step: str, done: int, total: int, **figures: float | str) -> None:
                job.tell(step, done, total, **figures)
                display.tell(step, done, total, **figures)

            return job.folder, work(job, tell)
    except JobCancelledError as error:
        job_id = str(error).split(" ", maxsplit=1)[0]
        err.print(f"{error}; go on with it: mien train {kind} --resume {job_id}", highlight=False)
        raise typer.Exit(130) from None


def fetch_photos(home: Home, fetch: Callable[[httpx.Client], None]) -> None:
    """Fetch photos of enrolled people from the running Mien.

    Raises:
        PermanentError: None runs, or it refuses.
    """
    try:
        with home.open_api() as api:
            fetch(api)
    except (httpx.HTTPError, NotRunningError) as error:
        raise PermanentError(f"the enrolled photos can't be had: {error}") from error
