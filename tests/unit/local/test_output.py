"""Log lines reach the terminal with their name, and their file; a slow terminal stalls nobody."""

import io
import threading
from pathlib import Path

from rich.console import Console

from mien.local.output import Output


def test_lines_carry_their_name_and_are_kept_in_a_file_for_each_process(tmp_path: Path) -> None:
    """Brackets in a line are text, not markup."""
    terminal = io.StringIO()
    output = Output(Console(file=terminal, width=200), tmp_path, name_width=8)
    with output.running():
        output.write("kafka", "started [bold]")
        output.write("redis", "ready")
    assert terminal.getvalue().splitlines() == ["kafka    started [bold]", "redis    ready"]
    assert (tmp_path / "kafka.log").read_text() == "started [bold]\n"
    assert (tmp_path / "redis.log").read_text() == "ready\n"


class FrozenTerminal(io.StringIO):
    """A terminal that takes nothing until it is thawed."""

    def __init__(self) -> None:
        super().__init__()
        self.thawed = threading.Event()

    def write(self, text: str) -> int:
        self.thawed.wait(10)
        return super().write(text)


def test_a_frozen_terminal_loses_lines_instead_of_stalling_and_says_how_many(tmp_path: Path) -> None:
    """Writing never waits; once the terminal takes lines again, it is told what it missed."""
    terminal = FrozenTerminal()
    output = Output(Console(file=terminal, width=200), tmp_path)
    with output.running():
        for number in range(20_000):
            output.write("busy", str(number))
        dropped = output.dropped
        terminal.thawed.set()
    assert dropped > 10_000
    assert "log lines dropped: the terminal was too slow" in terminal.getvalue()
