"""The simulator's ONVIF services: who a camera is, and where its streams are (device and media, version 1).

Answers are written by hand, in the namespaces that ONVIF's specifications give them, so that strict clients
read them, too. Of requests only what these answers need is read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

from aiohttp import web
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from mien.simulator.auth import Credentials, UserToken, asked_of
from mien.simulator.camera import SimulatedCamera
from mien.simulator.clips import FPS
from mien.simulator.http import while_half_open

MAIN_STREAM_SUFFIX: Final = "-main"
ELSEWHERE: Final = "192.0.2.9"
"""An address of nobody's (RFC 5737), as of the inner side of a camera's own network."""
_PATH: Final = "/onvif/device_service"
_CODECS: Final = {"h264": "H264", "hevc": "H265"}
_OPEN_TO_ALL: Final = "GetSystemDateAndTime"
_NAMESPACES: Final = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema"'
)


class FaultAnswerError(Exception):
    """A request is answered with a fault.

    Attributes:
        code: Of ONVIF's, such as NotAuthorized.
    """

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True)
class OnvifDevice:
    """One camera as ONVIF knows it: its streams, the one it is named after first.

    Attributes:
        streams: Those of the same view, such as NAME and NAME-main.
    """

    streams: tuple[SimulatedCamera, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.streams[0].name

    @property
    def path(self) -> str:
        """Where its services are."""
        return f"/{self.name}{_PATH}"


def devices_of(cameras: Mapping[str, SimulatedCamera]) -> list[OnvifDevice]:
    """Return what is one camera each: one named NAME-main is the main stream of NAME, if there is one."""
    devices = []
    for name, camera in cameras.items():
        if cameras.get(name.removesuffix(MAIN_STREAM_SUFFIX)) not in (None, camera):
            continue
        main = cameras.get(name + MAIN_STREAM_SUFFIX)
        devices.append(OnvifDevice((camera,) if main is None else (camera, main)))
    return devices


Addresses = Callable[[str], Mapping[str, str]]
"""Tells the addresses of a stream by kind, whatever host they name."""


def onvif_app(
    devices: Sequence[OnvifDevice], credentials: Credentials | None, addresses: Addresses
) -> web.Application:
    """Return the web application of the devices: each at its path, the first at ONVIF's usual one, too."""

    async def answer(request: web.Request) -> web.Response:
        name = request.match_info.get("name", devices[0].name)
        device = next((one for one in devices if one.name == name), None)
        if device is None:
            raise web.HTTPNotFound
        await while_half_open(device.streams[0])
        service = OnvifService(device, credentials, addresses, asked_at=str(request.url))
        try:
            return _envelope(service.answer(await request.text()))
        except FaultAnswerError as fault:
            return _envelope(_fault(fault), status=400)

    app = web.Application(client_max_size=64 * 1024)
    app.add_routes([web.post(_PATH, answer), web.post(f"/{{name}}{_PATH}", answer)])
    return app


class OnvifService:
    """Answers requests to one device.

    Args:
        asked_at: Where the device was asked: it names the same host.
    """

    def __init__(
        self, device: OnvifDevice, credentials: Credentials | None, addresses: Addresses, *, asked_at: str
    ) -> None:
        self._device = device
        self._credentials = credentials
        self._addresses = addresses
        self._asked_at = asked_at
        self._answers: dict[str, Callable[[Element], str]] = {
            "GetSystemDateAndTime": self._date_and_time,
            "GetDeviceInformation": self._device_information,
            "GetScopes": self._scopes,
            "GetServices": self._services,
            "GetCapabilities": self._capabilities,
            "GetProfiles": self._profiles,
            "GetStreamUri": self._stream_uri,
            "GetSnapshotUri": self._snapshot_uri,
        }

    def answer(self, text: str) -> str:
        """Return the body of the answer to an envelope.

        Raises:
            FaultAnswerError: It is none, of nobody who may ask, or asks for what there isn't.
        """
        try:
            root: Element = fromstring(text, forbid_dtd=True)
            request = next(iter(next(one for one in root.iter() if _local(one) == "Body")))
        except (ParseError, DefusedXmlException, ValueError, StopIteration) as error:
            raise FaultAnswerError("WellFormed", "expected a SOAP envelope with a request") from error
        name = _local(request)
        if name != _OPEN_TO_ALL and not self._accepts(root):
            raise FaultAnswerError("NotAuthorized", "Sender not authorized")
        if name not in self._answers:
            raise FaultAnswerError("ActionNotSupported", f"{name} is not simulated")
        return self._answers[name](request)

    @property
    def _now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._device.streams[0].faults.clock)

    def _accepts(self, root: Element) -> bool:
        asked = asked_of(self._device.streams[0], self._credentials)
        if asked is None:
            return True
        told = {_local(one): (one.text or "").strip() for one in root.iter()}
        token = UserToken(*(told.get(part, "") for part in ("Username", "Password", "Nonce", "Created")))
        return asked.accept_token(token, now=self._now)

    def _date_and_time(self, _: Element) -> str:
        now = self._now
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
            "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time>"
            f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
            "</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _device_information(self, _: Element) -> str:
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Mien</tds:Manufacturer>"
            "<tds:Model>simulated camera</tds:Model><tds:FirmwareVersion>1</tds:FirmwareVersion>"
            f"<tds:SerialNumber>{escape(self._device.name)}</tds:SerialNumber>"
            "<tds:HardwareId>simulated</tds:HardwareId></tds:GetDeviceInformationResponse>"
        )

    def _scopes(self, _: Element) -> str:
        listed = "".join(
            f"<tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef><tt:ScopeItem>{scope}</tt:ScopeItem></tds:Scopes>"
            for scope in scopes_of(self._device)
        )
        return f"<tds:GetScopesResponse>{listed}</tds:GetScopesResponse>"

    def _services(self, _: Element) -> str:
        listed = "".join(
            f"<tds:Service><tds:Namespace>http://www.onvif.org/ver10/{kind}/wsdl</tds:Namespace>"
            f"<tds:XAddr>{self._service_address()}</tds:XAddr><tds:Version><tt:Major>2</tt:Major>"
            "<tt:Minor>0</tt:Minor></tds:Version></tds:Service>"
            for kind in ("device", "media")
        )
        return f"<tds:GetServicesResponse>{listed}</tds:GetServicesResponse>"

    def _capabilities(self, _: Element) -> str:
        address = self._service_address()
        return (
            "<tds:GetCapabilitiesResponse><tds:Capabilities>"
            f"<tt:Device><tt:XAddr>{address}</tt:XAddr></tt:Device><tt:Media><tt:XAddr>{address}</tt:XAddr>"
            "<tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP>"
            "<tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media>"
            "</tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    def _profiles(self, _: Element) -> str:
        listed = "".join(map(_profile, self._device.streams))
        return f"<trt:GetProfilesResponse>{listed}</trt:GetProfilesResponse>"

    def _stream_uri(self, request: Element) -> str:
        return self._media_uri("GetStreamUri", request, "rtsp")

    def _snapshot_uri(self, request: Element) -> str:
        return self._media_uri("GetSnapshotUri", request, "snapshot")

    def _media_uri(self, action: str, request: Element, kind: str) -> str:
        token = next((one.text or "" for one in request.iter() if _local(one) == "ProfileToken"), "")
        if token not in {stream.name for stream in self._device.streams}:
            raise FaultAnswerError("NoProfile", f"there is no profile {token!r}")
        if (address := self._addresses(token).get(kind)) is None:
            raise FaultAnswerError("ActionNotSupported", "the simulator has no HTTP side: start it with one")
        return (
            f"<trt:{action}Response><trt:MediaUri><tt:Uri>{self._named(address)}</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
            "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout>"
            f"</trt:MediaUri></trt:{action}Response>"
        )

    def _service_address(self) -> str:
        return self._named(urljoin(self._asked_at, quote(self._device.path)))

    def _named(self, address: str) -> str:
        """Return an address at the host that was asked, as a text of XML."""
        parts = urlsplit(address)
        is_elsewhere = self._device.streams[0].faults.wrong_host
        host = ELSEWHERE if is_elsewhere else urlsplit(self._asked_at).hostname
        netloc = f"{host}:{parts.port}" if parts.port else f"{host}"
        return escape(urlunsplit(parts._replace(netloc=netloc)))


def scopes_of(device: OnvifDevice) -> list[str]:
    """Return what a device says of itself in discovery, ready to be put into XML."""
    base = "onvif://www.onvif.org"
    scopes = ["type/video_encoder", "Profile/Streaming", f"name/{quote(device.name, safe='')}"]
    return [f"{base}/{scope}" for scope in [*scopes, "hardware/simulated_camera"]]


def _profile(stream: SimulatedCamera) -> str:
    name = escape(stream.name, {'"': "&quot;"})
    width, height = stream.source.size_wh
    bounds = f'x="0" y="0" width="{width}" height="{height}"'
    return (
        f'<trt:Profiles token="{name}" fixed="true"><tt:Name>{name}</tt:Name>'
        f'<tt:VideoSourceConfiguration token="{name}"><tt:Name>{name}</tt:Name><tt:UseCount>1</tt:UseCount>'
        f"<tt:SourceToken>{name}</tt:SourceToken><tt:Bounds {bounds}/></tt:VideoSourceConfiguration>"
        f'<tt:VideoEncoderConfiguration token="{name}"><tt:Name>{name}</tt:Name><tt:UseCount>1</tt:UseCount>'
        f"<tt:Encoding>{_CODECS[stream.source.codec]}</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
        f"<tt:Quality>5</tt:Quality><tt:RateControl><tt:FrameRateLimit>{FPS}</tt:FrameRateLimit>"
        "<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>"
        "</tt:VideoEncoderConfiguration></trt:Profiles>"
    )


def _fault(fault: FaultAnswerError) -> str:
    return (
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value>"
        f"<s:Subcode><s:Value>ter:{fault.code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{escape(str(fault))}</s:Text></s:Reason></s:Fault>'
    )


def _envelope(body: str, *, status: int = 200) -> web.Response:
    text = f"<s:Envelope {_NAMESPACES}><s:Body>{body}</s:Body></s:Envelope>"
    return web.Response(
        text=f'<?xml version="1.0" encoding="UTF-8"?>{text}',
        status=status,
        content_type="application/soap+xml",
    )


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
