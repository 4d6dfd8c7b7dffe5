"""`mien people import`: photographs of many people at once, looked through before they are enrolled."""

import mimetypes
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from mien.commands.api import answer, err, gateway, out
from mien.contracts.photo_names import PICTURE_SUFFIXES

_FILES_IN_A_REQUEST: Final = 20
_UPLOAD_SECONDS: Final = 600.0
_POLL_SECONDS: Final = 0.5
_RESTART_SECONDS: Final = 60.0
_PROBLEMS_SHOWN: Final = 20
_ALSO_SENT: Final = frozenset({".heic", ".heif", ".gif", ".tif", ".tiff", ".avif"})
"""Pictures that the gateway refuses in words, so that nobody misses them silently."""


def import_people(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="A zip archive, or a folder: First_Last-emotion-N.jpg in it, or a folder per person.",
            exists=True,
        ),
    ] = None,
    consent: Annotated[
        str, typer.Option(help="How and when the people agreed; noted with everybody who is new.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    undo: Annotated[
        str | None, typer.Option(metavar="ID", help="Take back everything that an import brought.")
    ] = None,
) -> None:
    """Add many people with their photographs, or take such an import back."""
    if (path is None) == (undo is None):
        raise typer.BadParameter(
            "expected either a folder or archive to import, or --undo with an import's id"
        )
    with gateway() as api:
        api.timeout = httpx.Timeout(_UPLOAD_SECONDS)
        if undo is not None:
            _undo(api, undo, yes=yes)
        elif path is not None:
            _import(api, path, consent=consent, dry_run=dry_run, yes=yes)


def _import(api: httpx.Client, path: Path, *, consent: str, dry_run: bool, yes: bool) -> None:
    import_id = str(answer(api.post("/api/imports", json={"source": path.resolve().name}))["import_id"])
    url = f"/api/imports/{import_id}"
    try:
        with _progress() as progress:
            _bring(api, url, path, progress)
            info = _wait(api, url, progress, "Reading", while_state="reading")
        _show_preview(info)
        wanted = int(info["counts"]["files"])
        if dry_run or not wanted:
            answer(api.delete(url))
            out.print("Nothing was enrolled.")
            raise typer.Exit(0 if dry_run else 1)
        if not consent and not yes:
            consent = typer.prompt("How and when did they agree")
        if not consent:
            raise typer.BadParameter("expected --consent: how and when the people agreed")
        if not yes:
            typer.confirm(f"Enrol {wanted} photographs?", abort=True)
    except (typer.Abort, typer.BadParameter, KeyboardInterrupt):
        api.delete(url)
        raise
    answer(api.post(f"{url}/commit", json={"consent_note": consent}))
    out.print(
        f"This is import {import_id}: mien people import --undo {import_id} takes it back.", highlight=False
    )
    with _progress() as progress:
        info = _wait(api, url, progress, "Enrolling", while_state="running")
    _show_report(info)


def _bring(api: httpx.Client, url: str, path: Path, progress: Progress) -> None:
    if path.is_file():
        with path.open("rb") as archive:
            answer(api.post(f"{url}/archive", files={"archive": (path.name, archive, "application/zip")}))
        return
    files = sorted(file for file in path.rglob("*") if _is_sent(file, path))
    task = progress.add_task("Sending", total=len(files))
    for some in _batches(files):
        parts = [("photos", _part(file, path)) for file in some]
        answer(api.post(f"{url}/photos", files=parts))
        progress.advance(task, len(some))


def _is_sent(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.is_file() and not hidden and file.suffix.lower() in PICTURE_SUFFIXES | _ALSO_SENT


def _batches(files: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(files), _FILES_IN_A_REQUEST):
        yield files[start : start + _FILES_IN_A_REQUEST]


def _part(file: Path, folder: Path) -> tuple[str, bytes, str]:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return file.relative_to(folder).as_posix(), file.read_bytes(), kind


def _wait(
    api: httpx.Client, url: str, progress: Progress, description: str, *, while_state: str
) -> dict[str, Any]:
    task = None
    while (info := _look(api, url))["state"] == while_state:
        counts = info["counts"]
        done, total = (
            (counts["read"], counts["entries"])
            if while_state == "reading"
            else (counts["files"] - counts["waiting"], counts["files"])
        )
        task = progress.add_task(description, total=total) if task is None else task
        progress.update(task, completed=done, total=total)
        time.sleep(_POLL_SECONDS)
    if task is not None:
        progress.update(task, completed=progress.tasks[-1].total)
    return info


def _look(api: httpx.Client, url: str) -> dict[str, Any]:
    """Return an import as it is now; a gateway that is being restarted goes on with it."""
    deadline = time.monotonic() + _RESTART_SECONDS
    while True:
        try:
            return dict(answer(api.get(url)))
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _show_preview(info: dict[str, Any]) -> None:
    if info["problem"]:
        err.print(f"the archive was not read to its end: {info['problem']}", highlight=False)
    table = Table("person", "", "photos", "not used", "emotions", box=None, pad_edge=False)
    for person in info["people"]:
        emotions = ", ".join(f"{label} {count}" for label, count in person["emotions"].items())
        state = "new" if person["is_new"] else "there already"
        table.add_row(person["name"], state, str(person["photos"]), str(person["left_out"] or ""), emotions)
    if info["people"]:
        out.print(table)
    _show_problems(info)


def _show_report(info: dict[str, Any]) -> None:
    _show_problems(info)
    counts = info["counts"]
    out.print(
        f"{counts['enrolled']} photographs enrolled, {counts['set_aside']} set aside,"
        f" {counts['refused']} refused",
        highlight=False,
    )


def _show_problems(info: dict[str, Any]) -> None:
    for problem in info["problems"][:_PROBLEMS_SHOWN]:
        kind = "set aside" if problem["kind"] == "set_aside" else "not used"
        err.print(
            f"{kind}: {problem['path']}: {problem['words']}", highlight=False, markup=False, soft_wrap=True
        )
    if (more := len(info["problems"]) - _PROBLEMS_SHOWN) > 0:
        err.print(f"and {more} more, on the import's page of the dashboard", highlight=False)
    if info["counts"]["skipped"]:
        err.print(f"{info['counts']['skipped']} files are no pictures and were passed over", highlight=False)


def _undo(api: httpx.Client, import_id: str, *, yes: bool) -> None:
    url = f"/api/imports/{import_id}"
    info = answer(api.get(url))
    if not yes:
        count = info["counts"]["files"]
        typer.confirm(f"Delete the {count} photographs of import {info['source']!r}?", abort=True)
    answer(api.post(f"{url}/undo"))
    with _progress() as progress:
        progress.add_task("Undoing", total=None)
        while _look(api, url)["state"] == "undoing":
            time.sleep(_POLL_SECONDS)
    out.print("The import is undone.")


def _progress() -> Progress:
    return Progress(TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), console=err)
