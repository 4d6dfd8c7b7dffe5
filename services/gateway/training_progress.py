"""What a job's lines of progress come to: pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from services.gateway.training_schemas import CurvePoint, StepInfo

_NO_FIGURES: Final = frozenset({"at", "step", "done", "total"})


def steps_of(lines: Sequence[Mapping[str, Any]], *, since: str) -> list[StepInfo]:
    """Return the steps in the order in which they began, of the run that started *since* (ISO 8601)."""
    by_step: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        if line["at"] >= since:
            by_step.setdefault(line["step"], []).append(line)
    return [
        StepInfo(
            step=step,
            done=own[-1]["done"],
            total=own[-1]["total"],
            seconds_left=_seconds_left(own),
        )
        for step, own in by_step.items()
    ]


def curves_of(lines: Iterable[Mapping[str, Any]]) -> list[CurvePoint]:
    """Return the figures of each epoch; a run that went back to an earlier epoch takes its place."""
    points: dict[int, dict[str, float]] = {}
    for line in lines:
        figures = {
            name: float(value)
            for name, value in line.items()
            if name not in _NO_FIGURES and isinstance(value, int | float)
        }
        if figures:
            points = {epoch: known for epoch, known in points.items() if epoch < line["done"]}
            points[line["done"]] = figures
    return [CurvePoint(epoch=epoch, figures=figures) for epoch, figures in points.items()]


def epochs_at_most(lines: Iterable[Mapping[str, Any]]) -> int | None:
    """Return how many epochs there may be, None before the first."""
    totals = [line["total"] for line in lines if line.keys() > _NO_FIGURES]
    return totals[-1] if totals else None


def _seconds_left(lines: Sequence[Mapping[str, Any]]) -> float | None:
    """Return how long it takes at the pace of the last round: a step may begin again, as an epoch does."""
    fell = [index for index in range(1, len(lines)) if lines[index]["done"] < lines[index - 1]["done"]]
    first, last = lines[fell[-1] if fell else 0], lines[-1]
    done = last["done"] - first["done"]
    if done <= 0 or last["done"] >= last["total"]:
        return None
    took = datetime.fromisoformat(last["at"]) - datetime.fromisoformat(first["at"])
    seconds: float = took.total_seconds() / done * (last["total"] - last["done"])
    return round(seconds, 1)
