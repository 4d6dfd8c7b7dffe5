"""`mien cameras`: the camera registry, over the gateway's REST interface."""

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
from mien.commands.camera_values import (
    read_address,
    read_fingerprint,
    read_password,
    read_schedule,
    read_zone,
)
from mien.commands.camera_words import camera_details, fitness_words, work_words

app = typer.Typer(no_args_is_help=True)
app.command("test")(find_cameras.try_address)
app.command("discover")(find_cameras.discover)
app.command("import")(camera_files.import_cameras)
app.command("export")(camera_files.export_cameras)


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
        url=read_address(url),
        username=username,
        password=read_password(username, from_stdin=password_stdin),
        sampled_fps=fps,
        frame_width_px=width,
        min_face_px=min_face,
        identity_policy=identity,
        emotion_policy=emotion,
        emotion_purpose=emotion_purpose,
        context=context,
        main_stream_url=main_stream_url or None,
        ignored_zones=[read_zone(text) for text in ignore_zone or []] or None,
        kind=kind or None,
        transport=transport,
        decode=decode,
        loop_filter=loop_filter,
        jpeg_quality=jpeg_quality,
        certificate_sha256=read_fingerprint(accept_certificate) or None,
        schedule=read_schedule(open_hours, time_zone),
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
        url=read_address(url) if url else None,
        username=username,
        password=read_password(username, from_stdin=password_stdin),
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
        schedule=read_schedule(open_hours, time_zone),
    )
    if main_stream_url is not None:
        body["main_stream_url"] = main_stream_url or None
    if kind is not None:
        body["kind"] = kind or None
    if accept_certificate is not None:
        body["certificate_sha256"] = read_fingerprint(accept_certificate) or None
    if always_open:
        body["schedule"] = None
    zones = [read_zone(text) for text in ignore_zone or []]
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


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
