"""Answers searches for ONVIF cameras (OASIS WS-Discovery 1.0): probes by multicast."""

import asyncio
import re
import socket
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, cast

from mien.simulator.onvif import ELSEWHERE, OnvifDevice, scopes_of

GROUP: Final = ("239.255.255.250", 3702)
_PROBE: Final = re.compile(rb"<([\w-]+:)?Probe[\s/>]")
_MESSAGE_ID: Final = re.compile(rb"MessageID[^>]*>\s*([\w:.-]{1,200})\s*<")
_TYPES: Final = re.compile(rb"Types[^>]*>([^<]*)<")
_OURS: Final = frozenset({b"Device", b"NetworkVideoTransmitter"})
_ACTION: Final = "http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches"
_TO: Final = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
# Linux's number, which Python has no name for: 0 keeps away what other programs have joined elsewhere.
_IP_MULTICAST_ALL: Final = 49
_ANY: Final = "0.0.0.0"  # noqa: S104 - the address of all interfaces, as it was asked for


class ProbeResponder(asyncio.DatagramProtocol):
    """Answers each probe with each device, in a datagram of its own, as if they were apart.

    Args:
        host: Where the devices' services are; 0.0.0.0 is wherever the probe came in.
        port: The same.
    """

    def __init__(self, devices: Sequence[OnvifDevice], *, host: str, port: int) -> None:
        self._devices = devices
        self._host = host
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember what to answer through."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a probe; whatever else devices tell each other is none of ours."""
        if (probed := probe_id(data)) is None:
            return
        for device in self._devices:
            faults = device.streams[0].faults
            if not faults.half_open:
                host = ELSEWHERE if faults.wrong_host else self._own_address(addr)
                match = probe_match(device, f"http://{host}:{self._port}{device.path}", probed)
                self._transport.sendto(match, addr)

    def _own_address(self, towards: tuple[str, int]) -> str:
        if self._host != _ANY:
            return self._host
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(towards)
            return str(sock.getsockname()[0])


def probe_id(datagram: bytes) -> str | None:
    """Return the id of a probe for cameras, or for whatever there is; None of anything else."""
    identifier, types = _MESSAGE_ID.search(datagram), _TYPES.search(datagram)
    if identifier is None or _PROBE.search(datagram) is None:
        return None
    wanted = {name.rpartition(b":")[2] for name in types[1].split()} if types else set()
    return identifier[1].decode() if not wanted or wanted & _OURS else None


def probe_match(device: OnvifDevice, address: str, relates_to: str) -> bytes:
    """Return the answer of a device to a probe."""
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, address)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
        f"<s:Header><a:MessageID>urn:uuid:{uuid.uuid4()}</a:MessageID><a:RelatesTo>{relates_to}</a:RelatesTo>"
        f"<a:To>{_TO}</a:To><a:Action>{_ACTION}</a:Action></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>"
        f"<a:EndpointReference><a:Address>urn:uuid:{identifier}</a:Address></a:EndpointReference>"
        f"<d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>{' '.join(scopes_of(device))}</d:Scopes>"
        f"<d:XAddrs>{address}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>"
        "</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


def group_socket(host: str) -> socket.socket:
    """Return what hears probes on a host's interface; more than one program may.

    Raises:
        OSError: The host is none of this machine's, or its interface takes no part in multicast.
    """
    interface = socket.inet_aton(socket.gethostbyname(host))
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        sock.bind(GROUP)
        group = socket.inet_aton(GROUP[0])
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group + interface)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
