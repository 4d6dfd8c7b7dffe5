"""From photos to a classifier that a running model server answers with, and back again."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from mien.contracts.models import FACE_EMBEDDER, IDENTITY_CLASSIFIER
from mien.dataset.manifest import aligned_path, read_dataset
from mien.dataset.prepare import PrepareOptions, prepare
from mien.dataset.selection import Limits
from mien.dataset.split import split_dataset, write_split
from mien.errors import PermanentError
from mien.runtime.jobs import list_jobs, read_job, read_progress
from mien.runtime.serving import ServingClient
from mien.training.embedding import Embedder, embed_views
from mien.training.identity import train_identity
from mien.training.identity_data import IdentityOptions
from mien.training.job import Job
from model_repo import labels
from services.recognizer.classifier import IdentityClassifier
from tests.integration.serving.servers import run_model_server

REPOSITORY = Path(__file__).parents[3]
NOBODY = np.full(FACE_EMBEDDER.dimensions, FACE_EMBEDDER.dimensions**-0.5, np.float32)


def make_data(photos: Path, folder: Path) -> Path:
    options = PrepareOptions(limits=Limits(if_several="central"))
    dataset = prepare(photos, folder, options)
    write_split(split_dataset(dataset, by="photo", validation=0.15, test=0.25, seed=1), folder)
    return folder


def train(data: Path, repo: Path, jobs: Path, **changes: object) -> tuple[Path, dict[str, object]]:
    options = IdentityOptions(data=str(data), model_repo=str(repo), **changes)  # type: ignore[arg-type]
    with Job.start(jobs, "identity", {}) as job:
        return job.folder, train_identity(options, job, job.tell)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.05)


async def said_of_test_faces(
    data: Path, cache: Path, embedder: Embedder, classifier: IdentityClassifier
) -> list[tuple[str, str | None]]:
    """Return who each held-out face is, and whom the classifier behind the model server names."""
    dataset = read_dataset(data)
    wanted = set(json.loads((data / "split.json").read_text())["test"])
    faces = [face for face in dataset.used() if face.face_id in wanted]
    vectors = embed_views(
        [aligned_path(data, face, FACE_EMBEDDER.name) for face in faces],
        embedder,
        copies=0,
        seed=0,
        cache=cache,
        on_face=lambda *_: None,
    )[:, 0]
    opinions = [await classifier.opinion(vector) for vector in vectors]
    return [
        (face.person, opinion.best if opinion else None)
        for face, opinion in zip(faces, opinions, strict=True)
    ]


def classifier_at(client: ServingClient) -> IdentityClassifier:
    return IdentityClassifier(
        client, FACE_EMBEDDER, embedder_version=1, label=labels.STABLE, timeout_seconds=5
    )


async def answered_version(classifier: IdentityClassifier) -> int | None:
    await classifier.refresh()
    opinion = await classifier.opinion(NOBODY)
    return opinion.version if opinion else None


async def test_from_photos_to_a_served_classifier_and_back(
    portraits: Path, repo: Path, tmp_path: Path
) -> None:
    """Prepared, trained, picked up while the server runs, promoted, rolled back."""
    data = make_data(portraits, tmp_path / "data")
    embedder = Embedder(FACE_EMBEDDER, repo / FACE_EMBEDDER.name / "1")
    with run_model_server(repo, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            classifier = classifier_at(client)
            assert await answered_version(classifier) is None

            folder, result = train(data, repo, tmp_path / "jobs", epochs=60, open_set_folds=0)
            assert (result["version"], result["label"]) == (1, "stable")

            def answers(version: int) -> Callable[[], Awaitable[bool]]:
                async def check() -> bool:
                    return await answered_version(classifier) == version

                return check

            await until(answers(1))
            said = await said_of_test_faces(data, tmp_path / "vectors", embedder, classifier)
            assert len({person for person, _ in said}) == 3
            assert [person for person, _ in said] == [named for _, named in said]

            _, second = train(data, repo, tmp_path / "jobs", epochs=2, seed=2, open_set_folds=0)
            assert (second["version"], second["label"]) == (2, "canary")
            assert await answered_version(classifier) == 1  # nobody is named by a canary
            labels.promote(repo, IDENTITY_CLASSIFIER)
            await until(answers(2))
            labels.roll_back(repo, IDENTITY_CLASSIFIER)
            await until(answers(1))
    for name in ("report.html", "result.json", "model.keras", "curves.svg", "confusion.svg"):
        assert (folder / name).is_file(), name
    steps = {line["step"] for line in read_progress(folder)}
    assert {"embedding", "training"} <= steps


async def test_eighteen_people_of_lfw_are_all_named_rightly(
    lfw_photos: Path, repo: Path, tmp_path: Path
) -> None:
    """The student's table: held-out photos of everybody, each named by the classifier behind the server."""
    data = make_data(lfw_photos, tmp_path / "data")
    _, result = train(data, repo, tmp_path / "jobs")
    test = result["test"]
    assert isinstance(test, dict)
    assert (test["accuracy"], len(test["names"])) == (1.0, 18)
    open_set = result["open_set"]
    assert isinstance(open_set, dict)
    # Softmax knows no strangers; who decides with it alone must know what that costs.
    judges = open_set["judges"]
    assert judges["both"]["named_at_1_percent"] >= judges["classifier"]["named_at_1_percent"]
    with run_model_server(repo, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            classifier = classifier_at(client)
            await classifier.refresh()
            embedder = Embedder(FACE_EMBEDDER, repo / FACE_EMBEDDER.name / "1")
            said = await said_of_test_faces(data, tmp_path / "vectors", embedder, classifier)
    assert len(said) == test["faces"]
    assert [person for person, _ in said] == [named for _, named in said]


def test_a_cancelled_training_leaves_no_version_and_goes_on(
    portraits: Path, repo: Path, tmp_path: Path
) -> None:
    """SIGTERM in the middle of training; the job that goes on ends as one that was never stopped."""
    data = make_data(portraits, tmp_path / "data")
    home = tmp_path / "home"
    command = [sys.executable, "-m", "mien.cli", "train", "identity", "--home", str(home)]
    options = ["--root", str(repo), "--epochs", "80", "--patience", "80", "--open-set-folds", "0"]
    with subprocess.Popen(
        [*command, *options, str(data)], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (records := list_jobs(home / "jobs")) or not any(
            line["step"] == "training" for line in read_progress(home / "jobs" / records[0].job_id)
        ):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    job_id = records[0].job_id
    assert process.returncode == 130
    assert f"--resume {job_id}" in errors
    assert "Traceback" not in errors
    assert read_job(home / "jobs" / job_id).state == "cancelled"
    assert not (repo / IDENTITY_CLASSIFIER).exists()

    resumed = subprocess.run(
        [*command, "--resume", job_id], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert read_job(home / "jobs" / job_id).state == "finished"
    assert labels.read_labels(repo, IDENTITY_CLASSIFIER) == {"stable": 1}
    _, again = train(data, repo, tmp_path / "other", epochs=80, patience=80, open_set_folds=0, publish=False)
    kept = json.loads((home / "jobs" / job_id / "result.json").read_text())
    assert kept["epochs"]["curves"] == again["epochs"]["curves"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedder": "face_embedder_faceres"}, "prepare it again"),
        ({"embedder_version": 9}, "mien models build"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_words(
    portraits: Path, repo: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    data = make_data(portraits, tmp_path / "data")
    with pytest.raises(PermanentError, match=message):
        train(data, repo, tmp_path / "jobs", **change)
    assert [record.state for record in list_jobs(tmp_path / "jobs")] == ["failed"]
