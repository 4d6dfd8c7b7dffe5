"""All parts of the camera simulator, running together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace

from mien.simulator.auth import Credentials
from mien.simulator.camera import SimulatedCamera
from mien.simulator.certificate import Certificate
from mien.simulator.control import control_app
from mien.simulator.http import HttpServer, camera_app, serve_app
from mien.simulator.onvif_server import OnvifServer
from mien.simulator.rtsp import RtspServer
from mien.simulator.scene import Scene


@dataclass(frozen=True)
class CameraSimulator:
    """Simulated cameras that can be reached.

    Attributes:
        http: None when the HTTP side was not asked for.
        onvif: The same of the ONVIF side.
        control_port: None when faults by HTTP were not asked for; in process, use the cameras' faults.
        certificate: What the encrypted sides show; None without them.
    """

    cameras: dict[str, SimulatedCamera]
    rtsp: RtspServer
    http: HttpServer | None
    onvif: OnvifServer | None = None
    certificate: Certificate | None = None
    control_port: int | None = None

    @property
    def mjpeg_port(self) -> int | None:
        """Port of the HTTP side."""
        return None if self.http is None else self.http.port

    def rtsp_url(self, name: str) -> str:
        """Address of a camera, without credentials."""
        return f"rtsp://{self.rtsp.host}:{self.rtsp.port}/{name}"

    def mjpeg_url(self, name: str) -> str:
        """Address of a camera's MJPEG stream, without credentials."""
        return f"http://{self.rtsp.host}:{self.mjpeg_port}/{name}.mjpg"

    def addresses(self, name: str) -> dict[str, str]:
        """Return all addresses of a camera, by kind, without credentials."""
        addresses = {"rtsp": self.rtsp_url(name)}
        if self.rtsp.tls_port is not None:
            addresses["rtsps"] = f"rtsps://{self.rtsp.host}:{self.rtsp.tls_port}/{name}"
        if self.http is not None:
            web = {"http": self.http.port, "https": self.http.tls_port}
            for scheme, port in web.items():
                if port is not None:
                    end = "s" if scheme == "https" else ""
                    base = f"{scheme}://{self.rtsp.host}:{port}/{name}"
                    addresses[f"mjpeg{end}"] = f"{base}.mjpg"
                    addresses[f"snapshot{end}"] = f"{base}.jpg"
                    addresses[f"hls{end}"] = f"{base}/index.m3u8"
        if self.onvif is not None and (address := self.onvif.address(name)) is not None:
            addresses["onvif"] = address
        return addresses

    async def refuse(self) -> None:
        """Be as without power: nothing listens, and all connections are closed."""
        await self.rtsp.refuse()
        if self.http is not None:
            await self.http.refuse()
        if self.onvif is not None:
            await self.onvif.refuse()
        for camera in self.cameras.values():
            camera.drop()

    async def accept(self) -> None:
        """Listen again, on the same ports."""
        await self.rtsp.accept()
        if self.http is not None:
            await self.http.accept()
        if self.onvif is not None:
            await self.onvif.accept()


@asynccontextmanager
async def run_simulator(  # noqa: PLR0913 - one parameter for each side
    cameras: Sequence[SimulatedCamera],
    *,
    scenes: Sequence[Scene] = (),
    host: str = "127.0.0.1",
    port: int = 0,
    mjpeg_port: int | None = None,
    onvif_port: int | None = None,
    control_port: int | None = None,
    credentials: Credentials | None = None,
    certificate: Certificate | None = None,
) -> AsyncIterator[CameraSimulator]:
    """Run cameras while the context is open; port 0 takes a free one, None leaves a side out.

    Args:
        mjpeg_port: Of the HTTP side.
        onvif_port: Of the ONVIF side; its cameras are found by whoever searches on the host's interface.
        certificate: Adds RTSPS, and HTTPS where there is an HTTP side.
    """
    by_name = {camera.name: camera for camera in cameras}
    by_name |= {stream.name: stream for scene in scenes for stream in scene.streams}
    tls = None if certificate is None else certificate.server_context()
    rtsp = RtspServer(by_name, host=host, port=port, credentials=credentials, tls=tls)
    http = onvif = None
    async with AsyncExitStack() as stack:
        await rtsp.accept()
        stack.push_async_callback(rtsp.refuse)
        if mjpeg_port is not None:
            http = HttpServer(camera_app(by_name, credentials), host=host, port=mjpeg_port, tls=tls)
            stack.push_async_callback(http.close)
            await http.accept()
        if onvif_port is not None:
            media = CameraSimulator(by_name, rtsp, http)
            onvif = OnvifServer(
                by_name, host=host, port=onvif_port, credentials=credentials, addresses=media.addresses
            )
            stack.push_async_callback(onvif.close)
            await onvif.accept()
        simulator = CameraSimulator(by_name, rtsp, http, onvif, certificate)
        if control_port is not None:
            # Faults are for whoever runs the simulator, so never on an outside address.
            app = control_app(by_name, refuse=simulator.refuse, accept=simulator.accept)
            control_port = await stack.enter_async_context(
                serve_app(app, host="127.0.0.1", port=control_port)
            )
        pumps = [asyncio.create_task(camera.run()) for camera in cameras]
        pumps += [asyncio.create_task(scene.run()) for scene in scenes]
        stack.push_async_callback(_cancel, pumps)
        yield replace(simulator, control_port=control_port)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
