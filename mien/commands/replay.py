"""`mien replay`: record what cameras send, show it again as virtual cameras, and forget it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mien.commands.api import answer, err, gateway, out
from mien.errors import MienError
from mien.local.home import Home, NotRunningError
from mien.local.ports import read_ports
from mien.replay.play import Replay, replaying
from mien.replay.record import Recorded, listening, record
from mien.replay.recording import RecordingWriter, forget_recording, read_recording

app = typer.Typer(
    help="Record what cameras send, show it again as virtual cameras, and forget it.", no_args_is_help=True
)

Folder = Annotated[Path, typer.Argument(help="Folder of the recording.", file_okay=False)]

_WARNING = (
    "This stores pictures of people on disk, outside what Mien forgets by itself: neither the retention of "
    "history nor forgetting a person reaches them. Have a reason and a right to it, and delete them with "
    "mien replay forget {folder}"
)
_MOST_FPS = 30.0


@app.command("record")
def record_command(
    folder: Annotated[Path, typer.Argument(help="New folder for the recording.", file_okay=False)],
    minutes: Annotated[float, typer.Option(min=0.01, max=24 * 60, help="Longest time to record.")] = 10,
    max_mb: Annotated[int, typer.Option("--max-mb", min=1, help="Ends when it has grown to this.")] = 1000,
    cameras: Annotated[
        list[str] | None, typer.Option("--camera", help="Only this camera; may be repeated. All otherwise.")
    ] = None,
    kafka: Annotated[
        str | None,
        typer.Option(
            envvar="MIEN_KAFKA_BOOTSTRAP_SERVERS",
            help="host:port of the broker; otherwise that of the running mien up.",
        ),
    ] = None,
) -> None:
    """Record the frames of cameras as they are analysed: sampled, and one a second while nothing moves.

    Ends with Ctrl-C, too. The pictures lie in a folder that only you can read.
    """
    with _told():
        bootstrap_servers = kafka or _kafka_of_home()
        err.print(_WARNING.format(folder=folder), style="yellow", highlight=False, soft_wrap=True)
        writer = RecordingWriter(folder.resolve(), max_bytes=max_mb * 1_000_000)
        try:
            done = asyncio.run(_record(bootstrap_servers, writer, minutes * 60, cameras or []))
        finally:
            writer.close()
    if unknown := sorted(set(cameras or []) - set(writer.counts)):
        err.print(f"nothing came from {', '.join(unknown)}", highlight=False)
    if not done.frames:
        forget_recording(folder.resolve())
        err.print("no frame came, so nothing was kept: does a camera stream?", style="red")
        raise typer.Exit(1)
    out.print(f"{_progress(done, writer)} are in {folder}", highlight=False, soft_wrap=True)
    if done.is_full:
        out.print(f"It ended at {max_mb} MB (--max-mb).", highlight=False)
    out.print(f"Next: mien replay play {folder} --add", highlight=False, soft_wrap=True)


@app.command()
def play(
    folder: Folder,
    cameras: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=500,
            help="How many virtual cameras; more than were recorded show the same, begun at other times.",
        ),
    ] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=20, help="2 shows it in half the time.")] = 1.0,
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end, until Ctrl-C.")] = False,
    add: Annotated[
        bool, typer.Option("--add", help="Register the cameras in the running Mien, and remove them after.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="HTTP port; 0 takes a free one.")] = 0,
) -> None:
    """Show a recording as MJPEG cameras, at the pace at which it was taken.

    The first line of output is a JSON object with every camera's address. A camera begins when it is first
    opened; the command ends when all have shown everything. Where nothing came for a while, nothing is sent
    for as long.
    """
    with _told():
        recording = read_recording(folder.resolve())
        if recording.missing:
            err.print(f"{recording.missing} pictures of the recording are gone", highlight=False)
        shown = replaying(recording, cameras=cameras, speed=speed, loop=loop, host=host, port=port)
        asyncio.run(_play(shown, add=add, speed=speed))


@app.command()
def show(folder: Folder) -> None:
    """Say what a recording holds."""
    with _told():
        recording = read_recording(folder.resolve())
    if not recording.frames:
        out.print("It holds no pictures.")
        return
    table = Table("Camera", "Pictures", "From", "Seconds", "Size", "MB")
    for camera_id, frames in recording.frames.items():
        first, last = frames[0], frames[-1]
        table.add_row(
            camera_id,
            str(len(frames)),
            f"{datetime.fromtimestamp(first.captured_at_ns / 1e9).astimezone():%Y-%m-%d %H:%M:%S}",
            f"{(last.captured_at_ns - first.captured_at_ns) / 1e9:.1f}",
            f"{first.size_wh[0]}x{first.size_wh[1]}",
            f"{sum(frame.jpeg_bytes for frame in frames) / 1e6:.1f}",
        )
    out.print(table)
    if recording.missing:
        out.print(f"{recording.missing} pictures of it are gone.")


@app.command()
def forget(folder: Folder, yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False) -> None:
    """Delete a recording with all its pictures; there is no way back."""
    with _told():
        recording = read_recording(folder.resolve())
        count = sum(map(len, recording.frames.values()))
        if not yes:
            typer.confirm(f"Delete {count} pictures of {len(recording.frames)} cameras for ever?", abort=True)
        forget_recording(folder.resolve())
    out.print(f"{folder} is gone", highlight=False, soft_wrap=True)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (MienError, NotRunningError) as error:
        err.print(str(error), style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _kafka_of_home() -> str:
    home = Home.locate()
    home.read_state()
    return f"127.0.0.1:{read_ports(home.ports)['kafka']}"


async def _record(
    bootstrap_servers: str, writer: RecordingWriter, seconds: float, camera_ids: list[str]
) -> Recorded:
    with Live(Text("waiting for frames …"), console=err, transient=True) as live:
        async with listening(bootstrap_servers) as consumer, _interrupted() as stop:
            return await record(
                consumer,
                writer,
                seconds=seconds,
                camera_ids=camera_ids,
                stop=stop,
                on_progress=lambda done: live.update(Text(_progress(done, writer))),
            )


def _progress(done: Recorded, writer: RecordingWriter) -> str:
    words = f"{done.frames} pictures of {len(writer.counts)} cameras, {writer.jpeg_bytes / 1e6:.1f} MB"
    missed = f"; {done.missed} came too fast and were missed" if done.missed else ""
    malformed = f"; {done.malformed} messages were no frames" if done.malformed else ""
    return words + missed + malformed


async def _play(shown: AbstractAsyncContextManager[Replay], *, add: bool, speed: float) -> None:
    async with shown as replay, _interrupted() as stop:
        print(json.dumps({"cameras": replay.addresses}), flush=True)
        async with _registered(replay, speed=speed) if add else nullcontext():
            ended, stopped = asyncio.create_task(replay.ended()), asyncio.create_task(stop.wait())
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if ended.done():
                ended.result()
            ended.cancel()


@asynccontextmanager
async def _registered(replay: Replay, *, speed: float) -> AsyncIterator[None]:
    added: list[str] = []
    try:
        await asyncio.to_thread(_add, replay, speed, added)
        yield
    finally:
        await asyncio.to_thread(_remove, added)


def _add(replay: Replay, speed: float, added: list[str]) -> None:
    with gateway() as api:
        for camera in replay.cameras:
            # Above the recorded rate, so that sampling a second time leaves nothing out.
            body = {
                "camera_id": camera.name,
                "name": camera.name.removeprefix("replay-") + " (replay)",
                "url": replay.addresses[camera.name],
                "sampled_fps": min(max(2 * camera.fps * speed, 1.0), _MOST_FPS),
            }
            answer(api.post("/api/cameras", json=body))
            added.append(camera.name)
    err.print(f"{len(added)} cameras are registered", highlight=False)


def _remove(added: list[str]) -> None:
    if added:
        with gateway() as api:
            for camera_id in added:
                answer(api.delete(f"/api/cameras/{camera_id}"))
        err.print(f"{len(added)} cameras are removed again", highlight=False)


@asynccontextmanager
async def _interrupted() -> AsyncIterator[asyncio.Event]:
    """Yield an event that Ctrl-C and the end of the process set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop.set)
    try:
        yield stop
    finally:
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(signum)
