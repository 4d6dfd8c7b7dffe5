"""`mien dataset`: from photos to faces that a network can be trained on."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from mien.commands.api import err, gateway, out
from mien.contracts.models import FACE_EMBEDDER, SERVED_EMBEDDERS
from mien.dataset.augment import views
from mien.dataset.contact_sheet import BLUE, Thumbnail, write_contact_sheets
from mien.dataset.gallery import fetch_gallery
from mien.dataset.manifest import REASONS, Dataset, aligned_path, read_dataset
from mien.dataset.prepare import PrepareOptions, prepare, restore, set_aside
from mien.dataset.report import summarise, write_report
from mien.dataset.selection import IfSeveral, Limits
from mien.dataset.split import PARTS, SPLIT, By, read_split, split_dataset, write_split
from mien.errors import MienError, SettingsError
from mien.runtime.embedders import find_model
from model_repo import repository

app = typer.Typer(help="From photos to faces that a network can be trained on.", no_args_is_help=True)

_MODELS = ", ".join(model.name for model in SERVED_EMBEDDERS)
Data = Annotated[Path, typer.Argument(help="Folder of the data set.", file_okay=False)]
FaceIds = Annotated[list[str], typer.Argument(help="PERSON/NAME, as the report calls it.")]


@app.command("fetch")
def fetch_command(
    photos: Annotated[Path, typer.Argument(help="New folder for the photos.", file_okay=False)],
) -> None:
    """Copy the photos of everybody enrolled in the running Mien, one folder for each person."""
    with told(), gateway() as api, _bar("Copying photos") as show:
        count = fetch_gallery(api, photos, on_photo=show)
    _say(f"{count} photos are in {photos}; next: mien dataset prepare {photos} DATA")


@app.command("prepare")
def prepare_command(
    photos: Annotated[
        Path,
        typer.Argument(
            help="Photos named First_Last-emotion-N.jpg, or a folder of photos for each person.",
            file_okay=False,
        ),
    ],
    data: Annotated[Path, typer.Argument(help="New folder for the data set.", file_okay=False)],
    embedders: Annotated[
        list[str], typer.Option("--for", help=f"Embedders to align faces for: {_MODELS}, or imported ones.")
    ] = [FACE_EMBEDDER.name],  # noqa: B006 - Typer copies it
    if_several: Annotated[
        IfSeveral, typer.Option(help="Which face counts where several are of about one size.")
    ] = "set-aside",
    min_face_px: Annotated[int, typer.Option(min=20, help="Smallest face that is looked for.")] = 40,
    min_eye_distance_px: Annotated[
        float, typer.Option(min=0, help="Faces with less between the eyes are set aside.")
    ] = Limits.min_eye_distance_px,
    min_sharpness: Annotated[
        float, typer.Option(min=0, help="Faces with a smaller variance of the Laplacian are set aside.")
    ] = Limits.min_sharpness,
    root: Annotated[
        Path, typer.Option(help="Model repository, for imported embedders.", file_okay=False)
    ] = repository.ROOT,
) -> None:
    """Find, cut out and align the face of every photo; what can't be used is set aside with its reason.

    The photos are only read. Look at report.html afterwards.
    """
    for embedder in embedders:
        try:
            find_model(embedder, version=1, model_repo=root)
        except SettingsError as error:
            raise typer.BadParameter(str(error), param_hint="--for") from error
    options = PrepareOptions(
        embedders=tuple(dict.fromkeys(embedders)),
        min_face_px=min_face_px,
        limits=Limits(min_eye_distance_px, min_sharpness, if_several),
        model_repo=root,
    )
    with told():
        with _bar("Finding faces") as show:
            dataset = prepare(photos, data, options, on_photo=show)
        page = write_report(dataset, data)
    _show(dataset)
    _say(f"Report: {page}\nNext: mien dataset split {data}")


@app.command()
def show(data: Data) -> None:
    """Show what a data set holds, and every photo that was set aside."""
    with told():
        dataset = read_dataset(data)
    _show(dataset)
    aside = [face for face in dataset.faces if face.reason]
    table = Table("called", "reason", "explanation", box=None, pad_edge=False)
    for face in aside:
        table.add_row(face.face_id, REASONS[face.reason or "by_hand"], face.explanation)
    if aside:
        out.print(table)


@app.command("set-aside")
def set_aside_command(data: Data, face_ids: FaceIds) -> None:
    """Take faces out of use; `mien dataset restore` brings them back."""
    with told():
        write_report(set_aside(read_dataset(data), data, face_ids), data)
    _say(f"set aside: {len(face_ids)}. {_split_again(data)}".rstrip())


@app.command("restore")
def restore_command(data: Data, face_ids: FaceIds) -> None:
    """Use faces that were set aside, by us or by hand."""
    with told():
        write_report(restore(read_dataset(data), data, face_ids), data)
    _say(f"used again: {len(face_ids)}. {_split_again(data)}".rstrip())


@app.command()
def split(
    data: Data,
    by: Annotated[
        By,
        typer.Option(help="photo: every person in every part. person: nobody in two parts."),
    ] = "photo",
    validation: Annotated[float, typer.Option(help="Share to choose the best network by.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share that is only measured with.")] = 0.25,
    seed: Annotated[int, typer.Option(min=0, help="The same seed splits the same way.")] = 1,
    min_photos: Annotated[int, typer.Option(min=3, help="By photo, people with fewer are left out.")] = 3,
) -> None:
    """Divide the faces into training, validation and test; near-duplicates stay together."""
    with told():
        dataset = read_dataset(data)
        made = split_dataset(
            dataset, by=by, validation=validation, test=test, seed=seed, min_photos=min_photos
        )
        write_split(made, data)
    for part in PARTS:
        ids = made.part(part)
        people = len({face_id.split("/")[0] for face_id in ids})
        _say(f"{part}: {len(ids)} faces of {people} people")
    if made.left_out:
        names = ", ".join(f"{dataset.people[key].name} ({n})" for key, n in made.left_out.items())
        err.print(f"left out, too few photos: {names}", highlight=False)


@app.command()
def augment(
    data: Data,
    copies: Annotated[int, typer.Option(min=1, max=200, help="New views of each face.")] = 8,
    embedder: Annotated[str | None, typer.Option(help="Whose aligned faces; the first by default.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same views.")] = 1,
) -> None:
    """Write mirrored, turned, zoomed and shifted views of the training faces into augmented/.

    To look at, or for other programs: `mien train` makes its own views as it goes. Validation and test faces
    are never varied.
    """
    with told():
        dataset = read_dataset(data)
        chosen = embedder or dataset.aligned_for[0]
        if chosen not in dataset.aligned_for:
            raise typer.BadParameter(
                f"{chosen}: expected one of {', '.join(dataset.aligned_for)}", param_hint="--embedder"
            )
        wanted = set(read_split(data, dataset).train)
        faces = [face for face in dataset.used() if face.face_id in wanted]
        thumbnails = []
        with _bar("Varying faces") as show_progress:
            for number, face in enumerate(faces, start=1):
                picture = cv2.imread(str(aligned_path(data, face, chosen)))
                if picture is None:
                    raise MienError(f"{aligned_path(data, face, chosen)}: the picture is gone; prepare again")
                folder = data / "augmented" / chosen / face.person
                folder.mkdir(parents=True, exist_ok=True)
                for index, view in enumerate(views(picture, copies=copies, seed=(seed, number))[1:], start=1):
                    path = folder / f"{face.name}-view-{index}.png"
                    cv2.imwrite(str(path), view)
                    thumbnails.append(Thumbnail(path, dataset.people[face.person].name, f"{index}", BLUE))
                show_progress(number, len(faces))
        sheets = write_contact_sheets(data, "augmented-sheet", thumbnails)
    _say(f"{len(thumbnails)} views are in {data / 'augmented' / chosen}; look at {sheets[0]}")


@contextmanager
def told() -> Iterator[None]:
    """Tell what goes wrong in words and end with 1."""
    try:
        yield
    except (MienError, OSError) as error:
        err.print(f"[red]error:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


@contextmanager
def _bar(title: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _show(dataset: Dataset) -> None:
    summary = summarise(dataset)
    _say(f"{summary['used']} of {summary['photos']} photos are used, of {summary['people']} people")
    reasons = Counter(summary["set_aside"])
    if reasons:
        _say("set aside: " + ", ".join(f"{REASONS[reason]} {count}" for reason, count in reasons.items()))
    if summary["people_without_a_face"]:
        err.print(f"no face is left of {', '.join(summary['people_without_a_face'])}", highlight=False)


def _split_again(data: Path) -> str:
    return f"Split again: mien dataset split {data}" if (data / SPLIT).exists() else ""


def _say(text: str) -> None:
    out.print(text, highlight=False, markup=False, soft_wrap=True)
