"""Jobs: what a training leaves in its folder, so that a terminal, a trainer and a dashboard can follow it.

::

    HOME/jobs/ID/job.json          what was asked for, the state, and how it ended
    HOME/jobs/ID/progress.jsonl    one JSON object a line, appended as the work goes on
    HOME/jobs/ID/result.json       what came of it
    HOME/jobs/ID/report.html       the same for people, in one file
    HOME/jobs/ID/output.log        what a job that a trainer ran has printed
    HOME/jobs/ID/cancel            there since somebody asked the job to end, until it is gone on with
    HOME/jobs/ID/people.json       ids of the enrolled people whose photos it was made from
    HOME/jobs/ID/forget            there while a job is to be deleted as soon as it has ended
    HOME/jobs/ID/lock              held by the process for as long as it lives

Lines of progress carry ``at`` (ISO 8601), ``step``, ``done`` and ``total``; those of training also the
figures of an epoch. A job whose process died without a word is told by its lock, which the kernel lets go.
"""

from typing import Any, Final, Literal

import msgspec

RECORD_FILE: Final = "job.json"
PROGRESS_FILE: Final = "progress.jsonl"
RESULT_FILE: Final = "result.json"
REPORT_FILE: Final = "report.html"
OUTPUT_FILE: Final = "output.log"
CANCEL_FILE: Final = "cancel"
LOCK_FILE: Final = "lock"
PEOPLE_FILE: Final = "people.json"
FORGET_FILE: Final = "forget"

JobState = Literal["queued", "running", "finished", "failed", "cancelled", "interrupted"]
"""``queued``: a trainer is to run it; ``interrupted``: its process died without saying so."""

TRAINER_KEY: Final = "mien:trainer"
"""A :class:`TrainerStatus`, JSON, while a trainer lives."""
TRAINER_TTL_SECONDS: Final = 10


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a job.

    Attributes:
        kind: What is made, such as ``identity``.
        options: As they were asked for; a resumed job takes them again.
        started_at: ISO 8601; of the last start, or of the request while it is queued.
        explanation: Why it failed; empty otherwise.
        requested_by: The user who asked for it on the dashboard; empty for the command line.
    """

    job_id: str
    kind: str
    options: dict[str, Any]
    state: JobState
    started_at: str
    ended_at: str | None = None
    explanation: str = ""
    requested_by: str = ""


class TrainerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A trainer that is alive, and what it can do.

    Attributes:
        missing_packages: Without these nothing can be trained; empty where all is installed.
        install_command: What installs them.
        job_id: What it works on; None while it waits.
    """

    instance: str
    missing_packages: list[str]
    install_command: str
    job_id: str | None = None
