"""Every built SavedModel runs in TensorFlow and in OpenVINO, with equal results."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.models import (
    EMBEDDINGS,
    EMOTION_CLASSIFIER,
    EMOTION_LABELS,
    EMOTIONS,
    EYELIDS,
    FACE_LANDMARKS,
    PROBABILITIES,
    SERVED_EMBEDDERS,
    EmbedderSpec,
)
from model_repo import layers, repository, saved_model
from model_repo.emotion_classifier.output import finish
from model_repo.saved_model import Graph
from tests.integration.models.conftest import resized
from tests.integration.models.engines import largest_difference, run_openvino, run_tensorflow

TOLERANCE = 1e-5
SIZES = {spec.name: spec.size for spec in (*SERVED_EMBEDDERS, EMOTION_CLASSIFIER, EYELIDS, FACE_LANDMARKS)}
VERSIONS = [(recipe.name, recipe.version) for recipe in repository.RECIPES]


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_tensorflow_and_openvino_agree(
    name: str,
    version: int,
    models: Path,
    faces: list[NDArray[np.uint8]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both engines read the same file and give the same numbers for real faces and for noise."""
    size = SIZES[name]
    noise = np.random.default_rng(7).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    images = np.concatenate([resized(faces, size), noise])
    folder = models / name / str(version)
    ours, theirs = run_openvino(folder, images), run_tensorflow(folder, images)
    assert ours.keys() == theirs.keys()
    difference = max(largest_difference(ours[output], theirs[output]) for output in ours)
    with capsys.disabled():
        print(f"\n{name} {version}: largest difference of OpenVINO to TensorFlow {difference:.1e}")
    assert difference < TOLERANCE


@pytest.mark.parametrize("spec", SERVED_EMBEDDERS, ids=lambda spec: spec.name)
def test_embeddings_have_length_one(spec: EmbedderSpec, models: Path, faces: list[NDArray[np.uint8]]) -> None:
    """Embeddings are ready to be compared by a dot product, whatever the batch size."""
    images = resized(faces, spec.size)
    for batch in (images, images[:1]):
        embeddings = run_openvino(models / spec.name / "1", batch)[EMBEDDINGS]
        assert embeddings.shape == (len(batch), spec.dimensions)
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_a_picture_without_anything_gives_finite_numbers(name: str, version: int, models: Path) -> None:
    """Black pictures, such as a covered camera's, give no NaN."""
    images = np.zeros((1, SIZES[name], SIZES[name], 3), np.uint8)
    for output in run_openvino(models / name / str(version), images).values():
        assert np.isfinite(output).all()


@pytest.mark.parametrize("version", [1, 2])
def test_emotion_probabilities_sum_to_one(version: int, models: Path, faces: list[NDArray[np.uint8]]) -> None:
    """The six columns are a distribution, whatever the face."""
    noise = np.random.default_rng(7).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    images = np.concatenate([resized(faces, EMOTION_CLASSIFIER.size), noise])
    probabilities = run_openvino(models / EMOTION_CLASSIFIER.name / str(version), images)[PROBABILITIES]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities >= 0).all()


def test_the_carried_network_never_claims_tiredness(models: Path, faces: list[NDArray[np.uint8]]) -> None:
    """face-api's network doesn't know tired faces."""
    images = resized(faces, EMOTION_CLASSIFIER.size)
    probabilities = run_openvino(models / EMOTION_CLASSIFIER.name / "1", images)[PROBABILITIES]
    assert (probabilities[:, EMOTION_LABELS.index("tired")] == 0).all()


def test_other_expressions_take_from_all_but_tired(
    models: Path, faces: list[NDArray[np.uint8]], tmp_path: Path
) -> None:
    """What a network says of its labels is kept in proportion; *tired* is as likely as before."""
    images = resized(faces, EMOTION_CLASSIFIER.size)
    said = {}
    for name, other in {"plain": "", "divided": "sides"}.items():
        graph = Graph()
        logits = _picture_logits(graph)
        layers.softmax(graph, "sides", layers.dense(graph, "two", logits, np.eye(5, 2).astype(np.float32)))
        folder = tmp_path / name
        folder.mkdir()
        saved_model.write(finish(graph, logits, EMOTIONS, temperature=1.0, other=other), folder)
        said[name] = run_openvino(folder, images)[PROBABILITIES]
    plain, divided = said["plain"], said["divided"]
    tired, other_column = EMOTION_LABELS.index("tired"), EMOTION_LABELS.index("other")
    np.testing.assert_allclose(divided[:, tired], plain[:, tired], atol=1e-6)
    np.testing.assert_allclose(divided.sum(axis=1), 1, atol=1e-5)
    kept = 1 - divided[:, other_column] / (1 - divided[:, tired])
    np.testing.assert_allclose(divided[:, :tired], plain[:, :tired] * kept[:, None], atol=1e-5)
    assert (divided[:, other_column] > 0.01).all()


def _picture_logits(graph: Graph) -> str:
    """Five logits that depend on the face: the means of its channels, mixed."""
    x = layers.image_input(graph, EMOTION_CLASSIFIER.size, (128.0, 128.0, 128.0))
    x = layers.scale(graph, "small", layers.global_average(graph, "mean", x), 0.02)
    mix = np.array([[2, -1, 0, 1, 0.5], [-1, 2, 1, 0, 0.5], [0, 0.5, -1, 2, 1]], np.float32)
    return layers.dense(graph, "logits", x, mix)


def test_labels_are_those_of_the_contract(models: Path) -> None:
    """Who reads the labels file finds the columns that the services expect."""
    labels = (models / EMOTION_CLASSIFIER.name / "1" / "assets.extra" / "labels.txt").read_text()
    assert tuple(labels.split()) == EMOTION_LABELS
