"""Tables in the documents, made from ``docs/measurements/*.json``: ``python -m mien.bench.numbers``.

A table stands between ``<!-- numbers:NAME -->`` and ``<!-- /numbers -->``, never edited by hand. Keys of
the summary after the name, ``<!-- numbers:NAME KEY KEY -->``, show only those.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from mien.bench.record import MEASUREMENTS

_REPOSITORY = Path(__file__).parents[2]
DOCUMENTS = (_REPOSITORY / "README.md", _REPOSITORY / "docs" / "measurements.md")
_BLOCK = re.compile(
    r"(<!-- numbers:(?P<name>[a-z_]+)(?P<keys>(?: [a-z0-9_]+)*) -->\n).*?(<!-- /numbers -->)", re.DOTALL
)


def fill_tables(text: str, measurements: Path = MEASUREMENTS) -> str:
    """Return *text* with every table made anew.

    Raises:
        FileNotFoundError: A table names a measurement that does not exist.
        KeyError: It names a key that the measurement has not.
    """

    def table(match: re.Match[str]) -> str:
        record = json.loads((measurements / f"{match['name']}.json").read_text())
        if keys := match["keys"].split():
            record["summary"] = {key: record["summary"][key] for key in keys}
        return f"{match[1]}{render(record)}{match[4]}"

    return _BLOCK.sub(table, text)


def render(record: dict[str, Any]) -> str:
    """Return a measurement's summary as a Markdown table, with the machine it was made on.

    What the summary lists in rows (a list of dicts) comes after it, each list as a table of its own.
    """
    machine = record["machine"]
    summary = record["summary"]
    figures = {key: value for key, value in summary.items() if not _is_rows(value)}
    tables = [_table(value) for value in summary.values() if _is_rows(value)]
    if figures:
        first = ["| measured | value |", "|---|---|"]
        tables.insert(0, first + [f"| {_words(key)} | {_in_words(one)} |" for key, one in figures.items()])
    text = "\n\n".join("\n".join(table) for table in tables if table)
    note = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
        f"{record['when'][:10]}, {len(record['runs'])} run{'s' if len(record['runs']) != 1 else ''}"
    )
    return f"{text}\n\n*{note}*\n"


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    lines = [" | ".join(map(_words, rows[0])), "|".join("---" for _ in rows[0])]
    lines += [" | ".join(_in_words(value) for value in row.values()) for row in rows]
    return [f"| {line} |" for line in lines]


def _words(key: str) -> str:
    return key.replace("_", " ")


def _in_words(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return ", ".join(f"{_words(key)} {_in_words(part)}" for key, part in value.items())
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


def main() -> None:
    """Rewrite the tables, or fail with ``--check`` when they differ from the measurements."""
    for document in DOCUMENTS:
        before = document.read_text()
        after = fill_tables(before)
        if "--check" not in sys.argv[1:]:
            document.write_text(after)
        elif before != after:
            sys.exit(f"{document.name} differs from docs/measurements: run `make numbers`")


if __name__ == "__main__":
    main()
