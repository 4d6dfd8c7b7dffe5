"""`mien cameras`: the camera registry, over the gateway's REST interface."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from mien.commands import camera_files, find_cameras
from mien.commands.api import answer, gateway, out
from mien.commands.camera_options import (
    CameraId,
    Certificate,
    Context,
    Decode,
    Emotion,
    EmotionPurpose,
    Fps,
    Identity,
    IgnoreZone,
    JpegQuality,
    Kind,
    LoopFilterOption,
    MainStream,
    MinFace,
    OpenHoursOption,
    PasswordStdin,
    TimeZone,
    TransportOption,
    Username,
    Width,
)
from mien.commands.camera_words import camera_details, fitness_words, work_words

app = typer.Typer(no_args_is_help=True)
app.command("test")(find_cameras.try_address)
app.command("discover")(find_cameras.discover)
app.command("import")(camera_files.import_cameras)
app.command("export")(camera_files.export_cameras)


_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@app.command("list")
def list_cameras() -> None:
    """List all cameras and how they are."""
    with gateway() as api:
        cameras = answer(api.get("/api/cameras"))
    if not cameras:
        out.print("No camera yet. Add one: mien cameras add NAME rtsp://ADDRESS", highlight=False)
        return
    table = Table("id", "name", "state", "fitness", "address", "emotion", "details", box=None, pad_edge=False)
    for camera in cameras:
        status = camera.get("status") or {}
        state = " ".join(filter(None, (status.get("state", ""), status.get("reason", ""))))
        table.add_row(
            camera["camera_id"],
            camera["name"],
            state,
            camera["fitness"]["fitness"],
            camera["url"],
            camera["emotion_policy"],
            camera_details(camera),
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
    out.print(f"{fitness_words(report)}\n{work_words(work)}", highlight=False)


@app.command()
def add(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    name: Annotated[str, typer.Argument(help="What people call it.")],
    url: Annotated[str, typer.Argument(help="rtsp(s)://…, http(s)://…, usb:/dev/video0 or a video file.")],
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
    context: Context = None,
    main_stream_url: MainStream = None,
    ignore_zone: IgnoreZone = None,
    kind: Kind = None,
    transport: TransportOption = None,
    decode: Decode = None,
    loop_filter: LoopFilterOption = None,
    jpeg_quality: JpegQuality = None,
    accept_certificate: Certificate = None,
    open_hours: OpenHoursOption = None,
    time_zone: TimeZone = None,
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
        context=context,
        main_stream_url=main_stream_url or None,
        ignored_zones=[_zone(text) for text in ignore_zone or []] or None,
        kind=kind or None,
        transport=transport,
        decode=decode,
        loop_filter=loop_filter,
        jpeg_quality=jpeg_quality,
        certificate_sha256=_fingerprint(accept_certificate) or None,
        schedule=_schedule(open_hours, time_zone),
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
    context: Context = None,
    enabled: Annotated[bool | None, typer.Option(help="Whether it is opened at all.")] = None,
    main_stream_url: MainStream = None,
    ignore_zone: IgnoreZone = None,
    clear_zones: Annotated[
        bool, typer.Option("--clear-zones", help="Ignore no zone any more, but those that are given.")
    ] = False,
    kind: Kind = None,
    transport: TransportOption = None,
    decode: Decode = None,
    loop_filter: LoopFilterOption = None,
    jpeg_quality: JpegQuality = None,
    accept_certificate: Certificate = None,
    open_hours: OpenHoursOption = None,
    time_zone: TimeZone = None,
    always_open: Annotated[bool, typer.Option("--always-open", help="Forget when it is open.")] = False,
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
        context=context,
        enabled=enabled,
        transport=transport,
        decode=decode,
        loop_filter=loop_filter,
        jpeg_quality=jpeg_quality,
        schedule=_schedule(open_hours, time_zone),
    )
    if main_stream_url is not None:
        body["main_stream_url"] = main_stream_url or None
    if kind is not None:
        body["kind"] = kind or None
    if accept_certificate is not None:
        body["certificate_sha256"] = _fingerprint(accept_certificate) or None
    if always_open:
        body["schedule"] = None
    zones = [_zone(text) for text in ignore_zone or []]
    if not body and not zones and not clear_zones:
        raise typer.BadParameter("nothing to change was given")
    with gateway() as api:
        if clear_zones:
            body["ignored_zones"] = zones
        elif zones:
            known = answer(api.get(f"/api/cameras/{camera_id}"))["ignored_zones"]
            body["ignored_zones"] = known + zones
        camera = answer(api.patch(f"/api/cameras/{camera_id}", json=body))
    out.print(f"{camera['camera_id']} is now at revision {camera['revision']}", highlight=False)


@app.command()
def remove(camera_id: CameraId) -> None:
    """Close a camera and forget it."""
    with gateway() as api:
        answer(api.delete(f"/api/cameras/{camera_id}"))
    out.print(f"{camera_id} is removed", highlight=False)


def _zone(text: str) -> dict[str, Any]:
    """Read a zone, as in ``movement:0,0 0.3,0 0.3,1 0,1``."""
    kind, colon, corners = text.rpartition(":")
    try:
        points = [[float(value) for value in corner.split(",", 1)] for corner in corners.split()]
    except ValueError:
        points = []
    shares = [value for point in points for value in point]
    is_polygon = len(points) >= 3 and len(shares) == 2 * len(points) and all(0 <= one <= 1 for one in shares)
    if not is_polygon or (colon and kind not in ("movement", "everything")):
        raise typer.BadParameter(
            "expected movement: or everything: and three corners or more, each X,Y from 0 to 1, as in "
            f"'movement:0,0 0.3,0 0.3,1 0,1', got {text!r}"
        )
    return {"points_xy": points, "ignores": kind or "movement"}


def _schedule(hours: list[str] | None, time_zone: str | None) -> dict[str, Any] | None:
    """Read a schedule, as in ``mon-fri 07:00-18:30`` and ``sat,sun 10:00-16:00``."""
    if not hours:
        if time_zone is not None:
            raise typer.BadParameter("--time-zone goes with --open")
        return None
    if time_zone is None:
        raise typer.BadParameter("--open needs --time-zone, as in Europe/Berlin")
    return {"time_zone": time_zone, "hours": [_open_hours(text) for text in hours]}


def _open_hours(text: str) -> dict[str, Any]:
    days, _, times = text.strip().lower().partition(" ")
    start, dash, end = times.strip().partition("-")
    named: list[str] = []
    for part in days.split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS or not dash:
            raise typer.BadParameter(f"expected days and hours, as in 'mon-fri 07:00-18:30', got {text!r}")
        begin, until = _DAYS.index(first), _DAYS.index(last or first)
        named += [_DAYS[index % 7] for index in range(begin, until + (1 if until >= begin else 8))]
    return {"days": list(dict.fromkeys(named)), "start": start.strip(), "end": end.strip()}


def _fingerprint(text: str | None) -> str | None:
    """Return a fingerprint without the colons that people write it with."""
    return None if text is None else text.replace(":", "").strip().lower()


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _address(url: str) -> str:
    return (
        url
        if "://" in url or url.startswith(("file:", "usb:"))
        else Path(url).expanduser().resolve().as_uri()
    )


def _password(username: str | None, *, from_stdin: bool) -> str | None:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if username is not None and sys.stdin.isatty():
        return str(typer.prompt("Password of the camera", hide_input=True))
    return None
