"""What the loads of a detector come to."""

from typing import Any

import pytest

from mien.bench.detector_scale import fit_line, step_row, summarise
from mien.bench.lone_detector import Shown
from mien.bench.scrape import Labels, Samples

DEADLINE_MS = 1500


def row(series: str, count: int, cpu_percent: float, **changes: Any) -> dict[str, Any]:
    """Return the row of a load that the detector kept up with."""
    key = "cameras" if series == "cameras" else "faces_per_frame"
    calm = {"shed_share": 0.0, "age_p95_ms": 60.0, "frames_per_camera": {"a": 50, "b": 50}}
    return {"series": series, "cameras": 1, key: count, "cpu_percent": cpu_percent} | calm | changes


def counters(dropped: int = 0, **frames: int) -> Samples:
    """Return a detector's counters: frames by camera, frames superseded."""

    def labels(**pairs: str) -> Labels:
        return frozenset(pairs.items())

    return {
        ("mien_frames_total", labels(stage="detector", camera_id=camera_id)): float(count)
        for camera_id, count in frames.items()
    } | {("mien_dropped_total", labels(stage="detector", reason="superseded")): float(dropped)}


def test_a_line_through_points_on_it_explains_everything() -> None:
    """Slope, intercept and R² of a known line."""
    line = fit_line([(1, 12.0), (2, 22.0), (4, 42.0)])
    assert line is not None
    assert (line.slope, line.intercept, line.r2) == pytest.approx((10.0, 2.0, 1.0))


def test_noise_lowers_the_share_that_is_explained() -> None:
    """By the textbook: one less residuals over variance."""
    line = fit_line([(0, 0.0), (1, 2.0), (2, 1.0)])
    assert line is not None
    assert line.r2 == pytest.approx(0.25)


def test_two_places_are_no_line() -> None:
    """Two points fit any line perfectly, however often they are repeated."""
    assert fit_line([(1, 1.0), (1, 1.1), (2, 2.0)]) is None


def test_the_fit_ends_where_shedding_begins() -> None:
    """A full detector's flat cost is no part of the line; ages are told on both sides of it.

    Turns are added up over runs: in one, a camera may be one frame ahead.
    """
    rows = [row("cameras", count, 10.0 * count) for count in (1, 2, 4)]
    rows += [
        row("cameras", 8, 81.0, shed_share=0.005),
        row("cameras", 16, 105.0, shed_share=0.4, age_p95_ms=420.0, frames_per_camera={"a": 6, "b": 9}),
        row("cameras", 16, 104.0, shed_share=0.4, frames_per_camera={"a": 9, "b": 7}),
    ]
    rows += [row("faces", count, 20.0 + count) for count in (1, 2, 4)]
    summary = summarise(rows, deadline_ms=DEADLINE_MS, fps=5.0)
    assert summary["cpu_percent_per_camera"] == pytest.approx(10.1, abs=0.1)
    assert summary["linear_fit_r2_cameras"] > 0.999
    assert summary["cpu_ms_per_face"] == 2.0
    assert summary["cameras_before_shedding"] == 8
    assert (summary["age_p95_ms_before_shedding"], summary["age_p95_ms_when_shedding"]) == (60.0, 420.0)
    assert (summary["deadline_ms"], summary["fairness_min_over_max"]) == (DEADLINE_MS, round(15 / 16, 3))


def test_one_run_that_shed_is_enough() -> None:
    """A number of cameras that was only sometimes kept up with is not claimed."""
    rows = [row("cameras", count, 10.0 * count) for count in (1, 2, 4, 8)]
    rows += [row("cameras", count, 10.0 * count) for count in (1, 2)]
    rows += [row("cameras", 4, 38.0, shed_share=0.05)]
    summary = summarise(rows, deadline_ms=DEADLINE_MS, fps=5.0)
    assert summary["cameras_before_shedding"] == 2
    assert summary["linear_fit_r2_cameras"] is None
    assert summary["linear_fit_r2_faces"] is None


def test_a_load_counts_only_what_came_during_it() -> None:
    """Frames and drops of earlier loads are not this one's, and every camera is weighed against the best."""
    found = step_row(
        ["a", "b"],
        counters(dropped=7, a=100, b=0, gone=50),
        counters(dropped=17, a=120, b=10, gone=50),
        shown=Shown([10.0, 20.0, 30.0], [2, 2, 2]),
        cpu_seconds=1.5,
        elapsed_seconds=10.0,
    )
    assert (found["frames_per_second"], found["frames_offered_per_second"]) == (3.0, 4.0)
    assert found["cpu_percent"] == 15.0
    assert found["cpu_ms_per_frame"] == 50.0
    assert found["dropped"] == {"superseded": 10}
    assert found["shed_share"] == 0.25
    assert found["frames_per_camera"] == {"a": 20, "b": 10}
    assert (found["age_p50_ms"], found["age_max_ms"]) == (20.0, 30.0)


def test_a_detector_that_looked_at_nothing_is_no_measurement() -> None:
    """An error, not a row of zeros."""
    with pytest.raises(RuntimeError, match="looked at none"):
        step_row(["a"], counters(a=1), counters(a=1), shown=Shown(), cpu_seconds=0.0, elapsed_seconds=1.0)
