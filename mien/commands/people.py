"""`mien people`: who is known, over the gateway's REST interface."""

import mimetypes
import time
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.progress import Progress
from rich.table import Table

from mien.commands.api import answer, err, gateway, out
from mien.commands.people_import import import_people
from mien.dataset.gallery import fetch_expressions
from mien.errors import PermanentError

app = typer.Typer(no_args_is_help=True)
app.command("import")(import_people)

PersonId = Annotated[str, typer.Argument(help="Identifier of the person, as in mien people list.")]
_PHOTOS_IN_A_REQUEST: Final = 10
_ENROLMENT_TIMEOUT_SECONDS: Final = 60.0
_CALIBRATION_TIMEOUT_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.5
_BASIS: Final = {
    "default": "the embedder's own threshold; calibrate to fit it to your people",
    "cohort": "set by how much strangers resemble each other to the embedder (LFW), for this many templates",
    "gallery": "set by the embedder's figures for strangers, moved up: your people resemble each other more",
}


@app.command("list")
def list_people() -> None:
    """List everybody who is known."""
    with gateway() as api:
        people = answer(api.get("/api/people"))
    if not people:
        out.print("Nobody is known yet. Add somebody: mien people add NAME PHOTO…", highlight=False)
        return
    table = Table("id", "name", "photos", "templates", "to look at", "notes", box=None, pad_edge=False)
    for person in people:
        to_look_at = str(person["problem_count"] or "")
        counts = (str(person["photo_count"]), str(person["template_count"]), to_look_at)
        table.add_row(str(person["person_id"]), person["name"], *counts, person["notes"] or "")
    out.print(table)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The person's name.")],
    photos: Annotated[list[Path] | None, typer.Argument(help="Photographs to enrol.", exists=True)] = None,
    notes: Annotated[str, typer.Option(help="For people to read.")] = "",
    consent: Annotated[str, typer.Option(help="How and when the person agreed.")] = "",
) -> None:
    """Add a person, and enrol photographs of their face."""
    with gateway() as api:
        body = {"name": name, "notes": notes, "consent_note": consent}
        person = answer(api.post("/api/people", json=body))
        out.print(f"{name} is person {person['person_id']}", highlight=False)
        if photos:
            _enrol(api, str(person["person_id"]), photos)


@app.command()
def enrol(
    person_id: PersonId,
    photos: Annotated[list[Path], typer.Argument(help="Photographs with one face each.", exists=True)],
) -> None:
    """Enrol photographs of a person; each is used or refused with its reason."""
    with gateway() as api:
        _enrol(api, person_id, photos)


@app.command()
def photos(person_id: PersonId) -> None:
    """List a person's photographs and what became of each."""
    with gateway() as api:
        listed = answer(api.get(f"/api/people/{person_id}/photos"))
    table = Table("photo", "file", "status", "badge", "why", box=None, pad_edge=False)
    for photo in listed:
        badge = photo["badge"] or {"level": "", "findings": []}
        status = "set aside" if photo["set_aside"] else photo["status"]
        why = " ".join(finding["words"] for finding in badge["findings"])
        table.add_row(photo["photo_id"], photo["filename"], status, badge["level"], why)
    out.print(table)


@app.command()
def calibrate(
    false_accept_rate: Annotated[
        float, typer.Option(min=0.0001, max=0.1, help="How often a stranger may be given a name.")
    ] = 0.01,
    reset: Annotated[bool, typer.Option("--reset", help="Back to the embedder's own thresholds.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Only say what is in force.")] = False,
) -> None:
    """Fit the thresholds to the people who are enrolled, and say what they mean."""
    url = "/api/recognition/calibration"
    with gateway() as api:
        api.timeout = httpx.Timeout(_CALIBRATION_TIMEOUT_SECONDS)
        if show:
            info = answer(api.get(url))
        elif reset:
            info = answer(api.delete(url))
        else:
            info = answer(api.post(url, json={"false_accept_rate": false_accept_rate}))
    out.print("\n".join(_calibration_in_words(info)), highlight=False, soft_wrap=True)


@app.command("export-emotions")
def export_emotions(
    folder: Annotated[Path, typer.Argument(help="Folder to write to; made where there is none.")],
) -> None:
    """Write the photographs whose expression is known, a folder per expression, and labels.csv beside them.

    For mien train emotion. People are only numbers in it; it is written down who exported.
    """
    with gateway() as api, Progress(console=err) as progress:
        task = progress.add_task("Exporting", total=None)
        try:
            counts = fetch_expressions(
                api, folder, on_photo=lambda done, total: progress.update(task, completed=done, total=total)
            )
        except PermanentError as error:
            err.print(f"[red]{error}[/]", highlight=False)
            raise typer.Exit(1) from None
    if not counts:
        out.print("No photograph's expression is known. Enrol somebody at the webcam first: /enrol")
        return
    words = ", ".join(f"{count} {label}" for label, count in sorted(counts.items()))
    out.print(f"{sum(counts.values())} photographs in {folder}: {words}", highlight=False)


@app.command()
def remove(
    person_id: PersonId,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Forget a person everywhere: photographs, templates, and the name in the history."""
    if not yes:
        typer.confirm(f"Forget person {person_id} everywhere?", abort=True)
    with gateway() as api:
        answer(api.delete(f"/api/people/{person_id}"))
    out.print(f"person {person_id} is forgotten", highlight=False)


def _enrol(api: httpx.Client, person_id: str, paths: list[Path]) -> None:
    url = f"/api/people/{person_id}/photos"
    results: dict[str, dict[str, Any]] = {}
    with Progress(console=err) as progress:
        task = progress.add_task("Enrolling", total=len(paths))
        for start in range(0, len(paths), _PHOTOS_IN_A_REQUEST):
            files = [("photos", _file(path)) for path in paths[start : start + _PHOTOS_IN_A_REQUEST]]
            results |= {str(photo["photo_id"]): photo for photo in answer(api.post(url, files=files))}
        deadline = time.monotonic() + _ENROLMENT_TIMEOUT_SECONDS
        while pending := [key for key, photo in results.items() if photo["status"] == "pending"]:
            progress.update(task, completed=len(results) - len(pending))
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_SECONDS)
            latest = {str(photo["photo_id"]): photo for photo in answer(api.get(url))}
            results = {key: latest.get(key, photo) for key, photo in results.items()}
        progress.update(task, completed=len(results) - len(pending))
    _report(list(results.values()))


def _report(results: list[dict[str, Any]]) -> None:
    refused = [photo for photo in results if photo["status"] == "rejected"]
    pending = sum(photo["status"] == "pending" for photo in results)
    for photo in refused:
        err.print(f"refused: {photo.get('filename') or photo['photo_id']}: {_reason(photo)}", highlight=False)
    if pending:
        err.print(f"{pending} still pending: look again with mien people photos", highlight=False)
    out.print(f"{len(results) - len(refused) - pending} of {len(results)} enrolled", highlight=False)
    if refused or pending:
        raise typer.Exit(1)


def _calibration_in_words(info: dict[str, Any]) -> list[str]:
    accept, reject = info["accept_similarity"], info["reject_similarity"]
    lines = [
        f"A face is named from a similarity of {accept:.3f} on, and called unknown below {reject:.3f}.",
        f"This is {_BASIS[info['basis']]}.",
        f"{info['people']} people, {info['templates']} templates ({info['embedder']}).",
    ]
    if info["requested_false_accept_rate"] is not None:
        lines.append(f"Asked for: {info['requested_false_accept_rate']:.2%} of strangers' faces named.")
    if info["false_accept_rate"] is not None:
        lines.append(
            f"Of {info['impostor_faces']} faces compared with everybody else's,"
            f" {info['false_accept_rate']:.2%} would be given a wrong name"
            f" (95 % sure: at most {info['false_accept_rate_upper']:.2%})."
        )
    if info["false_reject_rate"] is not None:
        lines.append(
            f"Of {info['genuine_faces']} faces compared with the same person's,"
            f" {info['false_reject_rate']:.1%} would be given no name from one view."
        )
    else:
        lines.append("Nobody has two photos: how often people are missed can't be told.")
    for person in info["person_thresholds"]:
        name = person["person_name"] or person["person_id"]
        lines.append(f"{name} resembles others: named from {person['accept_similarity']:.3f} on.")
    if info["stale"]:
        lines.append("People or photos have changed since: calibrate again.")
    lines.append("Photos are not your cameras: watch the first days.")
    return lines


def _file(path: Path) -> tuple[str, bytes, str]:
    return path.name, path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _reason(photo: dict[str, Any]) -> str:
    return str(photo.get("explanation") or photo.get("reason") or "")
