"""VGG-Face from files of weights; random ones, since nobody may pass on the real ones."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from mien.commands.models import app
from mien.contracts.models import EMBEDDINGS, IMAGES
from mien.errors import PermanentError
from mien.runtime.serving import ServingClient
from model_repo import repository
from model_repo.face_embedder_vggface import weights as vgg_weights
from model_repo.face_embedder_vggface.build import NAMES, SIZE, build
from model_repo.face_embedder_vggface.weights import (
    DESCRIPTOR_SIZES,
    Descriptor,
    Layer,
    VggFaceWeights,
    expected_shapes,
    read_weights,
)
from model_repo.repository import State
from model_repo.saved_model import Model, write
from tests.integration.models import vgg_files
from tests.integration.models.conftest import skip_or_fail
from tests.integration.models.engines import largest_difference, run_openvino, run_tensorflow
from tests.integration.models.vgg_files import random_images, random_layers, write_keras
from tests.integration.serving.servers import run_model_server

RUN = CliRunner()
NAME = NAMES["fc8"]
LAYOUTS: dict[str, Callable[[Path, Sequence[Layer]], None]] = {
    "convolutions.h5": write_keras,
    "matrices.h5": partial(write_keras, dense=True),
    "current.mat": vgg_files.write_matconvnet,
    "first.mat": partial(vgg_files.write_matconvnet, old=True),
    "current.caffemodel": vgg_files.write_caffe,
    "first.caffemodel": partial(vgg_files.write_caffe, old=True),
}


def slim_model(descriptor: Descriptor = "fc8", *, bgr: bool = False) -> Model:
    """Return a network as deep as VGG-Face whose convolutions have a sixteenth of the filters."""
    layers = random_layers(thinner_by=16)
    if bgr:
        layers[0] = (layers[0][0][:, :, ::-1], layers[0][1])
    return build(VggFaceWeights(tuple(layers), "bgr" if bgr else "rgb"), descriptor)


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository into which random weights were imported by the command."""
    root = tmp_path_factory.mktemp("model_repo")
    weights = root / "vgg_face_weights.h5"
    write_keras(weights, random_layers())
    result = RUN.invoke(app, ["import", "vgg-face", str(weights), "--root", str(root)])
    weights.unlink()
    assert result.exit_code == 0, result.output
    yield root
    (root / NAME / "1" / "saved_model.pb").unlink()  # 580 MB


@pytest.mark.parametrize(("descriptor", "parameters"), [("fc8", 145_002_878), ("fc6", 117_479_232)])
def test_the_network_has_the_published_number_of_parameters(descriptor: Descriptor, parameters: int) -> None:
    """Weights and biases up to the layer that is the descriptor, as published."""
    assert sum(int(np.prod(shape)) + shape[3] for shape in expected_shapes(descriptor)) == parameters


def test_an_imported_model_is_listed_as_ready(imported: Path) -> None:
    """An import is stamped and checked like a build."""
    states = {folder.parent.name: repository.state(folder, r) for folder, r in repository.inventory(imported)}
    assert states[NAME] is State.READY


async def test_the_imported_network_is_hosted_end_to_end(imported: Path, tmp_path: Path) -> None:
    """The model server reads all 145 million weights, and a client gets descriptors of length 1 from it."""
    with run_model_server(imported, tmp_path / "log") as server:
        async with ServingClient(server.address) as client:
            prediction = await client.predict(NAME, {IMAGES: random_images(2, SIZE)}, timeout_seconds=60)
    descriptors = prediction.outputs[EMBEDDINGS]
    assert descriptors.shape == (2, DESCRIPTOR_SIZES["fc8"])
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)


def test_every_layer_equals_a_network_of_keras(capsys: pytest.CaptureFixture[str]) -> None:
    """The same weights in layers of Keras's own give the same maps after each of the sixteen layers."""
    try:
        import tensorflow as tf  # noqa: PLC0415  takes seconds
    except ImportError:
        skip_or_fail("TensorFlow is not installed: VGG-Face is not compared with Keras layers")
    layers, keras = random_layers(thinner_by=16), tf.keras
    reference: list[Any] = []
    x = inputs = keras.Input((SIZE, SIZE, 3))
    for name, (kernel, bias) in zip(vgg_files.NAMES, layers, strict=True):
        if name.endswith("_1") and name != "conv1_1":
            x = keras.layers.MaxPooling2D(2)(x)
        if name == "fc6":
            x = keras.layers.Flatten()(keras.layers.MaxPooling2D(2)(x))
        activation = None if name == "fc8" else "relu"
        if name.startswith("fc"):
            layer = keras.layers.Dense(bias.size, activation=activation)
            stored = kernel.reshape(-1, bias.size)
        else:
            layer = keras.layers.Conv2D(bias.size, 3, padding="same", activation=activation)
            stored = kernel
        x = layer(x)
        layer.set_weights([stored, bias])
        reference.append(x)
    images = random_images(2, SIZE)
    centred = images - np.array([129.1863, 104.7624, 93.5940], np.float32)
    expected = keras.Model(inputs, reference)(centred)

    fetched = [name if name == "fc8" else f"{name}/relu" for name in vgg_files.NAMES]
    graph = tf.Graph()
    with graph.as_default():
        definition = tf.compat.v1.GraphDef.FromString(slim_model().graph.definition.SerializeToString())
        tf.import_graph_def(definition, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            ours = session.run([f"{node}:0" for node in fetched], {f"{IMAGES}:0": images})
    worst = 0.0
    for name, mine, theirs in zip(vgg_files.NAMES, ours, expected, strict=True):
        wanted = np.asarray(theirs).reshape(mine.shape)
        difference = float(np.abs(mine - wanted).max() / np.abs(wanted).max())
        worst = max(worst, difference)
        assert difference < 1e-5, name
    with capsys.disabled():
        print(f"\n{NAME}, slim: largest relative difference to Keras in any layer {worst:.1e}")


@pytest.mark.parametrize("descriptor", ["fc8", "fc6"])
def test_tensorflow_and_openvino_agree(
    descriptor: Descriptor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Slim networks of the same layers give equal results (TensorFlow needs 12 GB for the whole)."""
    model = slim_model(descriptor)
    write(model, tmp_path)
    images = random_images(2, SIZE)
    ours, theirs = run_openvino(tmp_path, images), run_tensorflow(tmp_path, images)
    difference = largest_difference(ours[EMBEDDINGS], theirs[EMBEDDINGS])
    with capsys.disabled():
        print(f"\n{NAMES[descriptor]}, slim: largest difference of OpenVINO to TensorFlow {difference:.1e}")
    assert difference < 1e-5


def test_weights_trained_on_bgr_see_the_same_colours(tmp_path: Path) -> None:
    """A network whose first kernel is turned around gives the same descriptors when it is said to be BGR."""
    descriptors = []
    for name in ("rgb", "bgr"):
        (tmp_path / name).mkdir()
        write(slim_model(bgr=name == "bgr"), tmp_path / name)
        descriptors.append(run_openvino(tmp_path / name, random_images(1, SIZE))[EMBEDDINGS])
    np.testing.assert_array_equal(descriptors[0], descriptors[1])


@pytest.fixture
def slim_shapes(monkeypatch: pytest.MonkeyPatch) -> list[Layer]:
    """Random layers with a sixteenth of the filters, which the readers take for the real network."""
    layers = random_layers(thinner_by=16, keep=[])
    shapes = [kernel.shape for kernel, _ in layers]
    layers_to = {"fc6": 14, "fc8": 16}
    monkeypatch.setattr(
        vgg_weights, "expected_shapes", lambda descriptor="fc8": shapes[: layers_to[descriptor]]
    )
    return layers


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_weights(layout: str, tmp_path: Path, slim_shapes: list[Layer]) -> None:
    """Keras, MatConvNet and Caffe, current and first releases, whatever the order of their axes."""
    LAYOUTS[layout](tmp_path / layout, slim_shapes)
    read = read_weights(tmp_path / layout, descriptor="fc8")
    for (kernel, bias), (wanted_kernel, wanted_bias) in zip(read.layers, slim_shapes, strict=True):
        np.testing.assert_array_equal(kernel, wanted_kernel)
        np.testing.assert_array_equal(bias, wanted_bias)
    assert read.colours == ("bgr" if layout.endswith(".caffemodel") else "rgb")
    assert read_weights(tmp_path / layout, descriptor="fc8", colours="bgr").colours == "bgr"


def test_a_file_that_ends_with_fc6_is_enough_for_its_descriptor(
    tmp_path: Path, slim_shapes: list[Layer]
) -> None:
    """Networks that were cut after the first fully connected layer are passed around too."""
    file = tmp_path / "cut.h5"
    write_keras(file, slim_shapes[:14])
    assert len(read_weights(file, descriptor="fc6").layers) == 14
    with pytest.raises(PermanentError, match="expected 32 arrays"):
        read_weights(file, descriptor="fc8")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    """The error says what was expected and what came, and nothing is written."""
    weights = tmp_path / "other.h5"
    write_keras(weights, random_layers()[:3])
    result = RUN.invoke(app, ["import", "vgg-face", str(weights), "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert "not VGG-Face's weights: expected 32 arrays" in result.stderr
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vgg_face_weights.h5", "expected a Keras .h5 file"),
        ("vgg_face.mat", "expected a MATLAB file"),
        ("VGG_FACE.caffemodel", "expected a Caffe network"),
        ("vgg_face.t7", "expected a file named *.h5"),
    ],
)
def test_a_file_of_another_kind_is_refused(name: str, expected: str, tmp_path: Path) -> None:
    """A download page saved under the right name is a common mistake."""
    weights = tmp_path / name
    weights.write_text("<html>")
    result = RUN.invoke(app, ["import", "vgg-face", str(weights), "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert expected in result.stderr
