"""One look for all plots of measurements; SVG, the same bytes for the same figures."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from mien.bench.record import MEASUREMENTS

mpl.use("Agg")
mpl.rcParams |= {
    "svg.hashsalt": "mien",
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def save_plot(figure: Figure, name: str, folder: Path = MEASUREMENTS) -> Path:
    """Write a figure beside the measurement of the same name; returns its path."""
    path = folder / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None})
    return path
