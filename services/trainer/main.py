"""The trainer's wiring: jobs that were asked for become processes, one at a time."""

import asyncio
import importlib.util
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from mien.contracts.jobs import (
    CANCEL_FILE,
    OUTPUT_FILE,
    TRAINER_KEY,
    TRAINER_TTL_SECONDS,
    JobRecord,
    TrainerStatus,
)
from mien.runtime.jobs import delete_forgotten, fail_job, list_jobs, queue_again, read_job
from mien.runtime.redis_connection import connect_redis
from mien.runtime.service import Service, announce_presence, run_service, run_until_stopped, wait_or_stop
from mien.runtime.settings import settings_from_command_line
from services.trainer.config import TrainerSettings
from services.trainer.pipeline import next_job, training_command, why_it_never_began

log = structlog.get_logger()

TRAINING_PACKAGES: Final = {
    "jinja2": "jinja2",
    "matplotlib": "matplotlib",
    "plotext": "plotext",
    "scikit-learn": "sklearn",
    "tensorflow-cpu": "tensorflow",
}
"""Packages of the extra ``train``, by the module that tells whether they are there."""
INSTALL_COMMAND: Final = "bin/mien setup"
_POLL_SECONDS: Final = 1.0
_ENDING_SECONDS: Final = 8.0
_REPORTED_BYTES: Final = 4_000


class Trainer:
    """Runs what is asked for in the folder of jobs; TensorFlow and a training's memory stay in its process.

    Told to stop, it ends the job and puts it back, so that the next start goes on with it.
    """

    def __init__(self, settings: TrainerSettings) -> None:
        self._settings = settings
        self._job_id: str | None = None

    def status(self, instance: str) -> TrainerStatus:
        """Return what the trainer can do, and what it does."""
        return TrainerStatus(
            instance=instance,
            missing_packages=missing_packages(),
            install_command=INSTALL_COMMAND,
            job_id=self._job_id,
        )

    async def work(self, service: Service) -> None:
        """Run jobs until the service stops."""
        service.health.started()
        while not service.stop.is_set():
            try:
                await asyncio.to_thread(delete_forgotten, self._settings.jobs_folder)
                records = await asyncio.to_thread(list_jobs, self._settings.jobs_folder)
                job = None if missing_packages() else next_job(records)
                if job is not None:
                    await self._run(job, service.stop)
                service.health.resolve("jobs")
            except (OSError, msgspec.MsgspecError) as error:
                service.health.report("jobs", f"{self._settings.jobs_folder} can't be read: {error}")
            await wait_or_stop(service.stop, _POLL_SECONDS)

    async def announce(self, service: Service, redis: Redis) -> None:
        """Tell the gateway what the trainer can do, until the service stops."""
        while not service.stop.is_set():
            status = await asyncio.to_thread(self.status, service.instance)
            with suppress(RedisError, OSError):  # announce_presence says so
                await redis.set(TRAINER_KEY, msgspec.json.encode(status), ex=TRAINER_TTL_SECONDS)
            await wait_or_stop(service.stop, TRAINER_TTL_SECONDS / 4)
        with suppress(RedisError, OSError):
            await redis.delete(TRAINER_KEY)

    async def _run(self, job: JobRecord, stop: asyncio.Event) -> None:
        folder = self._settings.jobs_folder / job.job_id
        command = training_command(
            job,
            home=self._settings.home.resolve(),
            model_repo=self._settings.model_repo.resolve(),
            niceness=self._settings.niceness,
        )
        log.info("job.started", job_id=job.job_id, kind=job.kind)
        self._job_id = job.job_id
        try:
            with (folder / OUTPUT_FILE).open("ab") as output:
                process = await asyncio.create_subprocess_exec(
                    *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
                )
            await _until_ended(process, stop)
            await asyncio.to_thread(self._settle, folder, process.returncode or 0, stop)
        finally:
            self._job_id = None

    def _settle(self, folder: Path, exit_code: int, stop: asyncio.Event) -> None:
        record = read_job(folder)
        if record.state == "queued":
            output = (folder / OUTPUT_FILE).read_bytes()[-_REPORTED_BYTES:].decode(errors="replace")
            fail_job(folder, why_it_never_began(output, exit_code))
        was_cancelled = (folder / CANCEL_FILE).exists()
        if stop.is_set() and record.state in {"cancelled", "interrupted"} and not was_cancelled:
            queue_again(folder)  # the signal that ended us ended it, too
        log.info("job.ended", job_id=folder.name, state=read_job(folder).state)


async def _until_ended(process: asyncio.subprocess.Process, stop: asyncio.Event) -> None:
    """Wait for a job's process, and end it when the trainer stops."""
    ending, stopping = asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            process.terminate()
            await asyncio.wait({ending}, timeout=_ENDING_SECONDS)
    finally:
        stopping.cancel()
        if not ending.done():
            process.kill()
            await ending


def missing_packages() -> list[str]:
    """Return the packages of a training that are not installed; those that come later are noticed."""
    importlib.invalidate_caches()
    return [name for name, module in TRAINING_PACKAGES.items() if importlib.util.find_spec(module) is None]


def main() -> None:
    """Run the trainer until it is told to stop."""
    settings = settings_from_command_line(
        TrainerSettings, "Mien trainer: runs the trainings that the dashboard asks for, one at a time."
    )

    async def work(service: Service) -> None:
        trainer = Trainer(settings)
        async with connect_redis(settings.redis) as redis:
            await run_until_stopped(
                service,
                trainer.work(service),
                trainer.announce(service, redis),
                announce_presence(service, redis),
            )

    run_service("trainer", settings, work)
