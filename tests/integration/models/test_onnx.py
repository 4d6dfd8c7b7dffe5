"""Embedders that somebody brought as ONNX: small ones with random weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mien.commands.models import app
from mien.contracts.models import EMBEDDINGS, IMAGES
from mien.runtime.embedders import find_embedder
from mien.runtime.serving import ServingClient
from model_repo import repository
from model_repo.repository import State
from tests.integration.models.engines import largest_difference, run_openvino, run_tensorflow
from tests.integration.models.onnx_networks import (
    DIMENSIONS,
    SIZE,
    write_mobile_network,
    write_residual_network,
)
from tests.integration.serving.servers import run_model_server

RUN = CliRunner()
NETWORKS: dict[str, Callable[[Path], object]] = {
    "residual": write_residual_network,
    "mobile": write_mobile_network,
}
PICTURES = np.random.default_rng(2).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)


def run_import(root: Path, file: Path, *options: str) -> tuple[int, str]:
    """Import a network as `brought`; return how the command ended and what it said."""
    command = ["import", "onnx", str(file), "--root", str(root), "--name", "brought", "--size", str(SIZE)]
    result = RUN.invoke(app, [*command, *options])
    return result.exit_code, result.output + result.stderr


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.onnx"
    NETWORKS[request.param](path)
    return path


@pytest.mark.parametrize("colours", ["rgb", "bgr"])
def test_an_imported_network_gives_what_the_file_gives(network: Path, tmp_path: Path, colours: str) -> None:
    """The command compares both before the model is in place; TensorFlow reads it as OpenVINO does."""
    code, said = run_import(tmp_path, network, "--colours", colours)
    assert code == 0, said
    folder = tmp_path / "brought" / "1"
    assert repository.state(folder, None) is State.READY
    ours, theirs = run_openvino(folder, PICTURES), run_tensorflow(folder, PICTURES)
    assert ours[EMBEDDINGS].shape == (len(PICTURES), DIMENSIONS)
    assert largest_difference(ours[EMBEDDINGS], theirs[EMBEDDINGS]) < 1e-5


def test_colours_and_scale_matter(network: Path, tmp_path: Path) -> None:
    """The options reach the graph: each changes what a picture of colours gives."""
    descriptors = []
    for version, options in enumerate(([], ["--colours", "bgr"], ["--mean", "0", "--scale", "1"]), start=1):
        code, said = run_import(tmp_path, network, "--version", str(version), *options)
        assert code == 0, said
        descriptors.append(run_openvino(tmp_path / "brought" / str(version), PICTURES)[EMBEDDINGS])
    assert largest_difference(descriptors[0], descriptors[1]) > 1e-3
    assert largest_difference(descriptors[0], descriptors[2]) > 1e-3


async def test_an_imported_network_is_served_and_known_to_the_recognizer(tmp_path: Path) -> None:
    """The model server answers for it, and what it needs is read from its folder by name."""
    network = tmp_path / "arcface.onnx"
    write_residual_network(network)
    code, said = run_import(tmp_path, network, "--accept-similarity", "0.4", "--margin", "0.05")
    assert code == 0, said
    embedder = find_embedder("brought", version=1, model_repo=tmp_path)
    (part,) = embedder.parts
    assert (part.model.size, part.model.alignment, embedder.dimensions) == (SIZE, "arcface5", DIMENSIONS)
    assert (embedder.accept_similarity, embedder.margin) == (0.4, 0.05)
    with run_model_server(tmp_path, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            prediction = await client.predict("brought", {IMAGES: PICTURES}, timeout_seconds=30)
    np.testing.assert_allclose(np.linalg.norm(prediction.outputs[EMBEDDINGS], axis=1), 1, atol=1e-5)


def test_an_operation_that_is_not_known_is_named_and_can_be_left_out(tmp_path: Path) -> None:
    """Nothing is guessed; `--output` takes the value before it."""
    network = tmp_path / "odd.onnx"
    descriptor = write_residual_network(network, ends_with="Erf")
    code, said = run_import(tmp_path, network)
    assert code == 1
    assert "operation Erf" in said
    assert "--output" in said
    assert not (tmp_path / "brought").exists()
    code, said = run_import(tmp_path, network, "--output", descriptor)
    assert code == 0, said


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The error says what was expected."""
    file = tmp_path / "page.onnx"
    file.write_text("<html>")
    code, said = run_import(tmp_path, file)
    assert code == 1
    assert "expected a network of pictures" in said


def test_a_name_of_our_own_is_refused(tmp_path: Path) -> None:
    """An import never replaces a model that is built."""
    network = tmp_path / "arcface.onnx"
    write_residual_network(network)
    code, said = run_import(tmp_path, network, "--name", "face_embedder")
    assert code == 1
    assert "choose another name" in said
