"""`mien cameras import` and `export`: many cameras at once, over the gateway's REST interface."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from mien.commands.api import answer, err, gateway, out

_STEP: Final = 20
_VERDICT_WORDS: Final = {"new": "[green]new[/]", "duplicate": "[dim]known[/]", "invalid": "[red]no[/]"}


def import_cameras(
    file: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            dir_okay=False,
            help="CSV with the columns name and url, YAML, or the configuration of Frigate or go2rtc.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be added and what not, and add nothing.")
    ] = False,
    variables: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="File with NAME=value lines for names in the file, such as {FRIGATE_RTSP_PASSWORD}.",
        ),
    ] = None,
    undo: Annotated[
        str | None, typer.Option(metavar="ID", help="Take an import back: remove what it has added.")
    ] = None,
) -> None:
    """Add all cameras of a file that are not there yet.

    Nothing in the file is run or fetched. Entries that can't be added are told with their line, and keep no
    others from being added. Exits with 1 when there were any.
    """
    if (file is None) == (undo is None):
        raise typer.BadParameter("expected a file, or --undo with the ID of an import")
    if undo is not None:
        _undo(undo)
        return
    assert file is not None
    form = {"variables": json.dumps(_read_variables(variables))}
    content = file.read_bytes()
    with gateway() as api:
        preview = answer(
            api.post("/api/camera-files/preview", files={"file": (file.name, content)}, data=form)
        )
        _show_preview(preview)
        if not dry_run and preview["new"]:
            import_id, count = _add(api, file.name, content, form, len(preview["cameras"]))
            out.print(
                f"{count} added. To take it back: mien cameras import --undo {import_id}", highlight=False
            )
    if preview["invalid"]:
        raise typer.Exit(1)


def export_cameras(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; else it is printed.")] = None,
    file_format: Annotated[str, typer.Option("--format", help="yaml or csv.")] = "yaml",
) -> None:
    """Write all cameras to a file that can be imported again; passwords are left out."""
    if file_format not in ("yaml", "csv"):
        raise typer.BadParameter(f"expected yaml or csv, got {file_format!r}", param_hint="--format")
    with gateway() as api:
        text = answer(api.get("/api/camera-files/export", params={"format": file_format}))["text"]
    if output is None:
        print(text, end="")
    else:
        output.write_text(text)


def _undo(import_id: str) -> None:
    with gateway() as api:
        undone = answer(api.delete(f"/api/camera-files/imports/{import_id}"))
    kept = f"; {', '.join(undone['kept'])} stayed, edited since" if undone["kept"] else ""
    out.print(f"{len(undone['removed'])} removed{kept}", highlight=False)


def _add(api: Any, name: str, content: bytes, form: dict[str, str], total: int) -> tuple[str, int]:
    count, fields = 0, dict(form)
    at: int | None = 0
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("adding", total=total)
        while at is not None:
            fields |= {"first": str(at), "count": str(_STEP)}
            step = answer(api.post("/api/camera-files/import", files={"file": (name, content)}, data=fields))
            fields["import_id"] = step["import_id"]
            count += len(step["added"])
            at = step["next"]
            progress.update(task, completed=total if at is None else at)
    return fields["import_id"], count


def _show_preview(preview: dict[str, Any]) -> None:
    table = Table("", "where", "name", "what", box=None, pad_edge=False)
    for camera in preview["cameras"]:
        what = camera["why"] or " + ".join(filter(None, (camera["url"], camera["main_stream_url"])))
        table.add_row(
            _VERDICT_WORDS[camera["verdict"]], escape(camera["place"]), escape(camera["name"]), escape(what)
        )
    out.print(table)
    if preview["needs"]:
        err.print(
            f"The file names {', '.join(preview['needs'])}, whose values are kept elsewhere: give a file "
            "with NAME=value lines as --variables.",
            highlight=False,
        )
    out.print(
        f"{preview['new']} new, {preview['duplicates']} known, {preview['invalid']} that can't be added",
        highlight=False,
    )


def _read_variables(path: Path | None) -> dict[str, str]:
    """Read NAME=value lines, as in an .env file."""
    values = {}
    for number, line in enumerate(path.read_text().splitlines() if path else [], 1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"{path} line {number}: expected NAME=value", param_hint="--variables")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        values[name.strip()] = value
    return values
