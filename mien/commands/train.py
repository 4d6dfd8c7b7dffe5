"""`mien train`: networks of your own, as jobs that can be watched, stopped and gone on with."""

import shutil
from pathlib import Path
from typing import Annotated, Literal

import httpx
import msgspec
import typer
from rich.table import Table

from mien.commands.api import err, gateway, out
from mien.commands.dataset import told
from mien.contracts.models import FACE_EMBEDDER, SERVED_EMBEDDERS
from mien.dataset.gallery import fetch_gallery, person_ids, person_ids_by_name
from mien.dataset.manifest import read_dataset
from mien.dataset.prepare import PrepareOptions, prepare
from mien.dataset.selection import Limits
from mien.dataset.split import SPLIT, read_split, split_dataset, write_split
from mien.errors import PermanentError, SettingsError
from mien.local.home import Home, NotRunningError
from mien.runtime.embedders import find_model
from mien.runtime.jobs import cancel_job, delete_job, list_jobs, read_job, read_result, write_people
from mien.training.emotion_data import EmotionOptions
from mien.training.emotion_recipe import read_faces
from mien.training.identity_data import IdentityOptions
from mien.training.job import Job, JobCancelledError, Tell
from model_repo import repository

app = typer.Typer(help="Train networks of your own, and look at the jobs.", no_args_is_help=True)

_KIND = "identity"
_MODELS = ", ".join(model.name for model in SERVED_EMBEDDERS)
JobId = Annotated[str, typer.Argument(help="Identifier, as in mien train jobs.")]
HomeOption = Annotated[Path | None, typer.Option("--home", help="Data folder (default: ~/.mien).")]


@app.command()
def identity(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    data: Annotated[
        Path | None, typer.Argument(help="Data set with its split, see mien dataset.", file_okay=False)
    ] = None,
    from_gallery: Annotated[
        bool, typer.Option("--gallery", help="Train on the photos of everybody enrolled instead.")
    ] = False,
    match_names: Annotated[
        bool, typer.Option("--match-names", help="Take people for those enrolled under the same name.")
    ] = False,
    embedder: Annotated[
        str, typer.Option(help=f"Whose vectors it is trained on: {_MODELS}, or an imported one.")
    ] = FACE_EMBEDDER.name,
    embedder_version: Annotated[int, typer.Option(min=1, help="Version of the embedder.")] = 1,
    copies: Annotated[int, typer.Option(min=0, max=200, help="New views of each training face.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Most epochs.")] = 200,
    patience: Annotated[
        int, typer.Option(min=1, help="Stop after so many epochs without a better network.")
    ] = 15,
    batch_size: Annotated[int, typer.Option(min=1, max=4096, help="Faces of one step.")] = 64,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=1, help="Of Adam.")] = 1e-3,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same network.")] = 1,
    open_set_folds: Annotated[
        int, typer.Option(min=0, max=20, help="Groups of people held out by turns; 0 leaves that out.")
    ] = 3,
    publish: Annotated[bool, typer.Option(help="Make it a version of the model.")] = True,
    resume: Annotated[str | None, typer.Option(help="Go on with this job, with its own options.")] = None,
    home: HomeOption = None,
    root: Annotated[Path, typer.Option(help="Model repository.", file_okay=False)] = repository.ROOT,
) -> None:
    """Train the identity classifier, report on it, and publish it as the next version.

    Ctrl-C stops it and leaves no half version; `--resume JOB` goes on where it was. The first version answers
    at once (stable), later ones are tried first (canary): see mien models promote and rollback.
    """
    if sum((data is not None, from_gallery, resume is not None)) != 1:
        raise typer.BadParameter("expected one of DATA, --gallery and --resume")
    try:
        find_model(embedder, version=embedder_version, model_repo=root)
    except SettingsError as error:
        raise typer.BadParameter(str(error), param_hint="--embedder") from error
    place = Home.locate(home)
    with told():
        if resume:
            asked = read_job(place.jobs / resume).options
            # Whoever asked for it on the dashboard doesn't know where this machine has its models.
            options = msgspec.convert({"model_repo": str(root.resolve()), **asked}, IdentityOptions)
        else:
            if data is not None:
                read_split(data, read_dataset(data))  # before there is a job that fails
            options = IdentityOptions(
                data="" if data is None else str(data.resolve()),
                model_repo=str(root.resolve()),
                embedder=embedder,
                embedder_version=embedder_version,
                copies=copies,
                seed=seed,
                epochs=epochs,
                patience=patience,
                batch_size=batch_size,
                learning_rate=learning_rate,
                open_set_folds=open_set_folds,
                person_ids=_match_names(data) if match_names and data else {},
                publish=publish,
            )
        _run(place, options, resume)


@app.command()
def emotion(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders (LABEL/*.jpg or First_Last-emotion-N.jpg) and tables (path, label, person)."
        ),
    ] = None,
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
    resume: Annotated[str | None, typer.Option(help="Go on with this job, with its own options.")] = None,
    home: HomeOption = None,
    root: Annotated[Path, typer.Option(help="Model repository.", file_okay=False)] = repository.ROOT,
) -> None:
    """Train an emotion network, report on it, and publish it as the next version.

    Nobody is trained on and measured on: a split that has somebody in two parts is refused. The new version
    is the canary until `mien models promote emotion_classifier`; `rollback` undoes that.
    """
    if sum((bool(data), recipe is not None, resume is not None)) != 1:
        raise typer.BadParameter("expected one of DATA, --recipe and --resume")
    place = Home.locate(home)
    with told():
        if resume:
            asked = read_job(place.jobs / resume).options
            options = msgspec.convert({"model_repo": str(root.resolve()), **asked}, EmotionOptions)
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
            read_faces(options)  # before there is a job that fails
        _run_emotion(place, options, resume)


@app.command("jobs")
def jobs_command(home: HomeOption = None) -> None:
    """List all jobs, the last started first."""
    folder = Home.locate(home).jobs
    records = list_jobs(folder)
    if not records:
        out.print(
            "No job yet. Start one: mien train identity DATA, or mien train emotion DATA", highlight=False
        )
        return
    table = Table("job", "started", "state", "held-out accuracy", "version", box=None, pad_edge=False)
    for record in records:
        result = read_result(folder / record.job_id) or {}
        accuracy = f"{result['test']['accuracy']:.1%}" if result else ""
        version = str(result.get("version") or "")
        table.add_row(
            record.job_id, record.started_at[:16].replace("T", " "), record.state, accuracy, version
        )
    out.print(table)


@app.command()
def show(job_id: JobId, home: HomeOption = None) -> None:
    """Show a job: its state, what it was asked for, and where its report lies."""
    folder = Home.locate(home).jobs / job_id
    with told():
        record = read_job(folder)
    out.print_json(msgspec.json.encode(record).decode())
    page = folder / "report.html"
    if page.is_file():
        out.print(f"Report: {page}", highlight=False, soft_wrap=True)


@app.command()
def cancel(job_id: JobId, home: HomeOption = None) -> None:
    """Stop a running job; `--resume` goes on with it."""
    with told():
        cancel_job(Home.locate(home).jobs / job_id)
    out.print(f"{job_id} was asked to stop", highlight=False)


@app.command()
def forget(job_id: JobId, home: HomeOption = None) -> None:
    """Delete a job with its report and pictures; a version that it published stays."""
    folder = Home.locate(home).jobs / job_id
    with told():
        delete_job(folder)
    out.print(f"{job_id} is deleted", highlight=False)


def _run(home: Home, options: IdentityOptions, resume: str | None) -> None:
    # Seconds of imports that the other commands do without.
    from mien.training.display import JobDisplay  # noqa: PLC0415
    from mien.training.identity import train_identity  # noqa: PLC0415

    try:
        with (
            Job.start(home.jobs, _KIND, msgspec.to_builtins(options), resume=resume) as job,
            JobDisplay(err) as display,
        ):

            def tell(step: str, done: int, total: int, **figures: float | str) -> None:
                job.tell(step, done, total, **figures)
                display.tell(step, done, total, **figures)

            from_gallery = not options.data
            if from_gallery:
                options = _prepare_gallery(home, job, options, tell)
            result = train_identity(options, job, tell)
            if from_gallery:  # whoever is forgotten in Mien must not live on in copies
                for name in ("photos", "data", "vectors"):
                    shutil.rmtree(job.folder / name)
    except JobCancelledError as error:
        job_id = str(error).split(" ", maxsplit=1)[0]
        err.print(f"{error}; go on with it: mien train identity --resume {job_id}", highlight=False)
        raise typer.Exit(130) from None
    test = result["test"]
    out.print(f"{test['accuracy']:.1%} of {test['faces']} held-out faces are named rightly", highlight=False)
    for what, names in (
        ("left out, too few photos", result["data"]["left_out"]),
        ("not enrolled, so never named by Mien", result["people_without_id"]),
    ):
        if names:
            err.print(f"{what}: {', '.join(names)}", highlight=False)
    if result["version"]:
        out.print(f"identity_classifier version {result['version']} is {result['label']}", highlight=False)
    out.print(f"Report: {job.folder / 'report.html'}", highlight=False, soft_wrap=True)


def _run_emotion(home: Home, options: EmotionOptions, resume: str | None) -> None:
    from mien.training.display import JobDisplay  # noqa: PLC0415
    from mien.training.emotion import train_emotion  # noqa: PLC0415

    try:
        with (
            Job.start(home.jobs, "emotion", msgspec.to_builtins(options), resume=resume) as job,
            JobDisplay(err) as display,
        ):

            def tell(step: str, done: int, total: int, **figures: float | str) -> None:
                job.tell(step, done, total, **figures)
                display.tell(step, done, total, **figures)

            result = train_emotion(options, job, tell)
    except JobCancelledError as error:
        job_id = str(error).split(" ", maxsplit=1)[0]
        err.print(f"{error}; go on with it: mien train emotion --resume {job_id}", highlight=False)
        raise typer.Exit(130) from None
    test, point = result["test"], result["operating_point"]
    out.print(
        f"{test['accuracy']:.1%} of {test['faces']} faces of held-out people are read rightly; "
        f"{point['accuracy']:.1%} of the {point['coverage']:.0%} that are answered",
        highlight=False,
    )
    if result["data"]["without_person"]:
        err.print(
            f"{result['data']['without_person']} pictures don't say whose they are: each counts as a person "
            "of its own",
            highlight=False,
        )
    if result["version"]:
        out.print(f"emotion_classifier version {result['version']} is {result['label']}", highlight=False)
    out.print(f"Report: {job.folder / 'report.html'}", highlight=False, soft_wrap=True)


def _prepare_gallery(home: Home, job: Job, options: IdentityOptions, tell: Tell) -> IdentityOptions:
    """Make a data set of the enrolled photos in the job's folder, unless a run before has."""
    photos, folder = job.folder / "photos", job.folder / "data"
    if not (folder / SPLIT).exists():
        for half_done in (photos, folder):
            shutil.rmtree(half_done, ignore_errors=True)
        try:
            with home.open_api() as api:
                write_people(job.folder, person_ids(api))
                fetch_gallery(api, photos, on_photo=lambda done, total: tell("photos", done, total))
        except (httpx.HTTPError, NotRunningError) as error:
            raise PermanentError(f"the enrolled photos can't be had: {error}") from error
        # Every photo was accepted at enrolment, where the largest face counted.
        prepared = PrepareOptions(
            embedders=(options.embedder,),
            limits=Limits(if_several="largest"),
            model_repo=Path(options.model_repo),
        )
        dataset = prepare(photos, folder, prepared, on_photo=lambda done, total: tell("faces", done, total))
        split = split_dataset(dataset, by="photo", validation=0.2, test=0.2, seed=options.seed)
        write_split(split, folder)
    return msgspec.structs.replace(options, data=str(folder))


def _match_names(data: Path) -> dict[str, str]:
    people = read_dataset(data).people
    with gateway() as api:
        ids = person_ids_by_name(api)
    matched = {key: ids[person.name] for key, person in people.items() if person.name in ids}
    if unmatched := [person.name for key, person in people.items() if key not in matched]:
        err.print(f"nobody is enrolled under the name of {', '.join(unmatched)}", highlight=False)
    return matched
