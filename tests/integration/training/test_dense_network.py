"""The network that Keras trains, the arrays that are kept of it, and the graph that is served are one."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from mien.contracts.models import CLASSES_JSON, EMBEDDINGS, PROBABILITIES, SIGNATURE, IdentityClasses
from mien.runtime.quiet_openvino import openvino
from mien.training.dense_network import DenseNetwork, Epoch, Samples, Schedule, train_network
from model_repo.identity_classifier.build import build
from model_repo.saved_model import write

CLASSES = IdentityClasses(
    embedder="face_embedder", embedder_version=1, person_ids=["ada", "bjørn", "cleo"], accept_probability=0.95
)
SCHEDULE = Schedule(epochs=40, patience=5, batch_size=16)


def samples(count: int, seed: int) -> Samples:
    """Vectors around one of three directions, far from mean 0, as embeddings are."""
    generator = np.random.default_rng(seed)
    classes = generator.integers(0, 3, count)
    vectors = 0.5 + np.eye(3, 8)[classes] + generator.normal(0, 0.15, (count, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Samples(vectors.astype(np.float32), classes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[DenseNetwork, list[Epoch], Path]:
    path = tmp_path_factory.mktemp("keras") / "model.keras"
    network, epochs = train_network(samples(120, 1), samples(40, 2), 3, SCHEDULE, seed=1, keras_path=path)
    return network, epochs, path


def test_it_learns_what_can_be_learnt(trained: tuple[DenseNetwork, list[Epoch], Path]) -> None:
    network, epochs, _ = trained
    test = samples(60, 3)
    assert (network.probabilities(test.vectors).argmax(axis=1) == test.classes).mean() > 0.95
    assert epochs[-1].loss < epochs[0].loss


def test_the_arrays_say_what_the_keras_model_says(trained: tuple[DenseNetwork, list[Epoch], Path]) -> None:
    """The standardisation that is folded into the first layer changes nothing."""
    import keras  # noqa: PLC0415 - takes seconds

    network, _, path = trained
    vectors = samples(30, 4).vectors
    expected = keras.models.load_model(path).predict(vectors, verbose=0)
    np.testing.assert_allclose(network.probabilities(vectors), expected, atol=2e-6)


def test_a_value_that_was_always_the_same_does_not_drown_the_others() -> None:
    """As a map of a carried network is that no face of a small data set stirs."""

    def with_silent_value(samples: Samples, value: float) -> Samples:
        silent = np.full((len(samples.vectors), 1), value, np.float32)
        return Samples(np.hstack([samples.vectors, silent]), samples.classes)

    training, validation, test = (samples(count, seed) for count, seed in ((120, 1), (40, 2), (60, 3)))
    network, epochs = train_network(
        with_silent_value(training, 0), with_silent_value(validation, 0.1), 3, SCHEDULE, seed=1
    )
    said = network.probabilities(with_silent_value(test, 0.1).vectors).argmax(axis=1)
    assert (said == test.classes).mean() > 0.95
    assert max(epoch.validation_loss for epoch in epochs) < 2


def test_the_same_seed_gives_the_same_network(trained: tuple[DenseNetwork, list[Epoch], Path]) -> None:
    again, epochs = train_network(samples(120, 1), samples(40, 2), 3, SCHEDULE, seed=1)
    np.testing.assert_array_equal(again.output, trained[0].output)
    assert epochs == trained[1]


def test_training_stops_when_no_better_network_comes(trained: tuple[DenseNetwork, list[Epoch], Path]) -> None:
    """Of what cannot be learnt, the best epoch is kept and training ends by patience."""
    noise = Samples(samples(60, 1).vectors, np.random.default_rng(9).integers(0, 3, 60))
    schedule = Schedule(epochs=300, patience=5)
    network, epochs = train_network(noise, samples(30, 2), 3, schedule, seed=1)
    best = [epoch for epoch in epochs if epoch.is_best][-1]
    assert epochs[-1].number == best.number + 5
    validation = samples(30, 2)
    accuracy = (network.probabilities(validation.vectors).argmax(axis=1) == validation.classes).mean()
    assert accuracy == pytest.approx(best.validation_accuracy)


@pytest.mark.parametrize("engine", ["tensorflow", "openvino"])
def test_the_graph_answers_alike_in_both_engines(
    trained: tuple[DenseNetwork, list[Epoch], Path], tmp_path: Path, engine: str
) -> None:
    """Probabilities, and for each row the same text that says who the columns are."""
    network, _, _ = trained
    model = build((network.hidden, network.hidden_bias), (network.output, network.output_bias), CLASSES)
    write(model, tmp_path)
    vectors = samples(5, 6).vectors
    if engine == "tensorflow":
        tensorflow = pytest.importorskip("tensorflow")
        loaded = tensorflow.saved_model.load(str(tmp_path))
        answer = loaded.signatures[SIGNATURE](**{EMBEDDINGS: tensorflow.constant(vectors)})
        outputs = {name: tensor.numpy() for name, tensor in answer.items()}
    else:
        compiled = openvino.Core().compile_model(str(tmp_path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        results = compiled({EMBEDDINGS: vectors})
        outputs = {name: results[name] for name in (PROBABILITIES, CLASSES_JSON)}
    np.testing.assert_allclose(outputs[PROBABILITIES], network.probabilities(vectors), atol=2e-6)
    assert len(outputs[CLASSES_JSON]) == 5
    for row in outputs[CLASSES_JSON]:
        assert msgspec.json.decode(row.tobytes(), type=IdentityClasses) == CLASSES
    assert (tmp_path / "assets.extra" / "labels.txt").read_text().split() == CLASSES.person_ids


def test_weights_that_do_not_fit_the_classes_are_refused(
    trained: tuple[DenseNetwork, list[Epoch], Path],
) -> None:
    network, _, _ = trained
    two = msgspec.structs.replace(CLASSES, person_ids=["ada", "bob"])
    with pytest.raises(ValueError, match="each of 2 classes, got 3"):
        build((network.hidden, network.hidden_bias), (network.output, network.output_bias), two)
