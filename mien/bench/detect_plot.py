"""The picture of ``mien bench detect``: CPU time per frame by size, and where ours goes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from mien.bench.group_pictures import SIZES_WH
from mien.bench.plots import save_plot
from mien.bench.record import MEASUREMENTS


def plot_detect(
    detectors: Sequence[Mapping[str, Any]], stages: Sequence[Mapping[str, Any]], folder: Path = MEASUREMENTS
) -> Path:
    """Draw the rows of both tables, of detectors and of our stages; returns the SVG's path."""
    figure = Figure(figsize=(9, 3.4))
    costs, shares = figure.subplots(1, 2, width_ratios=(3, 2))
    width = 0.8 / len(detectors)
    for number, row in enumerate(detectors):
        places = [index + number * width for index in range(len(SIZES_WH))]
        bars = costs.bar(places, [row[f"CPU ms {size}"] for size in SIZES_WH], width, label=row["detector"])
        costs.bar_label(bars, fmt="%.3g", fontsize=7)
    costs.set_xticks([index + 0.4 - width / 2 for index in range(len(SIZES_WH))], list(SIZES_WH))
    costs.set_yscale("log")
    costs.set_ylim(top=4 * max(row[f"CPU ms {size}"] for row in detectors for size in SIZES_WH))
    costs.set_ylabel("CPU ms per frame, one thread")
    costs.set_title("0 to 16 faces of at least 40 pixels", fontsize=10)
    costs.legend(fontsize=8, ncols=2, loc="upper left")
    bars = shares.barh([row["stage"] for row in stages], [row["CPU ms"] for row in stages])
    shares.invert_yaxis()
    shares.bar_label(bars, fmt="%.2g", fontsize=8)
    shares.set_xlabel("ms")
    shares.set_title("Ours at 720p, by stage", fontsize=10)
    return save_plot(figure, "detect", folder)
