"""Log lines of all processes: coloured name first on the terminal, and a bounded file for each process."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from logging import Formatter, LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

_STYLES: Final = (
    "cyan",
    "green",
    "magenta",
    "yellow",
    "blue",
    "bright_cyan",
    "bright_green",
    "bright_magenta",
)
_FILE_BYTES: Final = 5 * 1024 * 1024
_QUEUE_LINES: Final = 5000


class Output:
    """Writes lines from a thread of its own, so that a frozen terminal never holds up a process.

    The queue is bounded; lines that don't fit are dropped, and their number is written as soon as there is
    room again.
    """

    def __init__(self, console: Console, folder: Path, *, name_width: int = 14) -> None:
        self._console = console
        self._folder = folder
        self._name_width = name_width
        self._lines: queue.Queue[tuple[str, str] | None] = queue.Queue(_QUEUE_LINES)
        self._files: dict[str, RotatingFileHandler] = {}
        self.dropped = 0

    def write(self, name: str, line: str) -> None:
        """Write a line under a process's name."""
        try:
            self._lines.put_nowait((name, line))
        except queue.Full:
            self.dropped += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Write lines while the context is open; on leaving, what is queued is written, for 2 s at most."""
        self._folder.mkdir(parents=True, exist_ok=True)
        thread = threading.Thread(target=self._run, name="output", daemon=True)
        thread.start()
        try:
            yield
        finally:
            try:
                self._lines.put(None, timeout=1)
            except queue.Full:
                self.dropped += 1
            thread.join(timeout=1)

    def _run(self) -> None:
        reported = 0
        while (entry := self._lines.get()) is not None:
            self._print(*entry)
            if self.dropped > reported:
                self._print("mien", f"{self.dropped - reported} log lines dropped: the terminal was too slow")
                reported = self.dropped
        for file in self._files.values():
            file.close()

    def _print(self, name: str, line: str) -> None:
        self._file(name).emit(LogRecord(name, 0, "", 0, line, None, None))
        style = _STYLES[sum(name.encode()) % len(_STYLES)]
        text = Text.assemble((f"{name:<{self._name_width}} ", style), Text.from_ansi(line))
        self._console.print(text, soft_wrap=True, highlight=False)

    def _file(self, name: str) -> RotatingFileHandler:
        if name not in self._files:
            handler = RotatingFileHandler(self._folder / f"{name}.log", maxBytes=_FILE_BYTES, backupCount=1)
            handler.setFormatter(Formatter("%(message)s"))
            self._files[name] = handler
        return self._files[name]
