"""``mien bench NAME``: one command per measurement, anyone can run it."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import Progress

from mien.bench.detect import DetectBench, measure_detect, pictures_in_all
from mien.bench.detect_plot import plot_detect
from mien.bench.detector_plot import plot_detector_scale
from mien.bench.detector_scale import DetectorScaleBench, measure_detector_scale, rows_of, step_table
from mien.bench.gallery import GalleryBench, measure_gallery, save_gallery_plot
from mien.bench.ingest import PARTS, IngestBench, measure_ingest
from mien.bench.live import LiveBench, measure_live
from mien.bench.numbers import render
from mien.bench.portraits import write_bench_clips
from mien.bench.record import machine_facts, write_measurement
from mien.bench.spending import SpendingBench, measure_spending
from mien.bench.spending_videos import VIDEOS, choose_videos
from mien.bench.staged_faces import DATA
from mien.errors import MienError
from mien.local.demo_video import build_demo
from mien.local.kafka import REPOSITORY, KafkaUnavailableError
from mien.local.redis_server import RedisUnavailableError
from mien.local.supervisor import StartError

app = typer.Typer(no_args_is_help=True)

_MOST_DROPPED_SHARE: Final = 0.05
_FAILURES: Final = (
    httpx.HTTPError,
    KafkaUnavailableError,
    MienError,
    RedisUnavailableError,
    RuntimeError,
    StartError,
)


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
    with workplace(console) as folder:
        console.print(f"Making {cameras} clips with two faces each …")
        clips = write_bench_clips(folder, cameras)
        console.print(f"Starting the stack, then looking {repeats} times for {seconds:.0f} s …")
        bench = LiveBench(clips=clips, home=folder / "home", seconds=seconds, runs=repeats)
        runs, summary = asyncio.run(measure_live(bench))
    _report(console, "live", runs, summary, save=save)


@app.command()
def spending(
    seconds: Annotated[float, typer.Option(min=5, help="How long each camera is looked at, both ways.")] = 30,
    cameras_at_once: Annotated[
        int, typer.Option(min=1, max=24, help="As many as this machine looks at without dropping frames.")
    ] = 6,
    quick: Annotated[bool, typer.Option(help="The demo's cameras alone.")] = False,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/spending.json.")] = True,
) -> None:
    """Faces embedded, against embedding every face of every frame, and whether the names are the same."""
    console = Console()
    build_demo()
    videos, people = choose_videos(demo_only=quick)
    if not quick and not VIDEOS.is_dir():
        console.print(f"[yellow]The staged videos are missing in {VIDEOS}: only the demo's are played.")
    with workplace(console) as folder, Progress(console=console) as progress:
        bench = SpendingBench(
            folder=folder,
            videos=videos,
            people=people,
            seconds=seconds,
            cameras_at_once=cameras_at_once,
        )
        task = progress.add_task(f"{len(videos)} cameras", total=bench.seconds_in_all)
        runs, summary = asyncio.run(
            measure_spending(
                bench, lambda doing, part: progress.update(task, description=doing, advance=part)
            )
        )
    if (share := summary["frames_dropped_share_every_frame"]) > _MOST_DROPPED_SHARE:
        console.print(
            f"[yellow]This machine was too slow or too busy to embed every face: {share:.0%} of the frames "
            "were dropped, so the ratio is too small. Try fewer --cameras-at-once."
        )
    _report(console, "spending", runs, summary, save=save)


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
    with workplace(console) as folder, Progress(console=console) as progress:
        bench = DetectBench(folder=folder, rounds=1 if quick else repeats, lfw=50 if quick else lfw)
        task = progress.add_task("making pictures", total=pictures_in_all(bench))
        runs, summary = measure_detect(
            bench,
            lambda doing, looked_at: progress.update(task, description=doing or None, advance=looked_at),
        )
    if save:
        console.print(
            f"Plotted in {plot_detect(summary['detectors'], summary['stages']).relative_to(REPOSITORY)}."
        )
    _report(console, "detect", runs, summary, save=save)


@app.command("detector-scale")
def detector_scale(
    seconds: Annotated[float, typer.Option(min=3, help="How long each load is looked at.")] = 8,
    repeats: Annotated[int, typer.Option(min=1, max=20, help="Rounds through all loads.")] = 2,
    quick: Annotated[bool, typer.Option(help="One short round.")] = False,
    save: Annotated[
        bool, typer.Option(help="Keep figures and plot in docs/measurements/detector_scale.*.")
    ] = True,
) -> None:
    """What cameras and faces cost one detector, and whom it serves when it has too many."""
    console = Console()
    if quick:
        seconds, repeats = 4, 1
    with workplace(console) as folder, Progress(console=console) as progress:
        bench = DetectorScaleBench(folder=folder, seconds=seconds, runs=repeats)
        task = progress.add_task("", total=bench.steps)
        runs, summary = asyncio.run(
            measure_detector_scale(
                bench, lambda doing, part: progress.update(task, description=doing, advance=part)
            )
        )
    console.print(step_table(rows_of(runs)))
    if summary["linear_fit_r2_cameras"] is None:
        console.print("[yellow]Frames were dropped too soon for a line: is the machine busy with other work?")
    if save:
        console.print(f"Plotted in {plot_detector_scale(rows_of(runs)).relative_to(REPOSITORY)}.")
    _report(console, "detector_scale", runs, summary, save=save)


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
        console.print(f"Plotted in {save_gallery_plot(runs).relative_to(REPOSITORY)}.")
    _report(console, "gallery", runs, summary, save=save)


@app.command()
def ingest(
    minutes: Annotated[float, typer.Option(min=0.2, help="How long 64 cameras are watched.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Readings of each kind by each reader.")] = 3,
    replicas: Annotated[int, typer.Option(min=1, max=16, help="Processes of ingest for the 64.")] = 1,
    part: Annotated[
        list[str] | None, typer.Option(help="Of cost, drift, soak and shed; all when not said.")
    ] = None,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/ingest.json.")] = True,
) -> None:
    """Cameras per core beside OpenCV and ffmpeg, 64 cameras for minutes, and what too many do."""
    console = Console()
    parts = [name for name in PARTS if part is None or name in part]
    if part and set(part) - set(PARTS):
        raise typer.BadParameter(f"expected of {', '.join(PARTS)}, got {', '.join(part)}")
    with workplace(console) as folder, Progress(console=console) as progress:
        bench = IngestBench(folder=folder, parts=parts, minutes=minutes, rounds=rounds, replicas=replicas)
        task = progress.add_task("ingest", total=bench.seconds_in_all)
        runs, summary = asyncio.run(
            measure_ingest(bench, lambda doing, part: progress.update(task, description=doing, advance=part))
        )
    if parts != list(PARTS):
        save = False
        console.print("[yellow]Only parts were measured: nothing is written down.")
    _report(console, "ingest", runs, summary, save=save)


@contextmanager
def workplace(console: Console) -> Iterator[Path]:
    """Yield a folder that is removed afterwards, unless something failed: its logs say what."""
    folder = Path(tempfile.mkdtemp(prefix="mien-bench-"))
    kept = False
    try:
        yield folder
    except Exception as error:
        kept = True
        console.print(f"The data and logs of the failed run are kept in {folder}.", highlight=False)
        if not isinstance(error, _FAILURES):
            raise
        console.print(f"[red]Nothing was measured:[/] {error}", highlight=False)
        raise typer.Exit(1) from None
    finally:
        if not kept:
            shutil.rmtree(folder)


def _report(
    console: Console, name: str, runs: list[dict[str, Any]], summary: dict[str, Any], *, save: bool
) -> None:
    if save:
        path = write_measurement(name, runs=runs, summary=summary)
        console.print(f"Written to {path.relative_to(REPOSITORY)}; `make numbers` updates the documents.")
    record = {"machine": machine_facts(), "when": "today", "runs": runs, "summary": summary}
    console.print(Markdown(render(record)))
