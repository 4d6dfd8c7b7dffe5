"""An ONVIF camera on the loopback: WS-Discovery, and the device and media services with a password."""

import asyncio
import base64
import hashlib
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast

from aiohttp import web

GROUP = ("239.255.255.250", 3702)
LOOPBACK = "127.0.0.1"


@dataclass
class OnvifCamera:
    """What the camera says; streams are (name, url, codec, width, height)."""

    username: str = "admin"
    password: str = "p&ss<1>"
    streams: list[tuple[str, str, str, int, int]] = field(
        default_factory=lambda: [
            ("Main", "rtsp://10.9.9.9:554/main?x=1&y=2", "H264", 1920, 1080),
            ("Sub", "rtsp://10.9.9.9:554/sub", "H264", 640, 360),
        ]
    )
    clock_ahead: timedelta = timedelta(hours=3)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        """Address of its device service."""
        return f"http://{LOOPBACK}:{self.port}/onvif/device_service"

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one SOAP request."""
        text = await request.text()
        wanted = re.search(r"<s:Body><(\w+)", text)
        name = wanted[1] if wanted else ""
        self.asked.append(name)
        if name != "GetSystemDateAndTime" and not self._accepts(text):
            fault = (
                "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value>"
                "</s:Subcode></s:Code><s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>"
            )
            return _envelope(fault, status=400)
        token = re.search(r"<ProfileToken>(\w+)<", text)
        return _envelope(getattr(self, f"_{name}")(token[1] if token else ""))

    def _accepts(self, text: str) -> bool:
        found = re.search(
            r"<wsse:Username>(.*?)<.*?PasswordDigest\">(.*?)<.*?<wsse:Nonce>(.*?)<.*?Created[^>]*>(.*?)<",
            text,
        )
        if found is None:
            return False
        username, digest, nonce, created = found.groups()
        # Cameras refuse tokens that are old by their own clock.
        age = datetime.now(UTC) + self.clock_ahead - datetime.fromisoformat(created)
        secret = base64.b64decode(nonce) + created.encode() + self.password.encode()
        expected = base64.b64encode(hashlib.sha1(secret).digest()).decode()
        return username == self.username and digest == expected and abs(age) < timedelta(seconds=30)

    def _GetSystemDateAndTime(self, _: str) -> str:  # noqa: N802 - named as the request
        now = datetime.now(UTC) + self.clock_ahead
        return (
            "<r><UTCDateTime>"
            f"<Time><Hour>{now.hour}</Hour><Minute>{now.minute}</Minute><Second>{now.second}</Second></Time>"
            f"<Date><Year>{now.year}</Year><Month>{now.month}</Month><Day>{now.day}</Day></Date>"
            "</UTCDateTime></r>"
        )

    def _GetCapabilities(self, _: str) -> str:  # noqa: N802 - named as the request
        return "<r><Media><XAddr>http://10.9.9.9:8000/onvif/media_service</XAddr></Media></r>"

    def _GetDeviceInformation(self, _: str) -> str:  # noqa: N802 - named as the request
        return "<r><Manufacturer>Acme</Manufacturer><Model>Dome 3</Model></r>"

    def _GetProfiles(self, _: str) -> str:  # noqa: N802 - named as the request
        return "".join(
            f'<x:Profiles xmlns:x="urn:x" token="{name}"><x:Name>{name}</x:Name><x:VideoEncoderConfiguration>'
            f"<x:Encoding>{codec}</x:Encoding><x:Resolution><x:Width>{width}</x:Width><x:Height>{height}"
            "</x:Height></x:Resolution><x:RateControl><x:FrameRateLimit>15</x:FrameRateLimit></x:RateControl>"
            "</x:VideoEncoderConfiguration></x:Profiles>"
            for name, _url, codec, width, height in self.streams
        )

    def _GetStreamUri(self, token: str) -> str:  # noqa: N802 - named as the request
        url = next(url for name, url, *_ in self.streams if name == token)
        return f"<r><Uri>{url.replace('&', '&amp;')}</Uri></r>"


def probe_match(relates_to: str, address: str, *, identifier: str = "urn:uuid:1") -> bytes:
    """Return an answer to a probe."""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="urn:a" xmlns:d="urn:d">'
        f"<s:Header><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>"
        f"<a:EndpointReference><a:Address>{identifier}</a:Address></a:EndpointReference>"
        "<d:Scopes>onvif://www.onvif.org/type/video onvif://www.onvif.org/name/Acme%20Dome_3 "
        "onvif://www.onvif.org/hardware/D3</d:Scopes>"
        f"<d:XAddrs>http://10.9.9.9/onvif/device_service {address}</d:XAddrs>"
        "</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


@asynccontextmanager
async def run_onvif_camera(camera: OnvifCamera) -> AsyncIterator[OnvifCamera]:
    """Let a camera answer on the loopback until the context ends."""
    app = web.Application()
    app.router.add_post("/{path:.*}", camera.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    camera.port = runner.addresses[0][1]
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Responder(camera), sock=_group_socket()
    )
    try:
        yield camera
    finally:
        transport.close()
        await runner.cleanup()


class _Responder(asyncio.DatagramProtocol):
    def __init__(self, camera: OnvifCamera) -> None:
        self._camera = camera

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember what to answer through."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a probe, twice, as lossy networks make cameras do."""
        found = re.search(rb"MessageID>(.*?)<", data)
        assert found is not None
        for _ in range(2):
            self._transport.sendto(probe_match(found[1].decode(), self._camera.address), addr)


def _group_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(GROUP)
    member = socket.inet_aton(GROUP[0]) + socket.inet_aton(LOOPBACK)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    sock.setblocking(False)
    return sock


def _envelope(body: str, *, status: int = 200) -> web.Response:
    text = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    )
    return web.Response(text=text, status=status, content_type="application/soap+xml")
