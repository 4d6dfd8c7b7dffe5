"""All parts of the camera simulator, running together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from mien.simulator.auth import Credentials
from mien.simulator.camera import SimulatedCamera
from mien.simulator.http import control_app, mjpeg_app, serve_app
from mien.simulator.rtsp import RtspServer
from mien.simulator.scene import Scene


@dataclass(frozen=True)
class CameraSimulator:
    """Simulated cameras that can be reached.

    Attributes:
        mjpeg_port: None when MJPEG was not asked for.
        control_port: None when faults by HTTP were not asked for; in process, use the cameras' attributes.
    """

    cameras: dict[str, SimulatedCamera]
    rtsp: RtspServer
    mjpeg_port: int | None
    control_port: int | None

    def rtsp_url(self, name: str) -> str:
        """Address of a camera, without credentials."""
        return f"rtsp://{self.rtsp.host}:{self.rtsp.port}/{name}"

    def mjpeg_url(self, name: str) -> str:
        """Address of a camera's MJPEG stream, without credentials."""
        return f"http://{self.rtsp.host}:{self.mjpeg_port}/{name}.mjpg"


@asynccontextmanager
async def run_simulator(
    cameras: Sequence[SimulatedCamera],
    *,
    scenes: Sequence[Scene] = (),
    host: str = "127.0.0.1",
    port: int = 0,
    mjpeg_port: int | None = None,
    control_port: int | None = None,
    credentials: Credentials | None = None,
) -> AsyncIterator[CameraSimulator]:
    """Run cameras while the context is open; port 0 takes a free one, None leaves a side out."""
    by_name = {camera.name: camera for camera in cameras}
    by_name |= {stream.name: stream for scene in scenes for stream in scene.streams}
    rtsp = RtspServer(by_name, host=host, port=port, credentials=credentials)
    async with AsyncExitStack() as stack:
        await rtsp.accept()
        stack.push_async_callback(rtsp.refuse)
        if mjpeg_port is not None:
            app = mjpeg_app(by_name, credentials)
            mjpeg_port = await stack.enter_async_context(serve_app(app, host=host, port=mjpeg_port))
        if control_port is not None:
            # Faults are for whoever runs the simulator, so never on an outside address.
            app = control_app(rtsp)
            control_port = await stack.enter_async_context(
                serve_app(app, host="127.0.0.1", port=control_port)
            )
        pumps = [asyncio.create_task(camera.run()) for camera in cameras]
        pumps += [asyncio.create_task(scene.run()) for scene in scenes]
        stack.push_async_callback(_cancel, pumps)
        yield CameraSimulator(by_name, rtsp, mjpeg_port, control_port)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
