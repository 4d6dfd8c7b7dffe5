"""What a terminal shows of a job while it runs: a bar for each step, and curves as they grow."""

import shutil
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import plotext
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

_CHART_ROWS: Final = 13
_MAX_COLUMNS: Final = 110
_MIN_COLUMNS: Final = 50


class JobDisplay:
    """Shows the same lines that a job writes to its file.

    Without a terminal nothing moves: the bars and curves are printed once, when the job ends.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._epochs: list[dict[str, Any]] = []
        # Live draws from a thread of its own, and plotext has one figure for everybody.
        self._drawing = threading.Lock()
        self._drawn_epochs = 0
        self._chart = Text()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=2)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.stop()

    def tell(self, step: str, done: int, total: int, **figures: float | str) -> None:
        """Move the bar of a step; an epoch's figures extend the curves."""
        if step not in self._tasks:
            self._tasks[step] = self._progress.add_task(step, total=total)
        self._progress.update(self._tasks[step], completed=done, total=total)
        if "validation_loss" in figures:
            self._epochs.append(figures)

    def _render(self) -> Group:
        if len(self._epochs) < 2:
            return Group(self._progress)
        with self._drawing:
            if len(self._epochs) != self._drawn_epochs:
                epochs = list(self._epochs)
                self._chart = Text.from_ansi(self._curves(epochs))
                self._drawn_epochs = len(epochs)
        return Group(self._progress, self._chart)

    def _curves(self, epochs: Sequence[Mapping[str, Any]]) -> str:
        columns = min(
            max(self._console.width, _MIN_COLUMNS), _MAX_COLUMNS, shutil.get_terminal_size().columns
        )
        plotext.main()  # the last subplot is still chosen, and only that would be cleared
        plotext.clear_figure()
        plotext.subplots(1, 2)
        plotext.theme("clear")
        plotext.plot_size(columns, _CHART_ROWS)
        for column, name in enumerate(("loss", "accuracy"), start=1):
            plotext.subplot(1, column)
            for label, key, colour in (
                ("training", name, "blue"),
                ("validation", f"validation_{name}", "orange"),
            ):
                values = [epoch[key] for epoch in epochs]
                plotext.plot(values, label=label, marker="braille", color=colour)
            plotext.title(name)
            plotext.xlabel("epoch")
        chart: str = plotext.build()
        return chart
