"""`mien train identity`: the identity classifier, from a data set or from everybody enrolled."""

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer

from mien.commands.api import err, gateway, out
from mien.commands.dataset import told
from mien.commands.training_job import ROOT, HomeOption, Resume, Root, fetch_photos, options_of, run_job
from mien.contracts.models import FACE_EMBEDDER, SERVED_EMBEDDERS
from mien.dataset.gallery import fetch_gallery, person_ids, person_ids_by_name
from mien.dataset.manifest import read_dataset
from mien.dataset.prepare import PrepareOptions, prepare
from mien.dataset.selection import Limits
from mien.dataset.split import SPLIT, read_split, split_dataset, write_split
from mien.errors import SettingsError
from mien.local.home import Home
from mien.runtime.embedders import find_model
from mien.runtime.jobs import write_people
from mien.training.identity_data import IdentityOptions
from mien.training.job import Job, Tell

_KIND = "identity"
_MODELS = ", ".join(model.name for model in SERVED_EMBEDDERS)


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
    resume: Resume = None,
    home: HomeOption = None,
    root: Root = ROOT,
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
            options = options_of(place, _KIND, resume, root, IdentityOptions)
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


def _run(home: Home, options: IdentityOptions, resume: str | None) -> None:
    from mien.training.identity import train_identity  # noqa: PLC0415 - seconds of imports

    def work(job: Job, tell: Tell) -> dict[str, Any]:
        if options.data:
            return train_identity(options, job, tell)
        result = train_identity(_prepare_gallery(home, job, options, tell), job, tell)
        for name in ("photos", "data", "vectors"):  # whoever is forgotten in Mien must not live on in copies
            shutil.rmtree(job.folder / name)
        return result

    folder, result = run_job(home, _KIND, options, resume, work)
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
    out.print(f"Report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


def _prepare_gallery(home: Home, job: Job, options: IdentityOptions, tell: Tell) -> IdentityOptions:
    """Make a data set of the enrolled photos in the job's folder, unless a run before has."""
    photos, folder = job.folder / "photos", job.folder / "data"
    if not (folder / SPLIT).exists():
        for half_done in (photos, folder):
            shutil.rmtree(half_done, ignore_errors=True)

        def fetch(api: httpx.Client) -> None:
            write_people(job.folder, person_ids(api))
            fetch_gallery(api, photos, on_photo=partial(tell, "photos"))

        fetch_photos(home, fetch)
        # Every photo was accepted at enrolment, where the largest face counted.
        prepared = PrepareOptions(
            embedders=(options.embedder,),
            limits=Limits(if_several="largest"),
            model_repo=Path(options.model_repo),
        )
        dataset = prepare(photos, folder, prepared, on_photo=partial(tell, "faces"))
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
