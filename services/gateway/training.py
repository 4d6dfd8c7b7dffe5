"""Training from the dashboard: what can be trained, what runs, what came of it, which version is in use.

The gateway trains nothing and imports nothing that does: it writes what is asked for into the folder of jobs,
a trainer runs it, and what that leaves in the folder is shown. So neither's restart loses sight of a job.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.job_kinds import JOB_KINDS, JobKind
from mien.contracts.jobs import REPORT_FILE, TRAINER_KEY, JobRecord, TrainerStatus
from mien.errors import PermanentError
from mien.runtime.jobs import (
    JobUnknownError,
    cancel_job,
    delete_job,
    forget_person,
    list_jobs,
    queue_again,
    queue_job,
    read_job,
    read_progress,
    read_result,
)
from model_repo import labels
from model_repo.stamp import read_stamp
from services.gateway.pipeline import InvalidInputError
from services.gateway.training_options import checked_options, require_kind
from services.gateway.training_progress import curves_of, epochs_at_most, steps_of
from services.gateway.training_schemas import (
    JobDetail,
    JobInfo,
    JobKindInfo,
    JobRequest,
    ModelVersion,
    ModelVersions,
    TrainerInfo,
    TrainingInfo,
)

_STATUS: Final = msgspec.json.Decoder(TrainerStatus)


class TrainingDesk:
    """Asks for trainings and puts their models to use; files are read in threads.

    Args:
        jobs: Folder of jobs, shared with a trainer; None where nothing is trained from here.
        datasets: Folder of folders that can be trained on.
        model_repo: Where versions are labelled; None where that is done elsewhere.
    """

    def __init__(
        self, redis: Redis, *, jobs: Path | None, datasets: Path | None, model_repo: Path | None
    ) -> None:
        self._redis = redis
        self._jobs = jobs
        self._model_repo = model_repo
        self.datasets = datasets

    async def overview(self) -> TrainingInfo:
        """Return all about training at a glance."""
        trainer = await self._trainer()
        jobs, models = await asyncio.to_thread(lambda: (self._list(), self._list_models()))
        return TrainingInfo(
            trainer=trainer,
            kinds=[JobKindInfo.model_validate(msgspec.to_builtins(kind)) for kind in JOB_KINDS.values()],
            jobs=jobs,
            models=models,
            datasets_folder=str(self.datasets) if self.datasets else None,
        )

    async def start(self, wanted: JobRequest, *, requested_by: str) -> JobInfo:
        """Ask for a training.

        Raises:
            InvalidInputError: There is no such kind, or an option is out of bounds.
            PermanentError: Nothing is trained from here.
        """
        kind = require_kind(wanted.kind)
        options = checked_options(kind, wanted.options) | {"data": self._data_of(kind, wanted.source)}
        folder = self._folder()
        return await asyncio.to_thread(
            lambda: job_info(folder, queue_job(folder, wanted.kind, options, requested_by=requested_by))
        )

    async def detail(self, job_id: str) -> JobDetail:
        """Return all about a training.

        Raises:
            JobUnknownError: There is none of this id.
        """
        return await asyncio.to_thread(self._detail, self._folder_of(job_id))

    async def cancel(self, job_id: str) -> None:
        """Ask a training to end; it can be gone on with."""
        await self._change(cancel_job, job_id)

    async def resume(self, job_id: str) -> None:
        """Ask for a training to be gone on with."""
        await self._change(queue_again, job_id)

    async def delete(self, job_id: str) -> None:
        """Delete a training with its report and pictures; a version that it published stays."""
        await self._change(delete_job, job_id)

    async def forget_person(self, person_id: str) -> None:
        """Delete every training that was made from a person's photos; its report may show them."""
        if self._jobs is not None:
            await asyncio.to_thread(forget_person, self._jobs, person_id)

    async def report(self, job_id: str) -> bytes:
        """Return a training's report, HTML.

        Raises:
            JobUnknownError: There is no such training, or it has no report.
        """
        path = self._folder_of(job_id) / REPORT_FILE
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            raise JobUnknownError(f"{job_id} has no report: it did not finish") from None

    async def give_label(self, model: str, label: str, version: int) -> None:
        """Try a version as canary, or make it stable; what was stable can then be rolled back to.

        Raises:
            PermanentError: There is no such version, or labels are given elsewhere.
        """

        def change(root: Path) -> None:
            labels.set_label(root, model, labels.CANARY, version)
            if label == labels.STABLE:
                labels.promote(root, model)

        await self._change_labels(model, change)

    async def roll_back(self, model: str) -> None:
        """Make the version stable again that was so before.

        Raises:
            PermanentError: There is none, or labels are given elsewhere.
        """
        await self._change_labels(model, lambda root: labels.roll_back(root, model))

    async def _trainer(self) -> TrainerInfo:
        try:
            said = None if self._jobs is None else await self._redis.get(TRAINER_KEY)
        except (RedisError, OSError):
            said = None
        if said is None:
            state: Literal["off", "away"] = "off" if self._jobs is None else "away"
            return TrainerInfo(state=state, missing_packages=[], install_command=None)
        status = _STATUS.decode(said)
        missing = status.missing_packages
        return TrainerInfo(
            state="not_installed" if missing else "working" if status.job_id else "idle",
            missing_packages=missing,
            install_command=status.install_command if missing else None,
        )

    async def _change(self, change: Callable[[Path], object], job_id: str) -> None:
        await asyncio.to_thread(change, self._folder_of(job_id))

    async def _change_labels(self, model: str, change: Callable[[Path], object]) -> None:
        root = self._model_repo
        if root is None:
            raise PermanentError("labels are not given from here: use mien models promote and rollback")
        if model not in _models():
            raise InvalidInputError(f"there is no trained model {model!r}")

        def change_alone() -> None:
            with labels.locked(root):
                change(root)

        await asyncio.to_thread(change_alone)

    def _folder(self) -> Path:
        if self._jobs is None:
            raise PermanentError("nothing is trained from here: this gateway has no folder of jobs")
        return self._jobs

    def _folder_of(self, job_id: str) -> Path:
        # The interface lets only words through that are no paths; this is the second lock.
        folder = self._folder() / job_id
        if folder.parent != self._folder():
            raise JobUnknownError(f"{job_id}: no such job")
        return folder

    def _data_of(self, kind: JobKind, source: str) -> str | list[str]:
        if kind.trains_on == "people":
            return ""
        if kind.trains_on == "expressions" and not source:
            return []
        folder = None if self.datasets is None else self.datasets / source
        if folder is None or not source or folder.parent != self.datasets or not folder.is_dir():
            raise InvalidInputError(f"source: there is no folder {source!r} among the data sets")
        return [str(folder.resolve())]

    def _list(self) -> list[JobInfo]:
        if self._jobs is None:
            return []
        return [job_info(self._jobs, record) for record in list_jobs(self._jobs)]

    def _detail(self, folder: Path) -> JobDetail:
        record, lines = read_job(folder), read_progress(folder)
        waiting = [one for one in list_jobs(folder.parent) if one.state == "queued"]
        return JobDetail(
            **job_info(folder.parent, record).model_dump(),
            options=record.options,
            steps=[] if record.state == "queued" else steps_of(lines, since=record.started_at),
            epochs_at_most=epochs_at_most(lines),
            curves=curves_of(lines),
            queue_position=(
                1 + sum(one.started_at < record.started_at for one in waiting)
                if record.state == "queued"
                else None
            ),
        )

    def _list_models(self) -> list[ModelVersions]:
        if self._model_repo is None:
            return []
        return [self._versions_of(self._model_repo, model, title) for model, title in _models().items()]

    def _versions_of(self, root: Path, model: str, title: str) -> ModelVersions:
        given = labels.read_labels(root, model)
        return ModelVersions(
            model=model,
            title=title,
            versions=[
                self._version(root / model / str(version), given)
                for version in reversed(labels.versions(root, model))
            ],
            can_roll_back=labels.PREVIOUS in given,
        )

    def _version(self, folder: Path, given: Mapping[str, int]) -> ModelVersion:
        version, stamp = int(folder.name), read_stamp(folder)
        job = None if self._jobs is None or "job" not in stamp else self._jobs / stamp["job"]
        result = (read_result(job) if job else None) or {}
        return ModelVersion(
            version=version,
            labels=sorted(label for label, labelled in given.items() if labelled == version),
            made_from=stamp.get("source", ""),
            made_at=datetime.fromtimestamp(folder.stat().st_mtime, UTC),
            job_id=job.name if job and job.is_dir() else None,
            accuracy=_held_out(result).get("accuracy"),
            has_report=job is not None and (job / REPORT_FILE).is_file(),
        )


def job_info(jobs: Path, record: JobRecord) -> JobInfo:
    """Return a training as it was asked for, and the figures of how it ended."""
    folder = jobs / record.job_id
    result = read_result(folder) or {}
    kind = JOB_KINDS.get(record.kind)
    return JobInfo(
        job_id=record.job_id,
        kind=record.kind,
        title=kind.title if kind else record.kind,
        state=record.state,
        started_at=datetime.fromisoformat(record.started_at),
        ended_at=datetime.fromisoformat(record.ended_at) if record.ended_at else None,
        explanation=record.explanation,
        requested_by=record.requested_by,
        accuracy=_held_out(result).get("accuracy"),
        macro_f1=_held_out(result).get("macro_f1"),
        version=result.get("version"),
        has_report=(folder / REPORT_FILE).is_file(),
    )


def _models() -> dict[str, str]:
    return {kind.model: kind.title for kind in JOB_KINDS.values()}


def _held_out(result: Mapping[str, Any]) -> Mapping[str, float]:
    return result.get("test") or {}
