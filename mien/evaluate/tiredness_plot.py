"""The plot of ``mien evaluate tiredness``: eyes by size, mouths of yawners and of others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mien.bench.plots import save_plot
from mien.bench.record import MEASUREMENTS


def save_tiredness_plot(
    runs: Sequence[dict[str, Any]], summary: dict[str, Any], folder: Path = MEASUREMENTS
) -> Path:
    """Draw how well eyes are judged by their size, and how far mouths are open; returns the file's path."""
    figure = Figure(figsize=(9, 3.4))
    left, right = figure.subplots(1, 2)
    sizes = [row["eye_distance_px"] for row in summary["eyes_by_size"]]
    for key, words in (("accuracy", "accuracy"), ("closed_found", "closed eyes called closed")):
        left.plot(sizes, [row[key] for row in summary["eyes_by_size"]], marker="o", label=words)
    wrong = [row["open_called_closed"] for row in summary["eyes_by_size"]]
    left.plot(sizes, wrong, marker="o", label="open eyes called closed")
    left.set(xscale="log", xticks=sizes, ylim=(0, 1.02), xlabel="pixels between the eyes")
    left.set_xticks(sizes, [str(size) for size in sizes])
    left.minorticks_off()
    left.legend(loc="center right")
    bins = np.linspace(0, 0.6, 41)
    mouths = runs[0]["drivers_mouth_openness"]
    for key, words in (("yawning", "yawning"), ("calm", "not yawning")):
        right.hist(mouths[key], bins=list(bins), alpha=0.7, label=words)
    right.axvline(summary["yawn_openness"], color="black", linewidth=1)
    right.set(xlabel="how far the mouth is open, in distances between the eyes", ylabel="drivers' faces")
    right.legend()
    return save_plot(figure, "tiredness", folder)
