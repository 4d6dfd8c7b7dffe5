"""Pictures for the report of a training: curves, confusion matrix, open-set curves. All SVG."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mien.bench.plots import save_plot
from mien.training.dense_network import Epoch
from mien.training.emotion_figures import RiskCoverage
from mien.training.open_set import OpenSetCurve

_DECADE: Final = 10
_MAX_NUMBERED: Final = 30
_CURVE_POINTS: Final = 200
"""Confusion matrices of more classes are drawn without numbers and names in every row."""


def draw_curves(epochs: Sequence[Epoch], folder: Path) -> Path:
    """Draw loss and accuracy of every epoch; the network that was kept is marked."""
    figure = Figure(figsize=(9, 3.2))
    loss, accuracy = figure.subplots(1, 2)
    numbers = [epoch.number for epoch in epochs]
    best = [epoch.number for epoch in epochs if epoch.is_best][-1]
    for axes, name, training, validation in (
        (loss, "loss", [e.loss for e in epochs], [e.validation_loss for e in epochs]),
        (accuracy, "accuracy", [e.accuracy for e in epochs], [e.validation_accuracy for e in epochs]),
    ):
        axes.plot(numbers, training, label="training")
        axes.plot(numbers, validation, label="validation")
        axes.axvline(best, color="grey", linestyle=":", label=f"kept: epoch {best}")
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
    losses = [value for epoch in epochs for value in (epoch.loss, epoch.validation_loss)]
    if max(losses) > _DECADE * min(losses):
        loss.set_yscale("log")
    return save_plot(figure, "curves", folder)


def draw_confusion(
    matrix: NDArray[np.int64], names: Sequence[str], folder: Path, name: str = "confusion"
) -> Path:
    """Draw a confusion matrix, shape (classes, classes): rows are the truth, columns what was said."""
    side = min(max(3.0 + 0.32 * len(names), 5.0), 14.0)
    figure = Figure(figsize=(side, side))
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.set(xlabel="said", ylabel="is")
    if len(names) <= _MAX_NUMBERED:
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
        for row, column in zip(*np.nonzero(matrix), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(matrix[row, column]), ha="center", va="center", color=colour)
    return save_plot(figure, name, folder)


def draw_reliability(
    rows: Sequence[tuple[float, float, int]], folder: Path, name: str = "reliability"
) -> Path:
    """Draw how often faces were read rightly against how sure the network was; the diagonal is honest."""
    figure = Figure(figsize=(4.2, 4))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":")
    sure, right, faces = zip(*rows, strict=True) if rows else ((), (), ())
    axes.plot(sure, right, marker="o")
    for x, y, count in zip(sure, right, faces, strict=True):
        axes.annotate(str(count), (x, y), textcoords="offset points", xytext=(4, -10), fontsize=7)
    axes.set(xlabel="said to be likely", ylabel="was right", xlim=(0, 1), ylim=(0, 1.02))
    return save_plot(figure, name, folder)


def draw_risk_coverage(curves: Mapping[str, RiskCoverage], folder: Path, name: str = "risk-coverage") -> Path:
    """Draw the share of wrong answers against the share of faces answered, one line for each network."""
    figure = Figure(figsize=(5.5, 4))
    axes = figure.subplots()
    for label, curve in curves.items():
        shown = np.unique(np.linspace(0, len(curve.risk) - 1, _CURVE_POINTS).astype(int))
        axes.plot(100 * curve.coverage[shown], 100 * curve.risk[shown], label=label)
    axes.set(xlabel="faces answered, %", ylabel="wrong answers, %", xlim=(0, 100))
    axes.set_ylim(bottom=0)
    axes.legend()
    return save_plot(figure, name, folder)


def draw_open_set(curves: Mapping[str, OpenSetCurve], folder: Path) -> Path:
    """Draw how many known faces are named against how many strangers are, one line for each judge."""
    figure = Figure(figsize=(6.5, 4))
    axes = figure.subplots()
    for name, curve in curves.items():
        axes.step(100 * curve.false_alarm_rate, 100 * curve.named_rate, where="post", label=name)
    axes.set(
        xlabel="strangers who are named, %",
        ylabel="known faces named rightly, %",
        xscale="symlog",
        xlim=(0, 100),
        ylim=(0, 101),
    )
    axes.set_xticks([0, 1, 10, 100], ["0", "1", "10", "100"])
    axes.legend(loc="lower right")
    return save_plot(figure, "open-set", folder)
