"""VGG-Face from a file of Keras weights; random ones, since nobody may pass on the real ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from mien.commands.models import app
from mien.contracts.models import EMBEDDINGS, IMAGES
from mien.runtime.serving import ServingClient
from model_repo import repository
from model_repo.face_embedder_vggface.build import DIMENSIONS, NAME, SIZE, Layer, build, expected_shapes
from model_repo.repository import State
from model_repo.saved_model import write
from tests.integration.models.conftest import skip_or_fail
from tests.integration.models.engines import largest_difference, run_openvino, run_tensorflow
from tests.integration.serving.servers import run_model_server

RUN = CliRunner()


def write_random_weights(path: Path, shapes: list[tuple[int, int, int, int]]) -> None:
    """Write kernels of the given shapes as Keras 2 lays out `vgg_face_weights.h5`."""
    try:
        import h5py  # noqa: PLC0415  the tests of the other models run without it
    except ImportError:
        skip_or_fail("h5py is not installed: the import of VGG-Face is not tested")
    generator = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        names = []
        for index, shape in enumerate(shapes, start=1):
            # Layers without weights lie between the convolutions.
            names += [f"conv2d_{index}", f"dropout_{index}"]
            file.create_group(names[-1]).attrs["weight_names"] = np.array([], dtype="S1")
            layer = file.create_group(names[-2])
            # Scaled so that activations neither vanish nor grow on their way through the network.
            arrays = {
                f"conv2d_{index}/kernel:0": generator.standard_normal(shape, dtype=np.float32)
                * np.float32(np.sqrt(2 / np.prod(shape[:3]))),
                f"conv2d_{index}/bias:0": np.full(shape[3], 0.01, np.float32),
            }
            for name, array in arrays.items():
                layer.create_dataset(name, data=array)
            layer.attrs["weight_names"] = [name.encode() for name in arrays]
        file.attrs["layer_names"] = [name.encode() for name in names]


def slim_layers() -> list[Layer]:
    """Return random weights of a network that is as deep as VGG-Face and has a sixteenth of its filters."""
    generator = np.random.default_rng(5)
    layers: list[Layer] = []
    inputs = 3
    for side, _, _, filters in expected_shapes():
        outputs = filters if filters == DIMENSIONS else filters // 16
        kernel = generator.standard_normal((side, side, inputs, outputs), dtype=np.float32)
        spread = np.float32(np.sqrt(2 / (side * side * inputs)))
        layers.append((kernel * spread, np.full(outputs, 0.01, np.float32)))
        inputs = outputs
    return layers


def random_images(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository into which random weights were imported by the command."""
    root = tmp_path_factory.mktemp("model_repo")
    weights = root / "vgg_face_weights.h5"
    write_random_weights(weights, expected_shapes())
    result = RUN.invoke(app, ["import", "vgg-face", str(weights), "--root", str(root)])
    weights.unlink()
    assert result.exit_code == 0, result.output
    yield root
    (root / NAME / "1" / "saved_model.pb").unlink()  # 580 MB


def test_the_network_has_the_published_number_of_parameters() -> None:
    """Architecture as published: 145,002,878 weights and biases."""
    assert sum(int(np.prod(shape)) + shape[3] for shape in expected_shapes()) == 145_002_878


def test_an_imported_model_is_listed_as_ready(imported: Path) -> None:
    """An import is stamped and checked like a build."""
    states = {folder.parent.name: repository.state(folder, r) for folder, r in repository.inventory(imported)}
    assert states[NAME] is State.READY


async def test_the_imported_network_is_hosted_end_to_end(imported: Path, tmp_path: Path) -> None:
    """The model server reads all 145 million weights, and a client gets descriptors of length 1 from it."""
    with run_model_server(imported, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            prediction = await client.predict(NAME, {IMAGES: random_images(2)}, timeout_seconds=60)
    descriptors = prediction.outputs[EMBEDDINGS]
    assert descriptors.shape == (2, DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)


def test_tensorflow_and_openvino_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same layers with a sixteenth of the filters give equal results (TensorFlow needs 12 GB for all)."""
    write(build(slim_layers()), tmp_path)
    images = random_images(2)
    ours, theirs = run_openvino(tmp_path, images), run_tensorflow(tmp_path, images)
    difference = largest_difference(ours[EMBEDDINGS], theirs[EMBEDDINGS])
    with capsys.disabled():
        print(f"\n{NAME}, slim: largest difference of OpenVINO to TensorFlow {difference:.1e}")
    assert difference < 1e-5


def test_weights_trained_on_bgr_see_the_same_colours(tmp_path: Path) -> None:
    """A network whose first kernel is turned around gives the same descriptors when it is said to be BGR."""
    (kernel, bias), *others = slim_layers()
    images = random_images(1)
    descriptors = []
    for name, first, bgr in (("rgb", kernel, False), ("bgr", kernel[:, :, ::-1, :], True)):
        (tmp_path / name).mkdir()
        write(build([(first, bias), *others], trained_on_bgr=bgr), tmp_path / name)
        descriptors.append(run_openvino(tmp_path / name, images)[EMBEDDINGS])
    np.testing.assert_array_equal(descriptors[0], descriptors[1])


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    """The error says what was expected and what came, and nothing is written."""
    weights = tmp_path / "other.h5"
    write_random_weights(weights, expected_shapes()[:3])
    result = RUN.invoke(app, ["import", "vgg-face", str(weights), "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert "not VGG-Face's weights: expected 32 arrays" in result.stderr
    assert not (tmp_path / NAME).exists()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A download page saved under the right name is a common mistake."""
    weights = tmp_path / "vgg_face_weights.h5"
    weights.write_text("<html>")
    result = RUN.invoke(app, ["import", "vgg-face", str(weights), "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert "expected a Keras .h5 file" in result.stderr
