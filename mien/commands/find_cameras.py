"""`mien cameras test` and `discover`: asking about cameras, with or without a running Mien.

The work is done by ingest's code in a process of its own; questions go to its standard input, so that no
password is among its arguments.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from mien.commands.api import answer, err, gateway, out
from mien.commands.camera_values import read_address, read_password
from mien.contracts.camera_requests import (
    LAST_REPLIES,
    CameraDevice,
    CameraFound,
    CameraReply,
    CameraRequest,
    CameraSearch,
    CameraTestAdvanced,
    CameraTested,
    ProfileQuery,
    ProfilesListed,
    SearchEnded,
    StreamReport,
    StreamTest,
)
from mien.contracts.cameras import Camera
from mien.local.line_process import LineProcess, LineProcessError

_STEP_WORDS: Final = {
    "connecting": "connecting …",
    "connected": "connected, waiting for the first picture …",
    "measuring": "pictures come, measuring …",
}
_EXIT_CODES: Final = {"auth_failed": 3, "not_found": 4, "unsupported": 4, "no_video": 4, "untrusted": 5}
_NETWORKS: Final = "MIEN_CAMERAS_NETWORKS"
NOTHING_FOUND: Final = (
    "No camera answered. That is common: cameras may have ONVIF turned off, sit in another network or VLAN "
    "(a search does not cross routers), or behind a switch or access point that holds multicast back. An "
    "address works all the same: mien cameras test rtsp://ADDRESS"
)

JsonOutput = Annotated[bool, typer.Option("--json", help="One JSON object instead of words.")]


def try_address(
    url: Annotated[str, typer.Argument(help="rtsp://…, http://… or the path of a video file.")],
    username: Annotated[str | None, typer.Option(help="User name that the camera asks for.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the camera's password from standard input.")
    ] = False,
    seconds: Annotated[float, typer.Option(min=0, max=20, help="How long to watch it.")] = 4.0,
    snapshot: Annotated[
        Path | None, typer.Option("--snapshot", help="Save the first picture here, as JPEG.")
    ] = None,
    as_json: JsonOutput = False,
) -> None:
    """Open an address and say how it is, or why it can't be opened and what to do.

    Works without a running Mien. Exits with 0 when it streams, 1 when it can't be reached, 3 when user name
    or password are wrong, 4 when there is nothing to read, 5 when its certificate is not trusted.
    """
    camera = _candidate(url, username, read_password(username, from_stdin=password_stdin))
    with _answers(StreamTest(camera=camera, measure_seconds=seconds)) as replies:
        for reply in replies:
            if isinstance(reply, CameraTestAdvanced) and not as_json:
                err.print(_STEP_WORDS[reply.step], style="dim", highlight=False)
            if isinstance(reply, CameraTested):
                _tell_test(reply, camera.url, snapshot, as_json=as_json)


def discover(
    seconds: Annotated[float, typer.Option(min=0.5, max=20, help="How long to wait for answers.")] = 4.0,
    username: Annotated[
        str | None, typer.Option(help="User name of the cameras: asks each for its streams.")
    ] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the cameras' password from standard input.")
    ] = False,
    add: Annotated[bool, typer.Option("--add", help="Add those that tell of a stream.")] = False,
    as_json: JsonOutput = False,
) -> None:
    """Look for ONVIF cameras in the networks of this machine.

    With a user name, or --add, each is asked for its streams: Mien looks for faces in the largest of 640 to
    1280 pixels' width, and cuts them out of the largest of all.
    """
    password = read_password(username, from_stdin=password_stdin)
    devices, ended = _search(seconds, quiet=as_json)
    wants_streams = add or username is not None
    streams = {device.address: _profiles(device, username, password) for device in devices if wants_streams}
    added = _add(devices, streams, username, password) if add else {}
    if as_json:
        rows = [
            msgspec.to_builtins(device)
            | ({"streams": _plain(streams[device.address])} if wants_streams else {})
            | ({"added": added.get(device.address)} if add else {})
            for device in devices
        ]
        print(json.dumps({"devices": rows, "searched": ended.searched}))
        return
    if not devices:
        out.print(ended.explanation or NOTHING_FOUND, highlight=False)
        return
    _show_devices(devices, streams, added, wants_streams=wants_streams)


def _search(seconds: float, *, quiet: bool) -> tuple[list[CameraDevice], SearchEnded]:
    devices = []
    with _answers(CameraSearch(seconds=seconds)) as replies:
        if not quiet:
            err.print(f"looking for cameras, {seconds:.0f} s …", style="dim", highlight=False)
        for reply in replies:
            if isinstance(reply, CameraFound):
                devices.append(reply.device)
            elif isinstance(reply, SearchEnded):
                return sorted(devices, key=lambda device: device.host), reply
    raise AssertionError("a search ends")


def _profiles(device: CameraDevice, username: str | None, password: str | None) -> ProfilesListed:
    query = ProfileQuery(address=device.address, username=username, password=password)
    with _answers(query) as replies:
        return next(reply for reply in replies if isinstance(reply, ProfilesListed))


def _add(
    devices: list[CameraDevice],
    streams: dict[str, ProfilesListed],
    username: str | None,
    password: str | None,
) -> dict[str, str]:
    """Add what has a stream and is not there yet; returns what became of each, by address."""
    told = {}
    with gateway() as api:
        known = {
            url
            for camera in answer(api.get("/api/cameras"))
            for url in (camera["url"], camera["main_stream_url"])
        }
        for device in devices:
            listed = streams[device.address]
            if not listed.ok:
                told[device.address] = "not added"
            elif {listed.url, listed.main_stream_url} & known:
                told[device.address] = "there already"
            else:
                body = {
                    "name": device.name or device.host,
                    "url": listed.url,
                    "main_stream_url": listed.main_stream_url or None,
                    "username": username,
                    "password": password,
                }
                camera = answer(api.post("/api/cameras", json=body))
                told[device.address] = f"added as {camera['camera_id']}"
    return told


def _show_devices(
    devices: list[CameraDevice],
    streams: dict[str, ProfilesListed],
    added: dict[str, str],
    *,
    wants_streams: bool,
) -> None:
    table = Table("host", "name", "model", *(("stream",) if wants_streams else ()), box=None, pad_edge=False)
    for device in devices:
        cells = [device.host, device.name, device.model]
        if wants_streams:
            listed = streams[device.address]
            words = " + ".join(filter(None, (listed.url, listed.main_stream_url))) or listed.explanation
            cells.append("; ".join(filter(None, (words, added.get(device.address, "")))))
        table.add_row(*map(escape, cells))
    out.print(table)
    if not wants_streams:
        out.print("With --username they are asked for their streams, with --add they are added.")


def _tell_test(reply: CameraTested, url: str, snapshot: Path | None, *, as_json: bool) -> None:
    saved = None
    if snapshot is not None and reply.snapshot_jpeg:
        try:
            snapshot.write_bytes(reply.snapshot_jpeg)
        except OSError as error:
            err.print(f"[red]{escape(str(snapshot))}: {error.strerror}[/]", highlight=False)
            raise typer.Exit(1) from None
        saved = str(snapshot)
    if as_json:
        told = {key: getattr(reply, key) for key in ("ok", "explanation", "reason", "advice")}
        report = msgspec.to_builtins(reply.report)
        print(json.dumps({"url": url, **told, "report": report, "snapshot": saved}))
    elif reply.ok:
        out.print(f"[green]{escape(url)} {escape(reply.explanation)}[/]", highlight=False)
        if reply.report is not None:
            _show_report(reply.report)
        if saved:
            out.print(f"first picture: {escape(saved)}", highlight=False)
    else:
        err.print(f"[red]{escape(url)}: {escape(reply.explanation)}[/]", highlight=False)
        if reply.advice:
            err.print(escape(reply.advice), highlight=False)
    if not reply.ok:
        raise typer.Exit(_EXIT_CODES.get(reply.reason, 1))


def _show_report(report: StreamReport) -> None:
    width, height = report.size_wh
    rows = [
        ("codec", report.codec.upper()),
        ("size", f"{width} × {height}"),
        ("pictures per second", _figure(report.measured_fps, "{:.1f}")),
        ("keyframe every", _figure(report.keyframe_interval_seconds, "{:.1f} s")),
        ("bit rate", _figure(report.bitrate_kbps, "{:.0f} kbit/s")),
        ("its clock is ahead by", _figure(report.clock_skew_seconds, "{:.1f} s")),
    ]
    for name, value in rows:
        if value:
            out.print(f"  {name:<22} {value}", highlight=False)
    for warning in report.warnings:
        out.print(f"[yellow]{escape(warning)}[/]", highlight=False)


def _figure(value: float | None, pattern: str) -> str:
    return "" if value is None else pattern.format(value)


def _plain(listed: ProfilesListed) -> dict[str, Any]:
    fields = ("ok", "explanation", "reason", "advice", "profiles", "url", "main_stream_url")
    plain: dict[str, Any] = msgspec.to_builtins({name: getattr(listed, name) for name in fields})
    return plain


def _candidate(url: str, username: str | None, password: str | None) -> Camera:
    address = read_address(url)
    try:
        parts = urlsplit(address)
        named = (parts.username and unquote(parts.username), parts.password and unquote(parts.password))
    except ValueError as error:
        raise typer.BadParameter(f"this is no address: {error}") from None
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return Camera(
        camera_id="candidate",
        name="Candidate",
        url=plain,
        partition=0,
        username=username or named[0] or None,
        password=password or named[1] or None,
    )


@contextmanager
def _answers(request: CameraRequest) -> Iterator[Iterator[CameraReply]]:
    """Start ingest's code, and yield its answers as they come."""
    command = [sys.executable, "-m", "services.ingest.answer_lines"]
    # Whoever sits at this machine may test what runs on it, too.
    environment = {_NETWORKS: os.environ.get(_NETWORKS, "private,public,loopback")}
    try:
        process: LineProcess[Any]
        with LineProcess(command, CameraReply, environment=environment) as process:  # type: ignore[arg-type]  # a union is no type
            yield _listen(process, request)
    except LineProcessError as error:
        err.print(f"[red]{escape(str(error))}[/]", highlight=False)
        raise typer.Exit(1) from None


def _listen(process: LineProcess[Any], request: CameraRequest) -> Iterator[CameraReply]:
    reply = process.ask(request)
    yield reply
    while not isinstance(reply, LAST_REPLIES):
        reply = process.listen()
        yield reply
