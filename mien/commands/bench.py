"""``mien bench NAME``: one command per measurement, anyone can run it."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from mien.bench.gallery import GalleryBench, measure_gallery, save_gallery_plot
from mien.bench.live import LiveBench, measure_live
from mien.bench.numbers import render
from mien.bench.portraits import write_bench_clips
from mien.bench.record import MEASUREMENTS, machine_facts, write_measurement

app = typer.Typer(no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure, and write the figures down in docs/measurements."""


@app.command()
def live(
    cameras: Annotated[int, typer.Option(min=1, max=16, help="Simulated cameras, 640x360 at 15 fps.")] = 4,
    seconds: Annotated[float, typer.Option(min=5, help="How long one run looks, after warming up.")] = 30,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Runs; the figures are their medians.")] = 3,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/live.json.")] = True,
) -> None:
    """Latency from camera to screen, frames per second and CPU, with the whole stack and a real browser."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder:
        console.print(f"Making {cameras} clips with two faces each …")
        clips = write_bench_clips(Path(folder), cameras)
        console.print(f"Starting the stack, then looking {repeats} times for {seconds:.0f} s …")
        bench = LiveBench(clips=clips, home=Path(folder) / "home", seconds=seconds, runs=repeats)
        runs, summary = asyncio.run(measure_live(bench))
    if save:
        path = write_measurement("live", runs=runs, summary=summary)
        console.print(
            f"Written to {path.relative_to(MEASUREMENTS.parents[1])}; `make numbers` updates the README."
        )
    console.print(render({"machine": machine_facts(), "when": "today", "runs": runs, "summary": summary}))


@app.command()
def gallery(
    quick: Annotated[bool, typer.Option("--quick", help="Up to 100,000 templates only.")] = False,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/gallery.json.")] = True,
) -> None:
    """Searching a gallery of a thousand to a million templates: exactly, and through the index."""
    console = Console()
    bench = GalleryBench(sizes=(1_000, 10_000, 100_000)) if quick else GalleryBench()
    console.print(f"Searching galleries of {', '.join(f'{size:,}' for size in bench.sizes)} templates …")
    runs, summary = measure_gallery(bench)
    if save:
        path = write_measurement("gallery", runs=runs, summary=summary)
        save_gallery_plot(runs)
        console.print(f"Written to {path.relative_to(MEASUREMENTS.parents[1])}.")
    console.print(render({"machine": machine_facts(), "when": "today", "runs": runs, "summary": summary}))
