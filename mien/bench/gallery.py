"""Searching a gallery: exactly and through the index, from a thousand templates to a million.

No collection of a million faces is at hand, so the vectors are made: people on a cone as narrow as the
default embedder's (strangers' similarity 0.84 in the median), ten templates each, as far from each other as
photos of one person are (0.95). What is asked for is another photo of somebody enrolled.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mien.bench.plots import save_plot
from mien.contracts.models import FACE_EMBEDDER
from mien.vision.similarity import ApproximateIndex, ExactIndex, VectorIndex, Vectors

_TEMPLATES_PER_PERSON: Final = 10
_LOOKED_AT: Final = 64
"""As many of the nearest as a recognizer asks for."""
# Spread of people around the mean face and of photos around their person, fitted to the two medians above.
_PEOPLE_SPREAD, _PHOTO_SPREAD = 0.37, 0.24


@dataclass(frozen=True)
class GalleryBench:
    """What to measure: gallery sizes, searches per size, and from which size on there is an index."""

    sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    searches: int = 200
    index_from: int = 100_000


def measure_gallery(bench: GalleryBench) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Search galleries of each size; returns one run per size and index, and the summary."""
    runs: list[dict[str, Any]] = []
    for size in bench.sizes:
        templates, queries = made_faces(size, bench.searches)
        exact = ExactIndex(templates)
        wanted, exact_run = _search(exact, queries, kind="exact", size=size)
        runs.append(
            exact_run | {"build_seconds": 0.0, "memory_mb": templates.nbytes / 1e6, "recall_at_1": 1.0}
        )
        if size < bench.index_from:
            continue
        began = time.perf_counter()
        index = ApproximateIndex(templates)
        build_seconds = time.perf_counter() - began
        found, run = _search(index, queries, kind="index", size=size)
        recall = float((found == wanted).mean())
        # Half-precision vectors, and a number of eight bytes for each.
        memory_mb = (templates.nbytes / 2 + 8 * size) / 1e6
        runs.append(run | {"build_seconds": build_seconds, "memory_mb": memory_mb, "recall_at_1": recall})
    return runs, summarise(runs)


def made_faces(count: int, searches: int) -> tuple[Vectors, Vectors]:
    """Return templates, shape (count, 128), and faces to look for, shape (searches, 128), of unit length."""
    random = np.random.default_rng(0)
    dimensions = FACE_EMBEDDER.dimensions
    # A few directions tell people apart more than the others do.
    scale = np.arange(1, dimensions + 1, dtype=np.float32) ** -0.35
    scale /= np.linalg.norm(scale)
    mean = random.standard_normal(dimensions).astype(np.float32)
    mean /= np.linalg.norm(mean)

    def around(centres: NDArray[np.float32], spread: float) -> NDArray[np.float32]:
        noise = random.standard_normal(centres.shape).astype(np.float32)
        return np.asarray(centres + spread * scale * noise, dtype=np.float32)

    people = around(np.tile(mean, (max(count // _TEMPLATES_PER_PERSON, 1), 1)), _PEOPLE_SPREAD)
    rows = np.arange(count) % len(people)
    templates = _of_length_one(around(people[rows], _PHOTO_SPREAD))
    asked = random.integers(0, len(people), searches)
    return templates, _of_length_one(around(people[asked], _PHOTO_SPREAD))


def plot_gallery(runs: list[dict[str, Any]]) -> Figure:
    """Draw search time against the number of templates."""
    figure = Figure(figsize=(6.4, 3.6))
    axes = figure.add_subplot()
    for kind, marker in (("exact", "o"), ("index", "s")):
        chosen = [run for run in runs if run["kind"] == kind]
        axes.plot(
            [run["templates"] for run in chosen],
            [run["search_ms_p50"] for run in chosen],
            marker=marker,
            label=kind,
        )
    axes.set(xscale="log", yscale="log", xlabel="templates", ylabel="one search, ms (median)")
    axes.legend()
    return figure


def save_gallery_plot(runs: list[dict[str, Any]]) -> Path:
    """Write the plot beside the measurement; returns its path."""
    return save_plot(plot_gallery(runs), "gallery")


def _search(
    index: VectorIndex, queries: Vectors, *, kind: str, size: int
) -> tuple[NDArray[np.int64], dict[str, Any]]:
    first = np.empty(len(queries), dtype=np.int64)
    took_ms, cpu_began = [], time.process_time()
    for row, query in enumerate(queries):
        began = time.perf_counter()
        first[row] = index.nearest(query, _LOOKED_AT)[0][0]
        took_ms.append((time.perf_counter() - began) * 1e3)
    cpu_ms = (time.process_time() - cpu_began) / len(queries) * 1e3
    run = {
        "kind": kind,
        "templates": size,
        "search_ms_p50": float(np.percentile(took_ms, 50)),
        "search_ms_p95": float(np.percentile(took_ms, 95)),
        "search_cpu_ms": cpu_ms,
    }
    return first, run


def summarise(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the largest gallery's figures through the index, and a row for each way and size."""
    rows = [
        {
            "templates": f"{run['templates']:,}",
            "search": run["kind"],
            "ms p50": run["search_ms_p50"],
            "CPU ms": run["search_cpu_ms"],
            "recall@1": run.get("recall_at_1"),
            "build seconds": run.get("build_seconds"),
            "MB": run["memory_mb"],
        }
        for run in runs
    ]
    largest = max((run for run in runs if run["kind"] == "index"), key=lambda run: run["templates"])
    return {
        "templates": largest["templates"],
        "index_search_ms_p50": largest["search_ms_p50"],
        "index_recall_at_1": largest["recall_at_1"],
        "index_build_seconds": largest["build_seconds"],
        "searches": rows,
    }


def _of_length_one(vectors: NDArray[np.float32]) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)
