"""The student project's network, as it is served."""

from mien.contracts.models import EMOTION_CLASSIFIER, EMOTION_LABELS, EMOTIONS, IMAGES, PROBABILITIES
from model_repo.emotion_classifier.student import FILTERS, HIDDEN_UNITS, NORMALISED_AFTER, build_student
from tests.student_network import random_student, weight_count


def test_it_has_the_parameters_of_the_student_project() -> None:
    """4,005,381, of which all but the moving means and variances are trained."""
    weights = random_student(seed=1)
    averages = sum(mean.size + variance.size for _, _, mean, variance in weights.normalisations)
    assert weight_count(weights) == 4_005_381
    assert weight_count(weights) - averages == 4_003_717


def test_its_layers_are_those_of_the_student_project() -> None:
    """The last map is 1×1×512."""
    assert FILTERS == (32, 64, 128, 256, 512, 512)
    assert NORMALISED_AFTER == (1, 3, 5)  # the second, fourth and last pool
    assert HIDDEN_UNITS == (128, 64)


def test_it_keeps_the_contract_of_the_model() -> None:
    model = build_student(random_student(seed=1), EMOTIONS, temperature=1.0)
    assert set(model.inputs) == {IMAGES}
    size = EMOTION_CLASSIFIER.size
    assert model.inputs[IMAGES].shape == (-1, size, size, 3)
    assert model.outputs[PROBABILITIES].shape == (-1, len(EMOTION_LABELS))
    assert model.labels == EMOTION_LABELS
