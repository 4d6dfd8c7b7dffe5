"""Every built SavedModel runs in TensorFlow and in OpenVINO, with equal results."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.models import (
    EMBEDDINGS,
    EMOTION_CLASSIFIER,
    EMOTION_LABELS,
    EYELIDS,
    FACE_LANDMARKS,
    PROBABILITIES,
    SERVED_EMBEDDERS,
    EmbedderSpec,
)
from tests.integration.models.conftest import resized
from tests.integration.models.engines import largest_difference, run_openvino, run_tensorflow

TOLERANCE = 1e-5
SIZES = {spec.name: spec.size for spec in (*SERVED_EMBEDDERS, EMOTION_CLASSIFIER, EYELIDS, FACE_LANDMARKS)}


@pytest.mark.parametrize("name", SIZES)
def test_tensorflow_and_openvino_agree(
    name: str,
    models: Path,
    faces: list[NDArray[np.uint8]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both engines read the same file and give the same numbers for real faces and for noise."""
    size = SIZES[name]
    noise = np.random.default_rng(7).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    images = np.concatenate([resized(faces, size), noise])
    folder = models / name / "1"
    ours, theirs = run_openvino(folder, images), run_tensorflow(folder, images)
    assert ours.keys() == theirs.keys()
    difference = max(largest_difference(ours[output], theirs[output]) for output in ours)
    with capsys.disabled():
        print(f"\n{name}: largest difference of OpenVINO to TensorFlow {difference:.1e}")
    assert difference < TOLERANCE


@pytest.mark.parametrize("spec", SERVED_EMBEDDERS, ids=lambda spec: spec.name)
def test_embeddings_have_length_one(spec: EmbedderSpec, models: Path, faces: list[NDArray[np.uint8]]) -> None:
    """Embeddings are ready to be compared by a dot product, whatever the batch size."""
    images = resized(faces, spec.size)
    for batch in (images, images[:1]):
        embeddings = run_openvino(models / spec.name / "1", batch)[EMBEDDINGS]
        assert embeddings.shape == (len(batch), spec.dimensions)
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", SIZES)
def test_a_picture_without_anything_gives_finite_numbers(name: str, models: Path) -> None:
    """Black pictures, such as a covered camera's, give no NaN."""
    images = np.zeros((1, SIZES[name], SIZES[name], 3), np.uint8)
    for output in run_openvino(models / name / "1", images).values():
        assert np.isfinite(output).all()


def test_emotion_probabilities_sum_to_one(models: Path, faces: list[NDArray[np.uint8]]) -> None:
    """The six columns are a distribution; the network doesn't know tired faces and never claims one."""
    images = resized(faces, EMOTION_CLASSIFIER.size)
    probabilities = run_openvino(models / EMOTION_CLASSIFIER.name / "1", images)[PROBABILITIES]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities[:, EMOTION_LABELS.index("tired")] == 0).all()


def test_labels_are_those_of_the_contract(models: Path) -> None:
    """Who reads the labels file finds the columns that the services expect."""
    labels = (models / EMOTION_CLASSIFIER.name / "1" / "assets.extra" / "labels.txt").read_text()
    assert tuple(labels.split()) == EMOTION_LABELS
