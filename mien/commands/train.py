"""`mien train`: networks of your own, as jobs that can be watched, stopped and gone on with."""

from typing import Annotated

import msgspec
import typer
from rich.table import Table

from mien.commands.api import out
from mien.commands.dataset import told
from mien.commands.train_emotion import emotion
from mien.commands.train_identity import identity
from mien.commands.training_job import HomeOption
from mien.local.home import Home
from mien.runtime.jobs import cancel_job, delete_job, list_jobs, read_job, read_result

app = typer.Typer(help="Train networks of your own, and look at the jobs.", no_args_is_help=True)
app.command()(identity)
app.command()(emotion)

JobId = Annotated[str, typer.Argument(help="Identifier, as in mien train jobs.")]


@app.command("jobs")
def jobs_command(home: HomeOption = None) -> None:
    """List all jobs, the last started first."""
    folder = Home.locate(home).jobs
    records = list_jobs(folder)
    if not records:
        out.print(
            "No job yet. Start one: mien train identity DATA, or mien train emotion DATA", highlight=False
        )
        return
    table = Table("job", "started", "state", "held-out accuracy", "version", box=None, pad_edge=False)
    for record in records:
        result = read_result(folder / record.job_id) or {}
        accuracy = f"{result['test']['accuracy']:.1%}" if result else ""
        version = str(result.get("version") or "")
        table.add_row(
            record.job_id, record.started_at[:16].replace("T", " "), record.state, accuracy, version
        )
    out.print(table)


@app.command()
def show(job_id: JobId, home: HomeOption = None) -> None:
    """Show a job: its state, what it was asked for, and where its report lies."""
    folder = Home.locate(home).jobs / job_id
    with told():
        record = read_job(folder)
    out.print_json(msgspec.json.encode(record).decode())
    page = folder / "report.html"
    if page.is_file():
        out.print(f"Report: {page}", highlight=False, soft_wrap=True)


@app.command()
def cancel(job_id: JobId, home: HomeOption = None) -> None:
    """Stop a running job; `--resume` goes on with it."""
    with told():
        cancel_job(Home.locate(home).jobs / job_id)
    out.print(f"{job_id} was asked to stop", highlight=False)


@app.command()
def forget(job_id: JobId, home: HomeOption = None) -> None:
    """Delete a job with its report and pictures; a version that it published stays."""
    folder = Home.locate(home).jobs / job_id
    with told():
        delete_job(folder)
    out.print(f"{job_id} is deleted", highlight=False)
