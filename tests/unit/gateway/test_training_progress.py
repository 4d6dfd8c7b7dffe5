"""Lines of progress as steps with the time they still take, and as curves."""

from typing import Any

import pytest

from services.gateway.training_progress import curves_of, epochs_at_most, steps_of


def line(second: int, step: str, done: int, total: int, **figures: float) -> dict[str, Any]:
    at = f"2026-01-01T00:00:{second:02}.000+00:00"
    return {"at": at, "step": step, "done": done, "total": total, **figures}


START = "2026-01-01T00:00:00.000+00:00"


def test_a_step_tells_how_long_it_still_takes_at_its_pace() -> None:
    lines = [line(1, "faces", 0, 2), line(2, "faces", 2, 2), line(2, "embedding", 10, 40)]
    faces, embedding = steps_of(lines, since=START)
    assert (faces.done, faces.total, faces.seconds_left) == (2, 2, None)
    assert embedding.seconds_left is None  # one line tells no pace
    _, embedding = steps_of([*lines, line(7, "embedding", 20, 40)], since=START)
    assert embedding.seconds_left == pytest.approx(10)


def test_a_step_that_begins_again_has_the_pace_of_its_last_round() -> None:
    """As the faces of an epoch do."""
    lines = [line(second, "this epoch", done, 40) for second, done in ((1, 10), (4, 40), (5, 10), (9, 20))]
    (step,) = steps_of(lines, since=START)
    assert step.seconds_left == pytest.approx(8)


def test_steps_of_an_earlier_run_are_over() -> None:
    lines = [line(1, "training", 5, 9), line(30, "embedding", 1, 2)]
    steps = steps_of(lines, since="2026-01-01T00:00:20.000+00:00")
    assert [step.step for step in steps] == ["embedding"]


def test_a_run_that_goes_back_takes_the_place_of_the_epochs_before() -> None:
    lines = [line(epoch, "training", epoch, 9, loss=1.0) for epoch in (1, 2, 3)]
    lines += [line(10, "embedding", 1, 1), line(11, "training", 1, 9, loss=0.5), line(12, "training", 2, 2)]
    curves = curves_of(lines)
    assert [(point.epoch, point.figures) for point in curves] == [(1, {"loss": 0.5})]
    assert epochs_at_most(lines) == 9


def test_nothing_was_said_yet() -> None:
    assert steps_of([], since=START) == []
    assert curves_of([]) == []
    assert epochs_at_most([]) is None
