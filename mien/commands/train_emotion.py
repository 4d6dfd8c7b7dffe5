"""`mien train emotion`: a network that reads expressions, from pictures or what the coach collected."""

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import httpx
import msgspec
import typer

from mien.commands.api import err, out
from mien.commands.dataset import told
from mien.commands.training_job import ROOT, HomeOption, Resume, Root, fetch_photos, options_of, run_job
from mien.dataset.gallery import LABELS_FILE, fetch_expressions, person_ids
from mien.errors import PermanentError
from mien.local.home import Home
from mien.runtime.jobs import write_people
from mien.training.emotion_data import EmotionOptions, in_words
from mien.training.emotion_recipe import read_faces
from mien.training.job import Job, Tell

_KIND: Final = "emotion"
_MOST_NAMED: Final = 5


def emotion(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders (LABEL/*.jpg or First_Last-emotion-N.jpg) and tables (path, label, person, split)."
        ),
    ] = None,
    from_gallery: Annotated[
        bool,
        typer.Option("--gallery", help="Train on what the enrolment coach collected in the running Mien."),
    ] = False,
    recipe: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the public sets that the shipped network is trained on.", file_okay=False
        ),
    ] = None,
    network: Annotated[
        Literal["strong", "student"],
        typer.Option(help="A head on carried networks, or 4 million parameters."),
    ] = "strong",
    copies: Annotated[int, typer.Option(min=0, max=50, help="New views of each face (strong).")] = 1,
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Most epochs.")] = 60,
    patience: Annotated[
        int, typer.Option(min=1, help="Stop after so many epochs without a better network.")
    ] = 12,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="Faces of one step.")] = 64,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=1, help="Of Adam.")] = 1e-3,
    most_per_label: Annotated[
        int, typer.Option(min=0, help="Train on so many faces of each label at most; 0: on all.")
    ] = 0,
    validation: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the people to choose the best network by.")
    ] = 0.15,
    test: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the people for the figures of the report.")
    ] = 0.15,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same network.")] = 1,
    publish: Annotated[bool, typer.Option(help="Make it a version of the model.")] = True,
    resume: Resume = None,
    home: HomeOption = None,
    root: Root = ROOT,
) -> None:
    """Train an emotion network, report on it, and publish it as the next version.

    Ctrl-C stops it and leaves no half version; `--resume JOB` goes on where it was. Nobody is trained on and
    measured on: a split that has somebody in two parts is refused. The new version is the canary until
    `mien models promote emotion_classifier`; `rollback` undoes that.
    """
    if sum((bool(data), from_gallery, recipe is not None, resume is not None)) != 1:
        raise typer.BadParameter("expected one of DATA, --gallery, --recipe and --resume")
    place = Home.locate(home)
    with told():
        if resume:
            options = options_of(place, _KIND, resume, root, EmotionOptions)
        else:
            options = EmotionOptions(
                data=[str(path.resolve()) for path in data or ()],
                recipe="" if recipe is None else str(recipe.resolve()),
                model_repo=str(root.resolve()),
                network=network,
                copies=copies,
                epochs=epochs,
                patience=patience,
                batch_size=batch_size,
                learning_rate=learning_rate,
                most_per_label=most_per_label,
                validation=validation,
                test=test,
                seed=seed,
                publish=publish,
            )
            if not from_gallery:
                read_faces(options)  # before there is a job that fails
        _run(place, options, resume)


def _run(home: Home, options: EmotionOptions, resume: str | None) -> None:
    from mien.training.emotion import train_emotion  # noqa: PLC0415 - seconds of imports

    def work(job: Job, tell: Tell) -> dict[str, Any]:
        if options.data or options.recipe:
            return train_emotion(options, job, tell)
        result = train_emotion(_fetch_expressions(home, job, options, tell), job, tell)
        # Whoever is forgotten in Mien must not live on in copies; a student makes no features.
        for name in ("photos", "faces", "features"):
            shutil.rmtree(job.folder / name, ignore_errors=True)
        return result

    folder, result = run_job(home, _KIND, options, resume, work)
    _say_result(result)
    out.print(f"Report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


def _fetch_expressions(home: Home, job: Job, options: EmotionOptions, tell: Tell) -> EmotionOptions:
    """Copy the photos whose expression is known into the job's folder, unless a run before has."""
    photos = job.folder / "photos"
    if not (photos / LABELS_FILE).exists():
        shutil.rmtree(photos, ignore_errors=True)

        def fetch(api: httpx.Client) -> None:
            write_people(job.folder, person_ids(api))
            if not fetch_expressions(api, photos, on_photo=partial(tell, "photos")):
                raise PermanentError(
                    "no photograph's expression is known: enrol people at the webcam first, where the coach "
                    "asks for five expressions"
                )

        fetch_photos(home, fetch)
    return msgspec.structs.replace(options, data=[str(photos)])


def _say_result(result: dict[str, Any]) -> None:
    test, point, data = result["test"], result["operating_point"], result["data"]
    answered = (
        f"{point['accuracy']:.1%} of the {point['coverage']:.0%} that are answered"
        if point["coverage"]
        else "it is sure enough of none to answer"
    )
    out.print(
        f"{test['accuracy']:.1%} of {test['faces']} faces of held-out people are read rightly; {answered}",
        highlight=False,
    )
    if data["left_out"]:
        err.print(f"left out for their label: {in_words(data['left_out'])}", highlight=False)
    for why, paths in (("can't be read", data["unreadable"]), ("without a face", data["without_face"])):
        if paths:
            named = ", ".join(paths[:_MOST_NAMED]) + (", …" if len(paths) > _MOST_NAMED else "")
            err.print(f"left out, {why}: {len(paths)} ({named})", highlight=False, soft_wrap=True)
    if data["without_person"]:
        err.print(
            f"{data['without_person']} pictures don't say whose they are: each counts as a person of its own",
            highlight=False,
        )
    if result["version"]:
        out.print(f"emotion_classifier version {result['version']} is {result['label']}", highlight=False)
