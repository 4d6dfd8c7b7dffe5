"""The documents say what was measured, and nothing else."""

import json
from pathlib import Path

import pytest

from mien.bench.numbers import DOCUMENTS, fill_tables, render


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_tables_equal_the_measurements(document: Path) -> None:
    """Nobody edits a figure by hand."""
    text = document.read_text()
    assert "<!-- numbers:live" in text
    assert fill_tables(text) == text


def test_a_table_may_show_some_of_a_summary(tmp_path: Path) -> None:
    """In the order asked for; a key that was not measured is an error."""
    record = {
        "machine": {"processor": "Abacus", "cores": 2, "memory_gib": 4.0, "system": "x"},
        "when": "2026-01-02T03:04:05+00:00",
        "runs": [{}],
        "summary": {"calls": 12, "ratio": 3.0, "videos": [{"video": "lobby"}]},
    }
    (tmp_path / "spending.json").write_text(json.dumps(record))
    lines = fill_tables("<!-- numbers:spending ratio -->\n<!-- /numbers -->", tmp_path).splitlines()
    assert lines[1:4] == ["| measured | value |", "|---|---|", "| ratio | 3 |"]
    lines = fill_tables("<!-- numbers:spending videos -->\n<!-- /numbers -->", tmp_path).splitlines()
    assert lines[1:4] == ["| video |", "| --- |", "| lobby |"]
    with pytest.raises(KeyError):
        fill_tables("<!-- numbers:spending cost -->\n<!-- /numbers -->", tmp_path)


def test_table_is_made_from_the_summary(tmp_path: Path) -> None:
    """Figures, units in their names, machine and date are all there."""
    record = {
        "machine": {"processor": "Abacus", "cores": 2, "memory_gib": 4.0, "system": "x"},
        "when": "2026-01-02T03:04:05+00:00",
        "runs": [{}, {}],
        "summary": {"capture_to_screen_p95_ms": 412.34, "cpu": {"kafka": 3.21}},
    }
    (tmp_path / "live.json").write_text(json.dumps(record))
    text = fill_tables("a\n<!-- numbers:live -->\nold\n<!-- /numbers -->\nb", tmp_path)
    assert "| capture to screen p95 ms | 412 |" in text
    assert "| cpu | kafka 3.21 |" in text
    assert "*Abacus, 2 cores, 4.0 GiB; 2026-01-02, 2 runs*" in text
    assert "old" not in text


def test_rows_of_the_summary_are_tables_of_their_own() -> None:
    """One per list, after the other figures; an empty list leaves nothing behind, a missing value a dash."""
    record = {
        "machine": {"processor": "Abacus", "cores": 2, "memory_gib": 4.0, "system": "x"},
        "when": "2026-01-02T03:04:05+00:00",
        "runs": [{}],
        "summary": {
            "differences": [],
            "videos": [{"video": "lobby", "same_names": 1.0}, {"video": "desk", "same_names": None}],
            "calls": 12,
        },
    }
    lines = render(record).splitlines()
    assert lines[:3] == ["| measured | value |", "|---|---|", "| calls | 12 |"]
    table = lines.index("| video | same names |")
    assert lines[table + 1 : table + 4] == ["| ---|--- |", "| lobby | 1 |", "| desk | – |"]


def test_table_without_measurement_is_an_error(tmp_path: Path) -> None:
    """A README can't claim what was never measured."""
    with pytest.raises(FileNotFoundError):
        fill_tables("<!-- numbers:live -->\n<!-- /numbers -->", tmp_path)
