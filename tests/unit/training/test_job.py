"""A job tells what it does, ends in words however it ends, and can be gone on with."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mien.errors import PermanentError
from mien.runtime.jobs import (
    JobBusyError,
    JobUnknownError,
    cancel_job,
    delete_forgotten,
    delete_job,
    forget_person,
    list_jobs,
    queue_again,
    queue_job,
    read_job,
    read_progress,
    read_result,
    write_people,
)
from mien.training.job import Job

# A job in a process of its own that waits in the middle of its work.
_WAITING = """
import sys, time
from pathlib import Path
from mien.training.job import Job, JobCancelledError
try:
    with Job.start(Path(sys.argv[1]), "identity", {"seed": 1}) as job:
        job.tell("training", 1, 10)
        print(job.job_id, flush=True)
        time.sleep(60)
except JobCancelledError as error:
    print(error, flush=True)
"""


def end_by(signum: signal.Signals, jobs: Path) -> str:
    """Begin a job in a process of its own and send that a signal; returns what it said in the end."""
    command = [sys.executable, "-c", _WAITING, str(jobs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signum)
        return process.stdout.readline()


def run_job(jobs: Path, resume: str | None = None) -> str:
    with Job.start(jobs, "identity", {"seed": 1}, resume=resume) as job:
        job.tell("embedding", 1, 2)
        job.tell("training", 1, 1, loss=0.5)
        job.write_result({"accuracy": 1.0})
        assert read_job(job.folder).state == "running"
    return job.job_id


def test_a_job_leaves_its_progress_its_result_and_its_state(tmp_path: Path) -> None:
    folder = tmp_path / run_job(tmp_path)
    record = read_job(folder)
    assert (record.state, record.kind, record.options) == ("finished", "identity", {"seed": 1})
    assert record.ended_at is not None
    lines = read_progress(folder)
    assert [(line["step"], line["done"], line["total"]) for line in lines] == [
        ("embedding", 1, 2),
        ("training", 1, 1),
    ]
    assert lines[1]["loss"] == 0.5
    assert read_result(folder) == {"accuracy": 1.0}


def test_a_job_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(PermanentError), Job.start(tmp_path, "identity", {}):
        raise PermanentError("the split leaks")
    (record,) = list_jobs(tmp_path)
    assert (record.state, record.explanation) == ("failed", "the split leaks")


def test_ctrl_c_and_sigterm_cancel(tmp_path: Path) -> None:
    for signum in (signal.SIGINT, signal.SIGTERM):
        assert "was cancelled" in end_by(signum, tmp_path / str(signum))
        assert [record.state for record in list_jobs(tmp_path / str(signum))] == ["cancelled"]


def test_sigterm_means_what_it_meant_after_the_job(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    run_job(tmp_path)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_cancelled_job_can_be_gone_on_with_and_keeps_its_lines(tmp_path: Path) -> None:
    end_by(signal.SIGINT, tmp_path)
    (cancelled,) = list_jobs(tmp_path)
    assert run_job(tmp_path, resume=cancelled.job_id) == cancelled.job_id
    assert read_job(tmp_path / cancelled.job_id).state == "finished"
    assert len(read_progress(tmp_path / cancelled.job_id)) == 3


def test_only_what_did_not_finish_is_gone_on_with(tmp_path: Path) -> None:
    job_id = run_job(tmp_path)
    with pytest.raises(PermanentError, match="it is finished"):
        run_job(tmp_path, resume=job_id)
    with pytest.raises(PermanentError, match="no such job"):
        run_job(tmp_path, resume="identity-nowhere")


def test_another_process_sees_a_job_run_and_cancels_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = tmp_path / process.stdout.readline().strip()
        assert read_job(folder).state == "running"
        with pytest.raises(JobBusyError, match="cancel it first"):
            delete_job(folder)
        cancel_job(folder)
        assert "was cancelled" in process.stdout.readline()
    assert read_job(folder).state == "cancelled"
    with pytest.raises(PermanentError, match="does not run, it is cancelled"):
        cancel_job(folder)


def test_a_process_that_dies_without_a_word_leaves_an_interrupted_job(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = tmp_path / process.stdout.readline().strip()
        process.kill()
    assert read_job(folder).state == "interrupted"
    assert run_job(tmp_path, resume=folder.name) == folder.name


def test_half_a_line_of_progress_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "progress.jsonl").write_text(json.dumps({"step": "training"}) + '\n{"step": "tr')
    assert read_progress(tmp_path) == [{"step": "training"}]


def test_there_may_be_no_jobs(tmp_path: Path) -> None:
    assert list_jobs(tmp_path / "jobs") == []


def test_a_job_that_was_asked_for_waits_and_is_run_with_its_own_options(tmp_path: Path) -> None:
    asked = queue_job(tmp_path, "identity", {"seed": 3}, requested_by="ada")
    folder = tmp_path / asked.job_id
    assert read_job(folder).state == "queued"
    assert run_job(tmp_path, resume=asked.job_id) == asked.job_id
    record = read_job(folder)
    assert (record.state, record.requested_by) == ("finished", "ada")
    with pytest.raises(PermanentError, match="it is finished"):
        queue_again(folder)


def test_a_job_that_waits_is_cancelled_at_once_and_can_be_asked_for_again(tmp_path: Path) -> None:
    folder = tmp_path / queue_job(tmp_path, "identity", {}).job_id
    cancel_job(folder)
    assert read_job(folder).state == "cancelled"
    assert queue_again(folder).state == "queued"
    assert read_job(folder).ended_at is None


def test_a_deleted_job_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / run_job(tmp_path)
    (folder / "photos").mkdir()
    (folder / "photos" / "face.jpg").write_bytes(b"a face")
    delete_job(folder)
    assert list(tmp_path.iterdir()) == []
    for change in (delete_job, cancel_job, queue_again, read_job):
        with pytest.raises(JobUnknownError, match="no such job"):
            change(folder)


def test_who_is_forgotten_is_forgotten_in_jobs(tmp_path: Path) -> None:
    """Their reports may show them; one that runs is ended first, and seen by nobody meanwhile."""
    theirs, of_others = run_job(tmp_path), run_job(tmp_path)
    write_people(tmp_path / theirs, ["ada", "bob"])
    write_people(tmp_path / of_others, ["cy"])
    with subprocess.Popen(
        [sys.executable, "-c", _WAITING, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        running = tmp_path / process.stdout.readline().strip()
        write_people(running, ["ada"])
        assert forget_person(tmp_path, "ada") == 2
        assert [record.job_id for record in list_jobs(tmp_path)] == [of_others]
        assert "was cancelled" in process.stdout.readline()
    delete_forgotten(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [of_others]
    assert forget_person(tmp_path, "ada") == 0
