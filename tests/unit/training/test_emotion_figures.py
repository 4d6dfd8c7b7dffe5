"""How right, how sure and how often: on answers whose figures are known beforehand."""

import numpy as np
import pytest

from mien.training import emotion_figures as figures

# Three faces of class 0 and two of class 1: said rightly with .9, .8; wrongly: .7; rightly: .6, .55.
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.45, 0.55]])
CLASSES = np.array([0, 0, 0, 1, 1])


def test_full_coverage_answers_everything() -> None:
    """At no limit every face is answered; four of five are right."""
    point = figures.answers(PROBABILITIES, CLASSES, 0.0)
    assert point.accuracy == pytest.approx(0.8)
    assert point.coverage == 1
    assert point.coverage_by_class == {0: 1.0, 1: 1.0}


def test_uncertain_faces_are_no_answers() -> None:
    """At .65 three faces are answered, two rightly; of class 1 none is, which its F1 of 0 tells."""
    point = figures.answers(PROBABILITIES, CLASSES, 0.65)
    assert point.accuracy == pytest.approx(2 / 3)
    assert point.coverage == pytest.approx(3 / 5)
    assert point.coverage_by_class == {0: 1.0, 1: 0.0}
    assert point.macro_f1 == pytest.approx((2 * 1 * (2 / 3) / (1 + 2 / 3)) / 2)


def test_nothing_answered_has_no_accuracy() -> None:
    """A limit that nothing reaches gives no figures instead of perfect ones."""
    point = figures.answers(PROBABILITIES, CLASSES, 0.99)
    assert np.isnan(point.accuracy)
    assert point.coverage == 0


def test_risk_is_told_from_the_surest_face_on() -> None:
    """The third surest answer is the wrong one."""
    curve = figures.risk_coverage(PROBABILITIES, CLASSES)
    np.testing.assert_allclose(curve.coverage, [0.2, 0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(curve.risk, [0, 0, 1 / 3, 1 / 4, 1 / 5])
    assert curve.area == pytest.approx(np.mean([0, 0, 1 / 3, 1 / 4, 1 / 5]))


@pytest.mark.parametrize(
    ("right", "least_coverage", "expected"),
    [
        (1.0, 0.0, 0.8),  # as far down as all are right
        (0.8, 0.0, 0.55),  # everything may be answered
        (1.0, 0.6, 0.7),  # coverage counts more than being right
    ],
)
def test_the_operating_point_is_the_lowest_that_is_right_enough(
    right: float, least_coverage: float, expected: float
) -> None:
    """It answers as much as it may, and at least what it must."""
    found = figures.operating_point(PROBABILITIES, CLASSES, right=right, least_coverage=least_coverage)
    assert found == pytest.approx(expected)


def test_honest_probabilities_have_no_calibration_error() -> None:
    """Ten faces said with .7 of which seven are right: nothing to correct; all right: .3 too modest."""
    sure = np.tile([0.7, 0.3], (10, 1))
    classes = np.array([0] * 7 + [1] * 3)
    assert figures.calibration_error(sure, classes) == pytest.approx(0)
    assert figures.calibration_error(sure, np.zeros(10, np.int64)) == pytest.approx(0.3)


def test_temperature_tames_a_boaster() -> None:
    """Logits three times too large get a temperature near three, and honest probabilities by it."""
    generator = np.random.default_rng(3)
    honest = generator.normal(size=(4000, 5))
    likely = figures.softmax(honest)
    classes = np.array([generator.choice(5, p=row) for row in likely])
    temperature = figures.fit_temperature(honest * 3, classes)
    assert temperature == pytest.approx(3, rel=0.1)
    assert figures.calibration_error(figures.softmax(honest * 3 / temperature), classes) < 0.03
    assert figures.calibration_error(figures.softmax(honest * 3), classes) > 0.15


def test_spread_draws_people_and_not_faces() -> None:
    """A hundred pictures of two people say as little as two pictures; of a hundred people they say much."""
    right = np.tile([0.9, 0.1], (100, 1))
    right[50:] = [0.1, 0.9]
    classes = np.zeros(100, np.int64)
    of_two = figures.spread(right, classes, ["a"] * 50 + ["b"] * 50, 0.0)["accuracy"]
    of_many = figures.spread(right, classes, [f"{row}" for row in range(100)], 0.0)["accuracy"]
    assert of_two == (0.0, 1.0)
    assert 0.35 < of_many[0] < 0.5 < of_many[1] < 0.65


def test_class_rows_and_confusion_agree() -> None:
    """Recall of a class is the share of its row on the diagonal."""
    rows = figures.class_rows(PROBABILITIES, CLASSES, ["calm", "loud"])
    matrix = figures.confusion(PROBABILITIES, CLASSES, 2)
    np.testing.assert_array_equal(matrix, [[2, 1], [0, 2]])
    assert rows[0] == {"label": "calm", "precision": 1.0, "recall": 0.6667, "f1": 0.8, "faces": 3}
    assert rows[1]["recall"] == matrix[1, 1] / matrix[1].sum()
