"""`mien cameras`: the camera registry, over the gateway's REST interface."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mien.commands.api import answer, gateway, out

app = typer.Typer(no_args_is_help=True)

CameraId = Annotated[str, typer.Argument(help="Identifier of the camera, as in mien cameras list.")]
Username = Annotated[str | None, typer.Option(help="User name that the camera asks for.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the camera's password from standard input.")
]
Fps = Annotated[float | None, typer.Option("--fps", help="Pictures per second that are analysed.")]
Identity = Annotated[str | None, typer.Option(help="on or off.")]
Emotion = Annotated[str | None, typer.Option(help="off, aggregate or per_person.")]
EmotionPurpose = Annotated[str | None, typer.Option(help="Why emotion is on; needed to turn it on.")]
Width = Annotated[int | None, typer.Option("--width", help="Wider pictures are scaled down to this.")]
MinFace = Annotated[int | None, typer.Option("--min-face", help="Smallest face, in pixels.")]


@app.command("list")
def list_cameras() -> None:
    """List all cameras and how they are."""
    with gateway() as api:
        cameras = answer(api.get("/api/cameras"))
    if not cameras:
        out.print("No camera yet. Add one: mien cameras add NAME rtsp://ADDRESS", highlight=False)
        return
    table = Table("id", "name", "state", "fitness", "address", "emotion", box=None, pad_edge=False)
    for camera in cameras:
        status = camera.get("status") or {}
        state = " ".join(filter(None, (status.get("state", ""), status.get("reason", ""))))
        fitness = camera["fitness"]["fitness"]
        table.add_row(
            camera["camera_id"], camera["name"], state, fitness, camera["url"], camera["emotion_policy"]
        )
    out.print(table)


@app.command()
def show(camera_id: CameraId) -> None:
    """Show all that is known of a camera."""
    with gateway() as api:
        out.print_json(data=answer(api.get(f"/api/cameras/{camera_id}")))


@app.command()
def fitness(
    camera_id: CameraId,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget who passed so far: the camera was moved.")
    ] = False,
) -> None:
    """Tell how well a camera is placed for faces, what to do about it, and what the last hour's work was."""
    with gateway() as api:
        if reset:
            answer(api.delete(f"/api/cameras/{camera_id}/fitness"))
        report = answer(api.get(f"/api/cameras/{camera_id}/fitness"))
        work = answer(api.get(f"/api/cameras/{camera_id}/work"))
    out.print(f"{_fitness_words(report)}\n{_work_words(work)}", highlight=False)


@app.command()
def add(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    name: Annotated[str, typer.Argument(help="What people call it.")],
    url: Annotated[str, typer.Argument(help="rtsp://…, http://… (MJPEG) or the path of a video file.")],
    camera_id: Annotated[
        str | None, typer.Option("--id", help="Identifier; made from the name otherwise.")
    ] = None,
    username: Username = None,
    password_stdin: PasswordStdin = False,
    fps: Fps = None,
    width: Width = None,
    min_face: MinFace = None,
    identity: Identity = None,
    emotion: Emotion = None,
    emotion_purpose: EmotionPurpose = None,
) -> None:
    """Register a camera; it is opened within seconds, without a restart.

    Never write a password into the address: other users of the machine see it. Give --username, and type
    the password when asked for it.
    """
    body = _given(
        camera_id=camera_id,
        name=name,
        url=_address(url),
        username=username,
        password=_password(username, from_stdin=password_stdin),
        sampled_fps=fps,
        frame_width_px=width,
        min_face_px=min_face,
        identity_policy=identity,
        emotion_policy=emotion,
        emotion_purpose=emotion_purpose,
    )
    with gateway() as api:
        camera = answer(api.post("/api/cameras", json=body))
    out.print(f"{camera['camera_id']} is registered", highlight=False)


@app.command()
def edit(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    camera_id: CameraId,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    url: Annotated[str | None, typer.Option(help="Its new address.")] = None,
    username: Username = None,
    password_stdin: PasswordStdin = False,
    fps: Fps = None,
    width: Width = None,
    min_face: MinFace = None,
    identity: Identity = None,
    emotion: Emotion = None,
    emotion_purpose: EmotionPurpose = None,
    enabled: Annotated[bool | None, typer.Option(help="Whether it is opened at all.")] = None,
) -> None:
    """Change what is given; the rest stays."""
    body = _given(
        name=name,
        url=_address(url) if url else None,
        username=username,
        password=_password(username, from_stdin=password_stdin),
        sampled_fps=fps,
        frame_width_px=width,
        min_face_px=min_face,
        identity_policy=identity,
        emotion_policy=emotion,
        emotion_purpose=emotion_purpose,
        enabled=enabled,
    )
    if not body:
        raise typer.BadParameter("nothing to change was given")
    with gateway() as api:
        camera = answer(api.patch(f"/api/cameras/{camera_id}", json=body))
    out.print(f"{camera['camera_id']} is now at revision {camera['revision']}", highlight=False)


@app.command()
def remove(camera_id: CameraId) -> None:
    """Close a camera and forget it."""
    with gateway() as api:
        answer(api.delete(f"/api/cameras/{camera_id}"))
    out.print(f"{camera_id} is removed", highlight=False)


def _fitness_words(report: dict[str, Any]) -> str:
    fitness, needed = report["fitness"], report["needed"]
    if fitness["fitness"] == "unknown":
        return f"unknown: {fitness['tracks']} of the {report['tracks_needed']} faces needed have passed"
    return (
        f"{fitness['fitness']}: {100 * fitness['usable_share']:.0f} % of the last {fitness['tracks']} faces "
        "gave a view that can be recognised\n"
        + (f"{fitness['advice']}\n" if fitness["advice"] else "")
        + f"typical face: {fitness['median_face_px']:.0f} px (needs {needed['face_px']['at_least']:.0f}), "
        f"sharpness {fitness['median_sharpness']:.0f} (needs {needed['sharpness']['at_least']:.0f}), "
        f"brightness {fitness['median_brightness']:.0f} (needs {needed['brightness']['at_least']:.0f} to "
        f"{needed['brightness']['at_most']:.0f})"
    )


def _work_words(work: dict[str, Any]) -> str:
    if not work["captured"]:
        return "no picture came within the last hour"
    return (
        f"last hour: {work['captured']} pictures, {work['looked_at']} looked at, {work['faces']} faces in "
        f"them, {work['identity_shots']} sent for their names, {work['emotion_shots']} for their emotions"
    )


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _address(url: str) -> str:
    return url if "://" in url or url.startswith("file:") else Path(url).expanduser().resolve().as_uri()


def _password(username: str | None, *, from_stdin: bool) -> str | None:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if username is not None and sys.stdin.isatty():
        return str(typer.prompt("Password of the camera", hide_input=True))
    return None
