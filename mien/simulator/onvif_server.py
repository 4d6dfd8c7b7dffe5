"""The simulator's ONVIF side: services that answer, and are found."""

import asyncio
from collections.abc import Mapping

from mien.simulator.auth import Credentials
from mien.simulator.camera import SimulatedCamera
from mien.simulator.discovery import ProbeResponder, group_socket
from mien.simulator.http import HttpServer
from mien.simulator.onvif import Addresses, devices_of, onvif_app


class OnvifServer:
    """Serves each camera's ONVIF services, and answers whoever searches for cameras.

    Attributes:
        devices: One for each camera; a main stream is its camera's.
    """

    def __init__(
        self,
        cameras: Mapping[str, SimulatedCamera],
        *,
        host: str,
        port: int,
        credentials: Credentials | None,
        addresses: Addresses,
    ) -> None:
        self.devices = devices_of(cameras)
        self._host = host
        self._http = HttpServer(onvif_app(self.devices, credentials, addresses), host=host, port=port)
        self._probes: asyncio.DatagramTransport | None = None

    def address(self, name: str) -> str | None:
        """Return where a camera's device service is; None for a main stream, which is of another's."""
        paths = {device.name: device.path for device in self.devices}
        return f"http://{self._host}:{self._http.port}{paths[name]}" if name in paths else None

    async def accept(self) -> None:
        """Begin to answer, on the same port as before.

        Raises:
            OSError: The port is taken, or the host's interface takes no part in multicast.
        """
        await self._http.accept()
        if self._probes is None:
            responder = ProbeResponder(self.devices, host=self._host, port=self._http.port)
            loop = asyncio.get_running_loop()
            self._probes, _ = await loop.create_datagram_endpoint(
                lambda: responder, sock=group_socket(self._host)
            )

    async def refuse(self) -> None:
        """Answer nobody, as without power."""
        self._stop_probes()
        await self._http.refuse()

    async def close(self) -> None:
        """End everything."""
        self._stop_probes()
        await self._http.close()

    def _stop_probes(self) -> None:
        if self._probes is not None:
            self._probes.close()
            self._probes = None
