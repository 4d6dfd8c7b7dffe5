"""``mien bench NAME``: one command per measurement, anyone can run it."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from mien.bench.detect import DetectBench, measure_detect, pictures_in_all
from mien.bench.detect_plot import plot_detect
from mien.bench.live import LiveBench, measure_live
from mien.bench.numbers import render
from mien.bench.portraits import write_bench_clips
from mien.bench.record import MEASUREMENTS, machine_facts, write_measurement
from mien.bench.staged_faces import DATA

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
def detect(
    repeats: Annotated[int, typer.Option(min=1, max=50, help="Rounds that count, after one to warm up.")] = 5,
    lfw: Annotated[int, typer.Option(min=0, help="Photographs of LFW to find faces in, 4550 at most.")] = 500,
    quick: Annotated[bool, typer.Option(help="One round, 50 photographs.")] = False,
    save: Annotated[bool, typer.Option(help="Keep figures and plot in docs/measurements/detect.*.")] = True,
) -> None:
    """CPU time per frame of finding faces, and which are found, beside mtcnn, facenet-pytorch and OpenCV."""
    console = Console()
    if not DATA.is_dir():
        console.print(
            f"[bold yellow]No real faces in {DATA}: only what the demo's portraits can tell is measured, "
            "agreement and recall stay empty."
        )
    with tempfile.TemporaryDirectory(prefix="mien-bench-") as folder, Progress(console=console) as progress:
        bench = DetectBench(folder=Path(folder), rounds=1 if quick else repeats, lfw=50 if quick else lfw)
        task = progress.add_task("making pictures", total=pictures_in_all(bench))
        runs, summary = measure_detect(
            bench,
            lambda doing, looked_at: progress.update(task, description=doing or None, advance=looked_at),
        )
    if save:
        path = write_measurement("detect", runs=runs, summary=summary)
        plot_detect(summary["detectors"], summary["stages"])
        console.print(
            f"Written to {path.relative_to(MEASUREMENTS.parents[1])}; `make numbers` updates the README."
        )
    console.print(
        Markdown(render({"machine": machine_facts(), "when": "today", "runs": runs, "summary": summary}))
    )
