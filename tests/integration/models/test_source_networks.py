"""Our conversions give what the source networks give, run by their authors' own code on the same faces."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from mien.contracts.models import (
    EMBEDDINGS,
    EMOTION_CLASSIFIER,
    EYELIDS,
    FACE_EMBEDDER,
    FACE_EMBEDDER_FACERES,
    FACE_LANDMARKS,
    POINTS,
    PROBABILITIES,
)
from model_repo import saved_model
from model_repo.emotion_classifier.features import (
    FEATURES,
    HUMAN_COLUMNS,
    MARGIN,
    MESH_COLUMNS,
    build_features,
)
from model_repo.sources import PackageFiles
from tests.integration.models.conftest import resized, skip_or_fail
from tests.integration.models.engines import largest_difference, run_openvino

SCRIPT = Path(__file__).parent / "source_network.mjs"
TOLERANCE = 1e-5


@dataclass(frozen=True)
class SourceNetworks:
    """Runs networks of the source packages in Node."""

    library: Path
    folder: Path

    def run(self, network: str, images: NDArray[np.float32], *, columns: int) -> NDArray[np.float32]:
        images_path, output_path = self.folder / "images", self.folder / "output"
        images_path.write_bytes(np.ascontiguousarray(images, np.float32).tobytes())
        count, size = images.shape[:2]
        arguments = [network, images_path, count, size, output_path]
        command = ["node", SCRIPT, self.library, self.folder, *arguments]
        subprocess.run([str(part) for part in command], check=True, timeout=300)
        return np.frombuffer(output_path.read_bytes(), np.float32).reshape(count, columns)


@pytest.fixture
def source_networks(tmp_path: Path, face_api: PackageFiles, human: PackageFiles) -> SourceNetworks:
    if shutil.which("node") is None:
        skip_or_fail("Node.js is not installed: conversions are not compared with their sources")
    for network in ("face_recognition_model", "face_expression_model", "face_landmark_68_model"):
        for name in (f"{network}-weights_manifest.json", f"{network}.bin"):
            (tmp_path / name).write_bytes(face_api.read(f"package/model/{name}"))
    for network in ("faceres", "iris", "emotion", "facemesh"):
        for name in (f"{network}.json", f"{network}.bin"):
            (tmp_path / name).write_bytes(human.read(f"package/models/{name}"))
    library = tmp_path / "face-api.mjs"
    library.write_bytes(face_api.read("package/dist/face-api.esm.js"))
    return SourceNetworks(library, tmp_path)


def _unit_length(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def _check(
    name: str, ours: NDArray[np.float32], source: NDArray[np.float32], capsys: pytest.CaptureFixture[str]
) -> None:
    difference = largest_difference(ours, source)
    with capsys.disabled():
        print(f"\n{name}: largest difference to the source network on {len(ours)} faces {difference:.1e}")
    assert difference < TOLERANCE


def test_face_embedder_is_face_apis_recognition_network(
    models: Path,
    faces: list[NDArray[np.uint8]],
    source_networks: SourceNetworks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Our embedding is the mean of the source's descriptors of a face and its mirror image, at length 1."""
    images = resized(faces, FACE_EMBEDDER.size)
    views = np.concatenate([images, images[:, :, ::-1]]).astype(np.float32)
    source = source_networks.run("FaceRecognitionNet", views, columns=FACE_EMBEDDER.dimensions)
    straight, mirrored = np.split(_unit_length(source), 2)
    ours = run_openvino(models / FACE_EMBEDDER.name / "1", images)[EMBEDDINGS]
    _check(FACE_EMBEDDER.name, ours, _unit_length(straight + mirrored), capsys)


def test_faceres_embedder_is_humans_descriptor(
    models: Path,
    faces: list[NDArray[np.uint8]],
    source_networks: SourceNetworks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Our embedding of RGB is the source's descriptor of BGR minus the mean, scaled to length 1."""
    images = resized(faces, FACE_EMBEDDER_FACERES.size)
    bgr = images[..., ::-1].astype(np.float32) - np.array([103.939, 116.779, 123.68], np.float32)
    source = source_networks.run("faceres", bgr, columns=FACE_EMBEDDER_FACERES.dimensions)
    ours = run_openvino(models / FACE_EMBEDDER_FACERES.name / "1", images)[EMBEDDINGS]
    _check(FACE_EMBEDDER_FACERES.name, ours, _unit_length(source), capsys)


def test_emotion_classifier_is_face_apis_expression_network(
    models: Path,
    faces: list[NDArray[np.uint8]],
    source_networks: SourceNetworks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Our columns are the source's classes, those we have no column for summed up in `other`."""
    images = resized(faces, EMOTION_CLASSIFIER.size)
    source = source_networks.run("FaceExpressionNet", images.astype(np.float32), columns=7)
    neutral, happy, sad, angry, fearful, disgusted, surprised = source.T
    other = fearful + disgusted + surprised
    expected = np.stack([angry, happy, neutral, sad, np.zeros_like(sad), other], axis=1)
    ours = run_openvino(models / EMOTION_CLASSIFIER.name / "1", images)[PROBABILITIES]
    _check(EMOTION_CLASSIFIER.name, ours, expected, capsys)


def test_the_strong_emotion_network_sees_what_humans_networks_see(
    faces: list[NDArray[np.uint8]],
    face_api: PackageFiles,
    human: PackageFiles,
    source_networks: SourceNetworks,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Our features are the means of the sources' maps over the quarters of the same grey or large face."""
    images = resized(faces, EMOTION_CLASSIFIER.size)
    folder = tmp_path / "features"
    folder.mkdir()
    saved_model.write(build_features(face_api, human), folder)
    ours = run_openvino(folder, images)[FEATURES]
    grey = np.stack([_grey_face(image) for image in images])
    maps = source_networks.run("emotion", grey, columns=8 * 8 * 256).reshape(-1, 8, 8, 256)
    _check("features of human", ours[:, HUMAN_COLUMNS][:, : 4 * 256], _quarters(maps, 4, stride=4), capsys)
    large = np.stack([_large_face(image) for image in images])
    maps = source_networks.run("facemesh", large, columns=6 * 6 * 128).reshape(-1, 6, 6, 128)
    _check("features of the mesh", ours[:, MESH_COLUMNS][:, : 4 * 128], _quarters(maps, 3, stride=3), capsys)


def _grey_face(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    grey = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    grey = grey[MARGIN:-MARGIN, MARGIN:-MARGIN]
    return np.asarray(cv2.resize(grey, (64, 64)) / 127.5 - 1, np.float32)[..., None]


def _large_face(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(image.astype(np.float32), (192, 192)) / 127.5 - 1, np.float32)


def _quarters(maps: NDArray[np.float32], size: int, *, stride: int) -> NDArray[np.float32]:
    corners = [(y, x) for y in (0, stride) for x in (0, stride)]
    means = [maps[:, y : y + size, x : x + size].mean(axis=(1, 2)) for y, x in corners]
    return np.asarray(np.concatenate(means, axis=1), np.float32)


def test_face_landmarks_are_face_apis(
    models: Path,
    faces: list[NDArray[np.uint8]],
    source_networks: SourceNetworks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Our points are the source's, x before y."""
    images = resized(faces, FACE_LANDMARKS.size)
    source = source_networks.run("FaceLandmark68Net", images.astype(np.float32), columns=136)
    ours = run_openvino(models / FACE_LANDMARKS.name / "1", images)[POINTS]
    _check(FACE_LANDMARKS.name, ours, source.reshape(-1, 68, 2), capsys)


def test_eyelids_are_those_of_humans_iris_network(
    models: Path,
    faces: list[NDArray[np.uint8]],
    source_networks: SourceNetworks,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Our points are the source's first 16 without their depth, as shares of the picture."""
    images = resized(faces, EYELIDS.size)
    source = source_networks.run("iris", images.astype(np.float32) / np.float32(255), columns=228)
    lids = source.reshape(-1, 76, 3)[:, : EYELIDS.points, :2] / np.float32(EYELIDS.size)
    ours = run_openvino(models / EYELIDS.name / "1", images)[POINTS]
    _check(EYELIDS.name, ours, lids, capsys)
