"""The plot of ``mien evaluate tracking``: what each tracker gets wrong, by sampling rate."""

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from mien.bench.plots import save_plot
from mien.bench.record import MEASUREMENTS


def save_tracking_plot(summary: dict[str, Any], folder: Path = MEASUREMENTS) -> Path:
    """Plot MOTA, id switches and merged tracks over the rate, a line per tracker; returns the file's path."""
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.2))
    titles = {"mota": "MOTA", "id_switches": "id switches", "merged_tracks": "tracks of two people"}
    for axis, (key, title) in zip(axes, titles.items(), strict=True):
        for row in summary[f"{key}_by_rate"]:
            name, *values = row.values()
            rates = [rate.removesuffix(" fps") for rate in list(row)[1:]]
            axis.plot(rates, values, marker="o", label=name, linewidth=2.4 if name == "Mien" else 1.2)
        axis.set_title(title)
        axis.set_xlabel("frames a second")
    axes[0].legend(fontsize=8)
    path = save_plot(figure, "tracking", folder)
    plt.close(figure)
    return path
