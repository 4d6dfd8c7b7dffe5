"""``mien evaluate NAME``: how well Mien does its work, on labelled data, beside its peers."""

from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mien.bench.numbers import render
from mien.bench.record import MEASUREMENTS, machine_facts, write_measurement
from mien.errors import MienError
from mien.evaluate.identity.run import COST_ROUNDS, Options
from mien.evaluate.identity.run import evaluate as evaluate_identity

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
    if save:
        path = write_measurement("identity", runs=runs, summary=summary)
        console.print(
            f"Written to {path.relative_to(MEASUREMENTS.parents[1])}; `make numbers` updates the README."
        )
    console.print(
        render({"machine": machine_facts(), "when": "today", "runs": runs, "summary": summary}),
        markup=False,
        soft_wrap=True,
    )


def _fail(text: str) -> NoReturn:
    Console(stderr=True).print(f"error: {text}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(1)
