"""Looking for ONVIF cameras: a WS-Discovery probe on every network interface (OASIS WS-Discovery 1.0).

A probe is a multicast datagram; each camera that hears it answers to where it came from. Answers are from
anybody: they are parsed as hostile, must name a probe of ours, and lead nowhere but to their sender.
"""

import asyncio
import ipaddress
import re
import socket
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

import psutil
import structlog

from mien.contracts.camera_requests import CameraDevice
from services.ingest.soap import find, find_all, parse_untrusted, text_of

log = structlog.get_logger()

GROUP: Final = ("239.255.255.250", 3702)
_TTL: Final = 4
_MAX_DATAGRAM: Final = 64 * 1024
_MAX_DEVICES: Final = 512
_MAX_ANSWERS: Final = 4096
# Datagrams get lost, and cameras that hear several probes at once answer only some of them.
_PROBE_AT_SECONDS: Final = (0.0, 0.5, 1.2)
_TYPES: Final = (
    ("tds:Device", "http://www.onvif.org/ver10/device/wsdl"),
    ("dn:NetworkVideoTransmitter", "http://www.onvif.org/ver10/network/wsdl"),
)
_SCOPE: Final = re.compile(r"^onvif://www\.onvif\.org/(name|hardware)/(.+)$", re.IGNORECASE)


@dataclass(frozen=True)
class SearchResult:
    """How a search went.

    Attributes:
        searched: Addresses of the interfaces that a probe left through.
    """

    found: int
    searched: list[str]


async def search(
    seconds: float, found: Callable[[CameraDevice], None], *, interfaces: Iterable[str] = ()
) -> SearchResult:
    """Look for cameras; each is told once, as it answers.

    Args:
        interfaces: IPv4 addresses of this machine to look from; none means all but the loopback.
    """
    searching = _Search(found)
    loop = asyncio.get_running_loop()
    transports: list[tuple[str, asyncio.DatagramTransport]] = []
    try:
        for address in list(interfaces) or own_addresses():
            with suppress(OSError):  # an interface that has just gone, or has no route for multicast
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: searching, sock=_multicast_socket(address)
                )
                transports.append((address, transport))
        await searching.probe(transports, seconds)
    finally:
        for _, transport in transports:
            transport.close()
    return SearchResult(searching.count, sorted(searching.reached))


def own_addresses() -> list[str]:
    """Return this machine's IPv4 addresses, one of each interface that is up and not the loopback."""
    states = psutil.net_if_stats()
    return [
        str(entry.address)
        for name, entries in psutil.net_if_addrs().items()
        if name in states and states[name].isup
        for entry in entries
        if entry.family == socket.AF_INET and not ipaddress.ip_address(entry.address).is_loopback
    ]


def build_probe(types: tuple[str, str], message_id: str) -> bytes:
    """Return a probe for devices of a type."""
    name, namespace = types
    prefix = name.partition(":")[0]
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header>'
        '<a:Action s:mustUnderstand="1">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>'
        f"<a:MessageID>{message_id}</a:MessageID>"
        "<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address>"
        '</a:ReplyTo><a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>'
        '</s:Header><s:Body><Probe xmlns="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        f'<d:Types xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:{prefix}="{namespace}">'
        f"{name}</d:Types></Probe></s:Body></s:Envelope>"
    ).encode()


def read_answer(datagram: bytes, sender: str, *, asked: Callable[[str], bool]) -> dict[str, CameraDevice]:
    """Return the devices that an answer tells of, by their identifiers; none where it is no answer to us.

    Args:
        sender: IP address that it came from: the only one that it may lead to.
        asked: Whether a message id is one of ours.
    """
    if len(datagram) > _MAX_DATAGRAM:
        return {}
    try:
        root = parse_untrusted(datagram)
    except ValueError:
        return {}
    if not asked(text_of(root, "Header", "RelatesTo")):
        return {}
    devices = {}
    for match in find_all(root, "ProbeMatch"):
        address = _choose_address(text_of(match, "XAddrs", limit=_MAX_DATAGRAM).split(), sender)
        if address is None:
            continue
        names = _names(text_of(match, "Scopes", limit=_MAX_DATAGRAM).split())
        identifier = text_of(find(match, "EndpointReference"), "Address") or address
        devices[identifier] = CameraDevice(
            address=address, host=sender, name=names.get("name", ""), model=names.get("hardware", "")
        )
    return devices


class _Search(asyncio.DatagramProtocol):
    """Sends probes and hears the answers, on all interfaces at once."""

    def __init__(self, found: Callable[[CameraDevice], None]) -> None:
        self.count = 0
        self.reached: set[str] = set()
        self._found = found
        self._message_ids: set[str] = set()
        self._known: set[str] = set()
        self._answers = 0

    async def probe(self, transports: list[tuple[str, asyncio.DatagramTransport]], seconds: float) -> None:
        """Probe now and again, and wait for answers."""
        begun = asyncio.get_running_loop().time()
        for at in _PROBE_AT_SECONDS:
            if at >= seconds:
                break
            await self._sleep_until(begun + at)
            for types in _TYPES:
                message_id = f"urn:uuid:{uuid.uuid4()}"
                self._message_ids.add(message_id)
                for address, transport in transports:
                    transport.sendto(build_probe(types, message_id), GROUP)
                    self.reached.add(address)
        if transports:
            await self._sleep_until(begun + seconds)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Tell of each device that is new; a flood of answers is cut off."""
        self._answers += 1
        if self._answers > _MAX_ANSWERS:
            return
        for identifier, device in read_answer(data, addr[0], asked=self._message_ids.__contains__).items():
            if {identifier, device.address} & self._known or self.count >= _MAX_DEVICES:
                continue
            self._known |= {identifier, device.address}
            self.count += 1
            self._found(device)

    def error_received(self, exc: Exception) -> None:
        """Go on: one network that can't be reached says nothing of the others."""
        log.debug("discovery.datagram_failed", error=type(exc).__name__)

    @staticmethod
    async def _sleep_until(moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - asyncio.get_running_loop().time()))


def _multicast_socket(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, _TTL)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        sock.bind((address, 0))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def _choose_address(addresses: list[str], sender: str) -> str | None:
    """Return the device service's address at the sender; its own host where it names others only."""
    usable = []
    for address in addresses[:16]:
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and parts.hostname:
            usable.append((parts.hostname != sender, parts, port))
    if not usable:
        return None
    _, parts, port = min(usable, key=lambda one: one[0])
    netloc = sender if port is None else f"{sender}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path or "/onvif/device_service", "", ""))


def _names(scopes: list[str]) -> dict[str, str]:
    names = {}
    for scope in scopes[:64]:
        if matched := _SCOPE.match(scope):
            words = " ".join(unquote(matched[2]).replace("_", " ").split())
            names[matched[1].lower()] = "".join(filter(str.isprintable, words))[:100]
    return names
