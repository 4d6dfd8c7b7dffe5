"""From labelled photographs to an emotion network that a running model server answers with."""

import csv
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.models import EMOTION_CLASSIFIER, EMOTION_LABELS, EMOTIONS, IMAGES, PROBABILITIES
from mien.errors import PermanentError
from mien.runtime.jobs import list_jobs, read_job, read_progress
from mien.runtime.serving import ServingClient
from mien.training.dense_network import Epoch
from mien.training.emotion import train_emotion
from mien.training.emotion_data import EmotionOptions
from mien.training.emotion_student import (
    FaceSamples,
    StudentSchedule,
    grey_input,
    student_weights,
    train_student,
)
from mien.training.emotion_student import build_student as build_keras_student
from mien.training.job import Job
from model_repo import labels, repository, saved_model
from model_repo.emotion_classifier.student import build_student
from model_repo.sources import FACE_API, HUMAN, DownloadError
from model_repo.stamp import read_stamp
from tests.faces import require_faces
from tests.integration.models.conftest import skip_or_fail
from tests.integration.models.engines import largest_difference, run_openvino, run_tensorflow
from tests.integration.serving.servers import run_model_server
from tests.student_network import random_student

REPOSITORY = Path(__file__).parents[3]
PEOPLE_OF_EACH_LABEL = 6
LABELS = ("happy", "sad")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Photographs of twelve people, named as a student would; skips without the data."""
    source = require_faces() / "emotion" / "muxspace"
    folder = tmp_path / "photos"
    folder.mkdir()
    seen: Counter[str] = Counter()
    people = set()
    with (source / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            label, person = row["label"], row["name_stem"]
            if label in LABELS and seen[label] < PEOPLE_OF_EACH_LABEL and person not in people:
                seen[label] += 1
                people.add(person)
                (folder / f"{person}-{label}-1.jpg").symlink_to((source / row["path"]).resolve())
    return folder


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A model repository in which a version is in use, and that has the packages of the carried networks."""
    root = tmp_path / "models"
    (root / EMOTION_CLASSIFIER.name).mkdir(parents=True)
    built = repository.ROOT / EMOTION_CLASSIFIER.name / "1"
    if not (built / "saved_model.pb").is_file():
        skip_or_fail("emotion_classifier is not built: bin/mien models build")
    (root / EMOTION_CLASSIFIER.name / "1").symlink_to(built)
    shutil.copytree(repository.ROOT / ".downloads", root / ".downloads")
    try:
        for package in (FACE_API, HUMAN):
            repository.fetch_package(package, root)
    except DownloadError as error:
        skip_or_fail(f"the carried networks can't be had here: {error}")
    return root


def train(data: Path, repo: Path, jobs: Path, **changes: Any) -> tuple[Path, dict[str, Any]]:
    asked: dict[str, Any] = {"epochs": 2, "batch_size": 4, "validation": 0.25, "test": 0.25} | changes
    options = EmotionOptions(data=[str(data)], model_repo=str(repo), **asked)
    with Job.start(jobs, "emotion", {}) as job:
        return job.folder, train_emotion(options, job, job.tell)


def some_faces() -> NDArray[np.uint8]:
    """Three aligned faces as a worker sends them; noise is enough to compare engines on."""
    size = EMOTION_CLASSIFIER.size
    coarse = np.random.default_rng(3).integers(0, 256, (3, 14, 14, 3), dtype=np.uint8)
    return np.stack([cv2.resize(face, (size, size), interpolation=cv2.INTER_CUBIC) for face in coarse])


def test_keras_counts_the_parameters_of_the_student_project() -> None:
    network = build_keras_student(len(EMOTIONS))
    trained = sum(int(np.prod(weights.shape)) for weights in network.trainable_weights)
    assert (network.count_params(), trained) == (4_005_381, 4_003_717)
    assert network.get_layer(index=-9).output.shape[1:] == (1, 1, 512)


def test_what_is_served_says_what_keras_says(tmp_path: Path) -> None:
    """Both engines, with weights and moving averages that are not those of a new network."""
    weights = random_student(seed=4)
    network = build_keras_student(len(EMOTIONS))
    convolutions, normalisations, dense = map(
        iter, (weights.convolutions, weights.normalisations, weights.dense)
    )
    for layer in network.layers:
        kind = type(layer).__name__
        if layer.weights and kind != "Dropout":
            source = {"Conv2D": convolutions, "BatchNormalization": normalisations, "Dense": dense}[kind]
            layer.set_weights(next(source))
    faces = some_faces()
    expected = network.predict_on_batch(grey_input(faces))
    (tmp_path / "1").mkdir()
    saved_model.write(build_student(student_weights(network), EMOTIONS, temperature=1.0), tmp_path / "1")
    for run in (run_openvino, run_tensorflow):
        said = run(tmp_path / "1", faces)[PROBABILITIES]
        assert largest_difference(said[:, : len(EMOTIONS)], expected) < 1e-5
        assert not said[:, len(EMOTIONS) :].any()
    assert expected.max() > 1.5 / len(EMOTIONS)  # or any network would agree


@pytest.mark.parametrize("network", ["student", "strong"])
async def test_from_photographs_to_a_served_answer_and_back(
    network: str, photos: Path, repo: Path, tmp_path: Path
) -> None:
    """A damaged picture and one without a face are named; the canary answers once it is promoted."""
    (photos / "Nobody_Here-happy-1.jpg").write_bytes(b"damaged")
    cv2.imwrite(str(photos / "Bare_Wall-sad-1.jpg"), np.full((300, 300, 3), 180, np.uint8))
    folder, result = train(photos, repo, tmp_path / "jobs", network=network)
    assert (result["version"], result["label"]) == (2, "canary")
    assert labels.read_labels(repo, EMOTION_CLASSIFIER.name) == {"stable": 1, "canary": 2}
    assert read_stamp(repo / EMOTION_CLASSIFIER.name / "2")["job"] == folder.name
    assert result["labels"] == list(LABELS)
    assert [Path(path).name for path in result["data"]["unreadable"]] == ["Nobody_Here-happy-1.jpg"]
    assert "Bare_Wall-sad-1.jpg" in [Path(path).name for path in result["data"]["without_face"]]
    assert (folder / "report.html").read_text().count("Bare_Wall") == 1
    assert {"pictures", "faces", "training"} <= {line["step"] for line in read_progress(folder)}

    with run_model_server(repo, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:

            async def answered(label: str) -> tuple[int, NDArray[np.float32]]:
                prediction = await client.predict(
                    EMOTION_CLASSIFIER.name, {IMAGES: some_faces()}, timeout_seconds=10, version_label=label
                )
                return prediction.version, prediction.outputs[PROBABILITIES]

            version, said = await answered("canary")
            assert version == 2
            assert said.sum(axis=1) == pytest.approx(1, abs=1e-5)
            unknown = [EMOTION_LABELS.index(label) for label in EMOTION_LABELS if label not in LABELS]
            assert not said[:, unknown].any()
            assert (await answered("stable"))[0] == 1
    labels.promote(repo, EMOTION_CLASSIFIER.name)
    assert labels.read_labels(repo, EMOTION_CLASSIFIER.name) == {"stable": 2, "previous": 1}
    labels.roll_back(repo, EMOTION_CLASSIFIER.name)
    assert labels.read_labels(repo, EMOTION_CLASSIFIER.name) == {"stable": 1, "canary": 2}


def test_a_student_that_was_stopped_learns_as_one_that_was_not(tmp_path: Path) -> None:
    """The same epochs, figure by figure: dropout and views are drawn anew for each, Adam's state is kept."""
    generator = np.random.default_rng(5)

    def noise(count: int) -> FaceSamples:
        faces = generator.integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)
        return FaceSamples(faces, np.arange(count) % 2)

    training, validation = noise(8), noise(4)

    def learn(folder: Path, on_epoch: Callable[[Epoch], None] = lambda epoch: None) -> list[Epoch]:
        _, epochs = train_student(
            training,
            validation,
            [1.0, 1.0],
            StudentSchedule(epochs=3, patience=3, batch_size=4, learning_rate=1e-3),
            seed=1,
            folder=folder,
            on_epoch=on_epoch,
        )
        return epochs

    def stop(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path / "stopped", stop)
    gone_on, whole = learn(tmp_path / "stopped"), learn(tmp_path / "whole")
    assert [epoch.number for epoch in whole] == [1, 2, 3]
    assert gone_on == whole
    assert sorted(path.name for path in (tmp_path / "stopped").iterdir()) == ["epochs.json", "model.keras"]
    assert learn(tmp_path / "whole") == whole  # nothing is left to do


def test_a_training_that_is_killed_can_be_gone_on_with(photos: Path, repo: Path, tmp_path: Path) -> None:
    """From the terminal, with its own options, to a published version."""
    home = tmp_path / "home"
    command = [sys.executable, "-m", "mien.cli", "train", "emotion", "--home", str(home)]
    options = ["--root", str(repo), "--network", "student", "--epochs", "2", "--batch-size", "4"]
    with subprocess.Popen(
        [*command, *options, "--validation", "0.25", "--test", "0.25", str(photos)],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not (records := list_jobs(home / "jobs")) or not any(
            "validation_loss" in line for line in read_progress(home / "jobs" / records[0].job_id)
        ):
            assert process.poll() is None
        process.kill()
    job = home / "jobs" / records[0].job_id
    assert read_job(job).state == "interrupted"
    resumed = subprocess.run(
        [*command, "--resume", job.name], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert "emotion_classifier version 2 is canary" in resumed.stdout
    assert read_job(job).state == "finished"
    assert [
        epoch["number"] for epoch in json.loads((job / "result.json").read_text())["epochs"]["curves"]
    ] == [1, 2]


def test_photographs_without_faces_are_refused_in_words(repo: Path, tmp_path: Path) -> None:
    for label in LABELS:
        (tmp_path / "walls" / label).mkdir(parents=True)
        for number in range(4):
            picture = np.full((200, 200, 3), 40 * number, np.uint8)
            cv2.imwrite(str(tmp_path / "walls" / label / f"{number}.png"), picture)
    with pytest.raises(PermanentError, match="no face was found in 8 pictures of 8"):
        train(tmp_path / "walls", repo, tmp_path / "jobs")
    (record,) = list_jobs(tmp_path / "jobs")
    assert record.state == "failed"
    assert not (repo / EMOTION_CLASSIFIER.name / "2").exists()
