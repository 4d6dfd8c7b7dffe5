"""Sums over the samples of several processes."""

from mien.bench.scrape import Samples, total, total_by

SAMPLES: Samples = {
    ("dropped", frozenset({("stage", "ingest"), ("reason", "stale")})): 1.0,
    ("dropped", frozenset({("stage", "detector"), ("reason", "stale")})): 2.0,
    ("dropped", frozenset({("stage", "detector"), ("reason", "redis")})): 4.0,
    ("dropped", frozenset({("stage", "detector"), ("reason", "never")})): 0.0,
    ("dropped_created", frozenset({("stage", "detector"), ("reason", "stale")})): 99.0,
}


def test_total_is_over_all_samples_with_the_labels() -> None:
    """Labels that aren't named don't matter, other metrics never do."""
    assert total(SAMPLES, "dropped") == 7.0
    assert total(SAMPLES, "dropped", stage="detector") == 6.0
    assert total(SAMPLES, "dropped", stage="gateway") == 0.0


def test_total_by_splits_along_one_label() -> None:
    """What never happened is left out."""
    assert total_by(SAMPLES, "dropped", "reason") == {"stale": 3.0, "redis": 4.0}
    assert total_by(SAMPLES, "dropped", "reason", stage="ingest") == {"stale": 1.0}
