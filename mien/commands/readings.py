"""`mien readings`: where emotion and tiredness are read, over the gateway's REST interface."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mien.commands.api import answer, gateway, out

app = typer.Typer(no_args_is_help=True)

CameraId = Annotated[str, typer.Argument(help="Identifier of the camera, as in mien cameras list.")]


@app.command()
def show() -> None:
    """Tell where emotion and tiredness are read, what for, and who turned it on."""
    with gateway() as api:
        readings, cameras = answer(api.get("/api/readings")), answer(api.get("/api/cameras"))
    if stopped := readings["stopped"]:
        reason = f": {stopped['reason']}" if stopped["reason"] else ""
        out.print(f"All reading is stopped by {stopped['by']}{reason}.", highlight=False)
    table = Table("camera", "what", "where", "purpose", "set by", box=None, pad_edge=False)
    for camera in cameras:
        for kind in ("emotion", "tiredness"):
            if camera[f"{kind}_policy"] != "off":
                table.add_row(*_row(camera, kind))
    out.print(table if table.rows else "No camera reads emotion or tiredness.", highlight=False)


@app.command("set")
def set_readings(
    camera_id: CameraId,
    emotion: Annotated[str | None, typer.Option(help="off, aggregate or per_person.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What emotion is read for.")] = None,
    context: Annotated[
        str | None,
        typer.Option(help="Where it looks: public, private, research, workplace or education."),
    ] = None,
    exemption: Annotated[
        str | None, typer.Option(help="At work and in education: medical or safety; none takes it back.")
    ] = None,
    exemption_note: Annotated[str | None, typer.Option(help="That reason in words, and who decided.")] = None,
    tiredness: Annotated[str | None, typer.Option(help="off or per_person.")] = None,
    tiredness_purpose: Annotated[str | None, typer.Option(help="What tiredness is read for.")] = None,
) -> None:
    """Turn emotion or tiredness on or off for a camera; what is not given stays."""
    body = {
        "emotion_policy": emotion,
        "emotion_purpose": purpose,
        "context": context,
        "emotion_exemption": exemption,
        "emotion_exemption_note": exemption_note,
        "tiredness_policy": tiredness,
        "tiredness_purpose": tiredness_purpose,
    }
    given = {name: value for name, value in body.items() if value is not None}
    if not given:
        raise typer.BadParameter("nothing to change was given")
    with gateway() as api:
        camera = answer(api.patch(f"/api/cameras/{camera_id}", json=given))
    out.print(
        f"{camera_id}: emotion {camera['emotion_policy']}, tiredness {camera['tiredness_policy']}",
        highlight=False,
    )


@app.command()
def stop(reason: Annotated[str, typer.Option(help="Why; kept with your name.")] = "") -> None:
    """Stop reading emotion and tiredness on all cameras at once; totals are deleted."""
    with gateway() as api:
        answer(api.put("/api/readings/stop", json={"reason": reason}))
    out.print("No camera reads emotion or tiredness any more. mien readings resume lets it go on.")


@app.command()
def resume() -> None:
    """Read again what each camera's policy allows."""
    with gateway() as api:
        answer(api.delete("/api/readings/stop"))
    out.print("Emotion and tiredness are read again where cameras allow it.")


@app.command()
def export(
    camera_id: Annotated[str | None, typer.Option("--camera", help="Totals of this camera.")] = None,
    person_id: Annotated[str | None, typer.Option("--person", help="Looks of this person.")] = None,
    span: Annotated[str, typer.Option(help="Of a camera: hour, or day by the quarter hour.")] = "day",
    output: Annotated[Path | None, typer.Option(help="File to write; without it: the screen.")] = None,
) -> None:
    """Write how people looked as CSV: totals of a camera, or a line per sighting of a person."""
    if (camera_id is None) == (person_id is None):
        raise typer.BadParameter("give either --camera or --person")
    path = (
        f"/api/cameras/{camera_id}/emotions.csv?span={span}"
        if camera_id is not None
        else f"/api/people/{person_id}/emotions.csv"
    )
    with gateway() as api:
        response = api.get(path)
        if not response.is_success:
            answer(response)
    if output is None:
        print(response.text, end="")
        return
    output.write_text(response.text)
    out.print(f"Written to {output}", highlight=False)


def _row(camera: dict[str, Any], kind: str) -> list[str]:
    at_ns = camera[f"{kind}_set_at_ns"]
    at = f", {datetime.fromtimestamp(at_ns / 1e9, UTC).astimezone():%Y-%m-%d %H:%M}" if at_ns else ""
    where = camera["context"] if kind == "emotion" else ""
    if kind == "emotion" and camera["emotion_exemption"] != "none":
        where += f" ({camera['emotion_exemption']}: {camera['emotion_exemption_note']})"
    return [
        camera["camera_id"],
        f"{kind} {camera[f'{kind}_policy']}",
        where,
        camera[f"{kind}_purpose"],
        f"{camera[f'{kind}_set_by']}{at}",
    ]
