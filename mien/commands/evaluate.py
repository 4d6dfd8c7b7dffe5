"""``mien evaluate NAME``: how well Mien does its work, on labelled data, beside its peers."""

from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mien.bench.numbers import render
from mien.bench.record import MEASUREMENTS, machine_facts, write_measurement
from mien.errors import MienError
from mien.evaluate.emotion.run import Options as EmotionEvaluation
from mien.evaluate.emotion.run import evaluate as evaluate_emotion
from mien.evaluate.enrolment import DRAWS, measure_enrolment
from mien.evaluate.identity.run import COST_ROUNDS, Options
from mien.evaluate.identity.run import evaluate as evaluate_identity
from mien.evaluate.people import STAGED, demo_people, staged_people
from mien.evaluate.searching import measure_searching
from mien.evaluate.tiredness import measure_tiredness
from mien.evaluate.tiredness_plot import save_tiredness_plot
from mien.evaluate.tracking import measure_tracking
from mien.evaluate.tracking_plot import save_tracking_plot

app = typer.Typer(no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """Measure how right Mien is, and write the figures down in docs/measurements."""


@app.command()
def identity(
    embedder: Annotated[
        list[str] | None,
        typer.Option(help="Only this embedder; may be given again. Without it: all there are."),
    ] = None,
    peers: Annotated[
        bool, typer.Option(help="Also run face_recognition and deepface; installed when first needed.")
    ] = True,
    rounds: Annotated[
        int, typer.Option(min=1, max=20, help="How often the cost of a face is measured.")
    ] = COST_ROUNDS,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/identity.json.")] = True,
) -> None:
    """Telling faces apart: LFW pairs, closed and open sets, other sets, cost; beside its peers."""
    console = Console()
    columns = (
        TextColumn("{task.description:28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    options = Options(embedders=tuple(embedder or ()), with_peers=peers, rounds=rounds)
    try:
        with Progress(*columns, console=console) as progress:
            runs, summary = evaluate_identity(options, progress)
    except MienError as error:
        _fail(f"identity was not evaluated. {error}")
    _report(console, "identity", runs, summary, save=save)


@app.command()
def emotion(
    version: Annotated[
        int | None, typer.Option(min=1, help="Of emotion_classifier; without it: the stable one.")
    ] = None,
    peers: Annotated[bool, typer.Option(help="Also run fer and human; installed when first needed.")] = True,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="How often the cost of a face is measured.")] = 3,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/emotion.json.")] = True,
) -> None:
    """Reading expressions: FER-2013, CK+, muxspace, YawDD on held-out people; beside its peers."""
    console = Console()
    options = EmotionEvaluation(version=version, with_peers=peers, rounds=rounds)
    try:
        with Progress(console=console) as progress:
            runs, summary = evaluate_emotion(options, progress)
    except MienError as error:
        _fail(f"emotion was not evaluated. {error}")
    _report(console, "emotion", runs, summary, save=save)


@app.command()
def enrolment(
    draws: Annotated[
        int, typer.Option(min=1, max=200, help="How often strays are planted, others each time.")
    ] = DRAWS,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/enrolment.json.")] = True,
) -> None:
    """Photos under the wrong name: how many are found, and how many right ones are set aside (LFW)."""
    console = Console()
    columns = (
        TextColumn("{task.description:22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=console) as progress:
            runs, summary = measure_enrolment(progress, draws=draws)
    except MienError as error:
        _fail(f"enrolment was not evaluated. {error}")
    _report(console, "enrolment", runs, summary, save=save)


@app.command()
def tracking(
    repeats: Annotated[
        int, typer.Option(min=1, max=20, help="How often each scene is played, with others in it each time.")
    ] = 2,
    demo_faces: Annotated[
        bool, typer.Option(help="Only the demo's portraits, also where the staged faces are at hand.")
    ] = False,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/tracking.json.")] = True,
) -> None:
    """Following faces: scenes of known truth at 2 to 15 frames a second, beside other trackers."""
    console = Console()
    try:
        people = [] if demo_faces else staged_people()
        if not people:
            people = demo_people()
            console.print(
                "Five portraits of the demo, and their mirror images, play all parts"
                + ("." if demo_faces else f": the faces of {STAGED} are not there, and scores will differ.")
            )
        with Progress(console=console) as progress:
            task = progress.add_task("Playing scenes", total=1.0)
            runs, summary = measure_tracking(
                people, repeats=repeats, advance=lambda share: progress.advance(task, share)
            )
    except MienError as error:
        _fail(f"tracking was not evaluated. {error}")
    if save:
        save_tracking_plot(summary)
    _report(console, "tracking", runs, summary, save=save)


@app.command()
def searching(
    seconds: Annotated[float, typer.Option(min=2, help="How much of each clip is looked at.")] = 8,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/searching.json.")] = True,
) -> None:
    """Looking where faces are expected instead of everywhere: what it saves, and what it misses."""
    console = Console()
    try:
        with Progress(console=console) as progress:
            task = progress.add_task("Looking at clips", total=1.0)
            runs, summary = measure_searching(
                seconds=seconds, advance=lambda share: progress.advance(task, share)
            )
    except MienError as error:
        _fail(f"searching was not evaluated. {error}")
    _report(console, "searching", runs, summary, save=save)


@app.command()
def tiredness(
    clips: Annotated[
        bool, typer.Option(help="Also follow faces through clips of drivers and talkers.")
    ] = True,
    save: Annotated[bool, typer.Option(help="Keep the figures in docs/measurements/tiredness.json.")] = True,
) -> None:
    """Signs of tiredness: closed eyes by the size of a face, yawns, and what each face costs."""
    console = Console()
    try:
        with Progress(console=console) as progress:
            task = progress.add_task("Looking at eyes and mouths", total=1.0)
            runs, summary = measure_tiredness(
                with_clips=clips, advance=lambda share: progress.advance(task, share)
            )
    except MienError as error:
        _fail(f"tiredness was not evaluated. {error}")
    if save:
        save_tiredness_plot(runs, summary)
    _report(console, "tiredness", runs, summary, save=save)


def _report(
    console: Console, name: str, runs: list[dict[str, Any]], summary: dict[str, Any], *, save: bool
) -> None:
    if save:
        path = write_measurement(name, runs=runs, summary=summary)
        console.print(
            f"Written to {path.relative_to(MEASUREMENTS.parents[1])}; `make numbers` updates the documents."
        )
    record = {"machine": machine_facts(), "when": "today", "runs": runs, "summary": summary}
    console.print(render(record), markup=False, soft_wrap=True)


def _fail(text: str) -> NoReturn:
    Console(stderr=True).print(f"error: {text}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(1)
