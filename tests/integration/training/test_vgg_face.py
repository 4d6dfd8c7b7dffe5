"""The classic classifier: VGG-Face's 2,622 numbers → 128 → people, from a weights file to a served version.

Nobody may pass VGG-Face's weights on, so they are random here, and its convolutions have a sixteenth of
their filters, so that a face takes no half second: that the road is whole is tested, and nothing about
accuracy. The whole network is hosted in ``tests/integration/models/test_vgg_face.py``.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from mien.commands.dataset import app as dataset_app
from mien.commands.models import app as models_app
from mien.commands.train import app as train_app
from mien.contracts.models import EMBEDDINGS, IDENTITY_CLASSIFIER, IMAGES
from mien.dataset.manifest import aligned_path, read_dataset
from mien.runtime.embedders import find_model
from mien.runtime.jobs import list_jobs, read_result
from mien.runtime.serving import ServingClient
from model_repo import labels
from model_repo.face_embedder_vggface import weights as vgg_weights
from model_repo.face_embedder_vggface.build import NAMES
from services.recognizer.classifier import IdentityClassifier
from tests.integration.models.vgg_files import random_layers, write_keras
from tests.integration.serving.servers import run_model_server

VGG_FACE = NAMES["fc8"]
PHOTOS_OF_EACH = 4
RUN = CliRunner()


@pytest.fixture
def vgg_repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A model repository with a slim VGG-Face, imported by the command from a file of random weights."""
    root, weights = tmp_path / "vgg_repo", tmp_path / "vgg_face_weights.h5"
    layers = random_layers(thinner_by=16)
    shapes = [kernel.shape for kernel, _ in layers]
    monkeypatch.setattr(vgg_weights, "expected_shapes", lambda descriptor="fc8": shapes)
    write_keras(weights, layers)
    result = RUN.invoke(models_app, ["import", "vgg-face", str(weights), "--root", str(root)])
    weights.unlink()
    assert result.exit_code == 0, result.output
    yield root
    shutil.rmtree(root / VGG_FACE)  # 140 MB


@pytest.fixture
def few_portraits(portraits: Path) -> Path:
    for photo in portraits.iterdir():
        if int(photo.stem.rsplit("-", 1)[1]) > PHOTOS_OF_EACH:
            photo.unlink()
    return portraits


def run(app: typer.Typer, *arguments: object) -> None:
    result = RUN.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


async def test_the_classifier_of_vgg_face_from_its_weights_to_its_answer(
    vgg_repo: Path, few_portraits: Path, tmp_path: Path
) -> None:
    """Imported, faces aligned for it, trained, published; asked as a recognizer asks."""
    data, home = tmp_path / "data", tmp_path / "home"
    run(dataset_app, "prepare", few_portraits, data, "--for", VGG_FACE, "--root", vgg_repo)
    run(dataset_app, "split", data, "--validation", 0.25, "--test", 0.25)
    options = ("--copies", 0, "--epochs", 40, "--open-set-folds", 0, "--root", vgg_repo, "--home", home)
    run(train_app, "identity", data, "--embedder", VGG_FACE, *options)

    (job,) = list_jobs(home / "jobs")
    result = read_result(home / "jobs" / job.job_id)
    assert result is not None
    assert (result["embedder"], result["classes"], result["version"]) == (VGG_FACE, 3, 1)
    assert labels.read_labels(vgg_repo, IDENTITY_CLASSIFIER) == {"stable": 1}
    said = await said_by_the_server(vgg_repo, data, tmp_path)
    mistakes = {mistake["face"]: mistake["said"] for mistake in result["test"]["mistakes"]}
    dataset = read_dataset(data)
    names = {face.face_id: dataset.people[face.person].name for face in dataset.used()}
    assert said == {face: mistakes.get(face, names[face]) for face in said}
    assert len(said) == result["test"]["faces"] >= 3


async def said_by_the_server(root: Path, data: Path, tmp_path: Path) -> dict[str, str]:
    """Return whom the served classifier names for each held-out face, embedded by the served VGG-Face."""
    dataset = read_dataset(data)
    held_out = json.loads((data / "split.json").read_text())["test"]
    faces = [face for face in dataset.used() if face.face_id in held_out]
    spec = find_model(VGG_FACE, version=1, model_repo=root)
    said = {}
    with run_model_server(root, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            classifier = IdentityClassifier(
                client, spec, embedder_version=1, label=labels.STABLE, timeout_seconds=5
            )
            await classifier.refresh()
            for face in faces:
                image = cv2.imread(str(aligned_path(data, face, VGG_FACE)), cv2.IMREAD_COLOR_RGB)
                assert image is not None
                images = np.asarray(image, np.uint8)[np.newaxis]
                answer = await client.predict(VGG_FACE, {IMAGES: images}, timeout_seconds=60)
                vector = answer.outputs[EMBEDDINGS][0]
                assert vector.shape == (2622,)
                opinion = await classifier.opinion(vector)
                assert opinion is not None
                assert opinion.best is not None
                assert sum(opinion.probabilities.values()) == pytest.approx(1, abs=1e-5)
                said[face.face_id] = dataset.people[opinion.best].name
    return said
