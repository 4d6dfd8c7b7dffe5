"""Which job is next, as which process, and what is said of one that never began."""

from pathlib import Path

from mien.contracts.jobs import JobRecord, JobState
from services.trainer.pipeline import next_job, training_command, why_it_never_began


def job(job_id: str, state: JobState, second: int) -> JobRecord:
    return JobRecord(
        job_id=job_id,
        kind="identity",
        options={},
        state=state,
        started_at=f"2026-01-01T00:00:{second:02}.000+00:00",
    )


def test_the_job_that_has_waited_longest_is_next() -> None:
    waiting = [job("b", "queued", 3), job("a", "queued", 1), job("c", "finished", 0)]
    chosen = next_job(waiting)
    assert chosen is not None
    assert chosen.job_id == "a"


def test_one_at_a_time_whoever_started_the_other() -> None:
    assert next_job([job("a", "queued", 1), job("b", "running", 2)]) is None


def test_what_ended_in_some_way_is_not_begun_again() -> None:
    states: tuple[JobState, ...] = ("finished", "failed", "cancelled", "interrupted")
    assert next_job([job(state, state, 1) for state in states]) is None
    assert next_job([]) is None


def test_a_job_is_gone_on_with_as_from_a_terminal_but_gives_way() -> None:
    command = training_command(
        job("identity-1", "queued", 1), home=Path("/home"), model_repo=Path("/models"), niceness=7
    )
    assert command[:3] == ("nice", "-n", "7")
    assert command[4:] == (
        *("-m", "mien.cli", "train", "identity", "--resume", "identity-1"),
        *("--home", "/home", "--root", "/models"),
    )


def test_the_last_words_of_a_process_say_why_it_never_began() -> None:
    box = "Usage: mien train\n╭─ Error ───╮\n│ No such command 'x'. │\n╰───────────╯\n"
    assert why_it_never_began(box, 2) == "it could not begin (exit code 2): No such command 'x'."
    assert why_it_never_began("", 137) == "it could not begin (exit code 137): it said nothing"
