"""The picture of ``mien bench detector-scale``: CPU by cameras and by faces, with the fitted lines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mien.bench.detector_scale import SHEDDING_SHARE, fit_line, kept_up
from mien.bench.plots import save_plot
from mien.bench.record import MEASUREMENTS


def plot_detector_scale(rows: Sequence[dict[str, Any]], folder: Path = MEASUREMENTS) -> Path:
    """Draw every load of every run; those under which frames were shed are hollow. Returns the file."""
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    _panel(left, [row for row in rows if row["series"] == "cameras"], "cameras")
    left.set(xlabel="cameras (640×360, 2 faces, 5 fps)", ylabel="detector, percent of a core")
    _panel(right, [row for row in rows if row["series"] == "faces"], "faces_per_frame")
    right.set(xlabel="faces in one camera (1280×720, 5 fps)")
    return save_plot(figure, "detector_scale", folder)


def _panel(axes: Axes, rows: Sequence[dict[str, Any]], key: str) -> None:
    fitted = kept_up(rows, key)
    line = fit_line([(row[key], row["cpu_percent"]) for row in fitted])
    for row in rows:
        shed = row["shed_share"] > SHEDDING_SHARE
        axes.plot(row[key], row["cpu_percent"], "o", color="C0", fillstyle="none" if shed else "full")
    if line is not None:
        x = np.array([0, max(row[key] for row in fitted)])
        label = f"{line.intercept:.1f} + {line.slope:.2f} n, R² {line.r2:.3f}"
        axes.plot(x, line.intercept + line.slope * x, color="C1", label=label)
    if len(fitted) < len(rows):
        axes.plot([], [], "o", color="C0", fillstyle="none", label="newest frames only, rest shed")
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.legend(loc="best")
