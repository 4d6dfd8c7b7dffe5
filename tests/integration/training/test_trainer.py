"""The trainer runs what was asked for in the folder of jobs, as processes of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mien.contracts.jobs import OUTPUT_FILE
from mien.contracts.models import IDENTITY_CLASSIFIER
from mien.runtime.jobs import cancel_job, queue_again, queue_job, read_job, read_progress
from mien.runtime.service import Service
from model_repo import labels
from services.trainer.config import TrainerSettings
from services.trainer.main import Trainer
from tests.integration.training.test_identity import make_data


@pytest.fixture
def settings(tmp_path: Path, repo: Path) -> TrainerSettings:
    return TrainerSettings(home=tmp_path / "home", model_repo=repo)


@asynccontextmanager
async def running(settings: TrainerSettings) -> AsyncIterator[Trainer]:
    """Run a trainer until the context ends, as a polite stop does."""
    trainer, service = Trainer(settings), Service("trainer")
    working = asyncio.create_task(trainer.work(service))
    yield trainer
    service.stop.set()
    await working


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.05)


async def test_what_was_asked_for_is_trained_published_and_followed(
    settings: TrainerSettings, portraits: Path, repo: Path, tmp_path: Path
) -> None:
    options = {"data": str(make_data(portraits, tmp_path / "data")), "epochs": 10, "open_set_folds": 0}
    job = queue_job(settings.jobs_folder, "identity", options, requested_by="ada")
    folder = settings.jobs_folder / job.job_id
    async with running(settings) as trainer:
        await until(lambda: trainer.status("t").job_id == job.job_id)
        await until(lambda: read_job(folder).state not in {"queued", "running"})
    record = read_job(folder)
    assert (record.state, record.explanation, record.requested_by) == ("finished", "", "ada")
    assert labels.read_labels(repo, IDENTITY_CLASSIFIER) == {"stable": 1}
    assert "held-out faces are named rightly" in (folder / OUTPUT_FILE).read_text()


async def test_a_training_goes_on_after_the_trainer_was_stopped_and_ends_when_cancelled(
    settings: TrainerSettings, portraits: Path, repo: Path, tmp_path: Path
) -> None:
    """A stop puts the job back, so a restart loses nothing; somebody's cancel is a cancel."""
    data = make_data(portraits, tmp_path / "data")
    options = {"data": str(data), "epochs": 10_000, "patience": 10_000, "open_set_folds": 0}
    folder = settings.jobs_folder / queue_job(settings.jobs_folder, "identity", options).job_id

    def epochs() -> int:
        return sum(line["step"] == "training" for line in read_progress(folder))

    async with running(settings):
        await until(lambda: epochs() > 0)
    assert read_job(folder).state == "queued"

    before = epochs()
    async with running(settings):
        await until(lambda: epochs() > before)
        cancel_job(folder)
        await until(lambda: read_job(folder).state == "cancelled")
    assert read_job(folder).state == "cancelled"
    assert not (repo / IDENTITY_CLASSIFIER).exists()
    assert queue_again(folder).state == "queued"


async def test_a_job_that_cannot_begin_fails_in_words_and_the_next_has_its_turn(
    settings: TrainerSettings, tmp_path: Path
) -> None:
    first = queue_job(settings.jobs_folder, "astrology", {})
    second = queue_job(settings.jobs_folder, "identity", {"data": str(tmp_path / "nowhere")})
    folders = [settings.jobs_folder / job.job_id for job in (first, second)]
    async with running(settings):
        await until(lambda: all(read_job(folder).state == "failed" for folder in folders))
    assert "No such command 'astrology'" in read_job(folders[0]).explanation
    assert "expected a data set" in read_job(folders[1]).explanation
