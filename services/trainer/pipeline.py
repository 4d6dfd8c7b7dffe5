"""What the trainer does next: pure decisions."""

import sys
from collections.abc import Sequence
from pathlib import Path

from mien.contracts.jobs import JobRecord


def next_job(records: Sequence[JobRecord]) -> JobRecord | None:
    """Return the job that has waited longest; None while another runs, whoever started that one."""
    if any(record.state == "running" for record in records):
        return None
    waiting = [record for record in records if record.state == "queued"]
    return min(waiting, key=lambda record: record.started_at, default=None)


def training_command(record: JobRecord, *, home: Path, model_repo: Path, niceness: int) -> tuple[str, ...]:
    """Return the command of a terminal that goes on with a job, as a process that gives way to others."""
    return (
        *("nice", "-n", str(niceness)),
        *(sys.executable, "-m", "mien.cli", "train", record.kind, "--resume", record.job_id),
        *("--home", str(home), "--root", str(model_repo)),
    )


def why_it_never_began(output: str, exit_code: int) -> str:
    """Return why a job ended before it could say so itself: the last words of its process."""
    lines = [line.strip(" │") for line in output.splitlines() if any(map(str.isalnum, line))]
    last = lines[-1] if lines else "it said nothing"
    return f"it could not begin (exit code {exit_code}): {last[:300]}"
