"""``mien camera-simulator FILE…``: cameras of every kind from files, with faults on demand."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from mien.simulator.auth import Credentials
from mien.simulator.camera import (
    BARCODE_SIZE_WH,
    BarcodeSource,
    ClipSource,
    PictureSource,
    SimulatedCamera,
)
from mien.simulator.certificate import make_certificate
from mien.simulator.clips import FPS, ClipError, load_clip
from mien.simulator.faults import FAULTS, FaultError
from mien.simulator.scene import Scene
from mien.simulator.simulator import CameraSimulator, run_simulator


def _help() -> str:
    listed = "\n\n".join(f"{name}: {words}." for name, words in FAULTS.items())
    return (
        "Play files as cameras, rtsp://HOST:PORT/NAME each (over TCP or UDP), until interrupted.\n\n"
        "The first line of output is a JSON object with every camera's addresses, the control port and the "
        "certificate's fingerprint.\n\n"
        "Faults, at the start with --fault, later by the control port "
        "(curl -X PUT localhost:PORT/cameras/NAME/faults/loss?value=0.1, -X DELETE heals):\n\n" + listed
    )


def camera_simulator(  # noqa: PLR0913, PLR0917 - one parameter for each option of the command line
    files: Annotated[list[Path], typer.Argument(help="Video files (or pictures), one camera each")],
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="RTSP port; 0 takes a free one")] = 8554,
    username: Annotated[str | None, typer.Option(help="User name the cameras ask for")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input")
    ] = False,
    basic_auth: Annotated[
        bool, typer.Option("--basic", help="Basic instead of digest authentication")
    ] = False,
    mjpeg_port: Annotated[
        int | None,
        typer.Option(help="Also serve /NAME.mjpg, /NAME.jpg and HLS at /NAME/index.m3u8 on this HTTP port"),
    ] = None,
    onvif_port: Annotated[
        int | None,
        typer.Option(
            help="Be found by searches on the host's interface and answer them over ONVIF, on this port; "
            "NAME-main is the main stream of NAME"
        ),
    ] = None,
    tls: Annotated[
        bool, typer.Option("--tls", help="RTSPS and HTTPS, too, with a certificate signed by itself")
    ] = False,
    control_port: Annotated[
        int | None, typer.Option(help="Switch faults over HTTP, on this port of 127.0.0.1 (GET /faults)")
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME:FAULT[=VALUE]", help="What a camera does wrong from the start"),
    ] = None,
    barcode: Annotated[
        bool, typer.Option("--barcode", help="Burn the sending time into each picture (encodes live)")
    ] = False,
    main_width: Annotated[
        int | None,
        typer.Option(
            min=BARCODE_SIZE_WH[0],
            max=3840,
            help="With --barcode: a main stream of this width, too, of the same moments, at /NAME-main",
        ),
    ] = None,
    copies: Annotated[
        int, typer.Option(min=1, max=1000, help="Cameras of each file, NAME-1 to NAME-N, not in step")
    ] = 1,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="Begin each clip when its first viewer comes")
    ] = False,
) -> None:
    if password_stdin != (username is not None):
        sys.exit("--username and --password-stdin go together")
    credentials = None
    if username is not None:
        password = sys.stdin.readline().rstrip("\n")
        credentials = Credentials(username, password, "basic" if basic_auth else "digest")
    if main_width is not None and (not barcode or main_width % 160):
        sys.exit("--main-width is a multiple of 160 and goes with --barcode")
    if copies > 1 and barcode:
        sys.exit("--copies repeats clips, --barcode encodes live: they don't go together")
    names = [file.stem for file in files]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        sys.exit(f"cameras are named after their files, so these need other names: {doubles}")
    try:
        scenes = [_scene(file, main_width) for file in files if main_width is not None]
        cameras: list[SimulatedCamera] = []
        for file in files if main_width is None else []:
            source = _source(file, barcode=barcode, with_jpegs=mjpeg_port is not None)
            cameras += _copies(file.stem, source, copies, from_start=from_start)
    except ClipError as error:
        sys.exit(str(error))
    _break([*cameras, *(stream for scene in scenes for stream in scene.streams)], faults or [])
    with TemporaryDirectory() as folder:
        simulator = run_simulator(
            cameras,
            scenes=scenes,
            host=host,
            port=port,
            credentials=credentials,
            mjpeg_port=mjpeg_port,
            onvif_port=onvif_port,
            control_port=control_port,
            certificate=make_certificate(Path(folder), host=host) if tls else None,
        )
        try:
            asyncio.run(_run(simulator))
        except OSError as error:  # a port is taken, or a host is none of this machine's
            sys.exit(f"the simulator can't listen on {host}: {error}")


camera_simulator.__doc__ = _help()


def _source(path: Path, *, barcode: bool, with_jpegs: bool) -> PictureSource:
    clip = load_clip(path)
    return BarcodeSource(path) if barcode else ClipSource(clip, with_jpegs=with_jpegs)


def _copies(name: str, source: PictureSource, copies: int, *, from_start: bool) -> Iterator[SimulatedCamera]:
    if copies == 1 or not isinstance(source, ClipSource):
        yield SimulatedCamera(name, source, from_start=from_start)
        return
    for number in range(copies):
        share = number / copies
        yield SimulatedCamera(
            f"{name}-{number + 1}",
            source.copy_from(share),
            from_start=from_start,
            delay_seconds=share / FPS,
        )


def _scene(path: Path, main_width: int) -> Scene:
    load_clip(path)  # says what is wrong with a file that can't be shown
    sizes_wh = {path.stem: BARCODE_SIZE_WH, f"{path.stem}-main": (main_width, main_width * 9 // 16)}
    return Scene(path, sizes_wh)


def _break(cameras: list[SimulatedCamera], faults: list[str]) -> None:
    by_name = {camera.name: camera for camera in cameras}
    for text in faults:
        name, colon, fault = text.partition(":")
        if not colon or name not in by_name:
            sys.exit(f"--fault {text}: expected NAME:FAULT[=VALUE] with a name of {sorted(by_name)}")
        fault, equals, value = fault.partition("=")
        try:
            by_name[name].faults.set(fault, value if equals else None)
        except FaultError as error:
            sys.exit(f"--fault {text}: {error}")


async def _run(running: AbstractAsyncContextManager[CameraSimulator]) -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    async with running as simulator:
        certificate = simulator.certificate
        started = {
            "cameras": {name: simulator.addresses(name) for name in simulator.cameras},
            "control_port": simulator.control_port,
            "certificate_sha256": None if certificate is None else certificate.sha256,
        }
        print(json.dumps(started), flush=True)
        await stop.wait()


if __name__ == "__main__":
    typer.run(camera_simulator)
