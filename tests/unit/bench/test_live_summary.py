"""Figures over several runs are medians, part by part."""

from mien.bench.live import medians


def test_medians_are_taken_key_by_key_and_within_parts() -> None:
    """One odd run does not move the figure."""
    runs = [{"p95_ms": value, "cpu": {"kafka": value / 10}} for value in (200.0, 220.0, 900.0)]
    assert medians(runs) == {"p95_ms": 220.0, "cpu": {"kafka": 22.0}}
