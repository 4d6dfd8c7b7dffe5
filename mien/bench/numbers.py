"""Tables in the README, made from ``docs/measurements/*.json``: ``python -m mien.bench.numbers [--check]``.

A table stands between ``<!-- numbers:NAME -->`` and ``<!-- /numbers -->`` and is never edited by hand.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from mien.bench.record import MEASUREMENTS

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(r"(<!-- numbers:(?P<name>[a-z_]+) -->\n).*?(<!-- /numbers -->)", re.DOTALL)


def fill_tables(text: str, measurements: Path = MEASUREMENTS) -> str:
    """Return *text* with every table made anew.

    Raises:
        FileNotFoundError: A table names a measurement that does not exist.
    """

    def table(match: re.Match[str]) -> str:
        record = json.loads((measurements / f"{match['name']}.json").read_text())
        return f"{match[1]}{render(record)}{match[3]}"

    return _BLOCK.sub(table, text)


def render(record: dict[str, Any]) -> str:
    """Return a measurement's summary as a Markdown table, with the machine it was made on.

    What the summary lists in rows (a list of dicts) comes after it, each list as a table of its own.
    """
    machine = record["machine"]
    summary = record["summary"]
    rows = ["| measured | value |", "|---|---|"]
    rows += [
        f"| {_words(key)} | {_in_words(value)} |" for key, value in summary.items() if not _is_rows(value)
    ]
    for value in summary.values():
        if _is_rows(value):
            rows += ["", *_table(value)]
    note = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; "
        f"{record['when'][:10]}, {len(record['runs'])} run{'s' if len(record['runs']) != 1 else ''}"
    )
    return "\n".join(rows) + f"\n\n*{note}*\n"


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
    """Rewrite the README's tables, or fail with ``--check`` when they differ from the measurements."""
    before = README.read_text()
    after = fill_tables(before)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if before == after else "README.md differs from docs/measurements: run `make numbers`")
    README.write_text(after)


if __name__ == "__main__":
    main()
