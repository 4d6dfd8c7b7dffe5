"""Where cameras may be: which networks Mien connects to on somebody's behalf, and which it never does.

Whoever may add a camera can make Mien connect to an address of their choice. What may be reached is
therefore checked when an address is saved, and again with what its name resolves to when it is opened.
"""

import socket
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from mien.errors import PermanentError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# RFC 1918, RFC 4193, and the carriers' shared space of RFC 6598, which overlay networks use.
_PRIVATE: Final[tuple[Network, ...]] = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_LOOPBACK: Final[tuple[Network, ...]] = tuple(map(ip_network, ("127.0.0.0/8", "::1/128")))
# Metadata services of clouds that lie outside the link-local networks; they hand out credentials.
_METADATA: Final[tuple[Network, ...]] = tuple(
    map(ip_network, ("100.100.100.200/32", "192.0.0.192/32", "fd00:ec2::254/128"))
)
_WORDS: Final = ("private", "public", "loopback")
_RESOLVED_PORT: Final = 554


class ForbiddenAddressError(PermanentError):
    """A camera's address lies where Mien must not connect to."""


@dataclass(frozen=True)
class CameraNetworks:
    """Judges addresses.

    Attributes:
        words: Of private, public, loopback.
        networks: Further ones.
    """

    words: frozenset[str] = frozenset({"private", "public"})
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "CameraNetworks":
        """Read ``private,loopback,10.20.0.0/16``.

        Raises:
            ValueError: A part is neither a word nor a network, or there is none.
        """
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if not parts:
            raise ValueError("expected at least one network")
        try:
            networks = tuple(ip_network(part) for part in parts if part not in _WORDS)
        except ValueError as error:
            raise ValueError(f"expected {', '.join(_WORDS)} or networks as 10.20.0.0/16: {error}") from None
        return cls(frozenset(part for part in parts if part in _WORDS), networks)

    def allows(self, address: Address) -> bool:
        """Whether Mien may connect to this address."""
        if isinstance(address, IPv6Address):
            if address.scope_id is not None:
                address = IPv6Address(int(address))
            inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
            if inner:
                return self.allows(inner)
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            return False
        if _is_in(address, _METADATA) or int(address) == 0xFFFF_FFFF:
            return False
        return _is_in(address, self._allowed) or ("public" in self.words and _is_public(address))

    def check_host(self, host: str) -> None:
        """Refuse a host that names a forbidden address by itself; names are judged when they are resolved.

        Raises:
            ForbiddenAddressError: It does.
        """
        address = _literal(host)
        if address is not None and not self.allows(address):
            raise ForbiddenAddressError(_refusal(host, self))

    def resolve(self, host: str) -> str:
        """Return an address of a host that may be connected to, and that must be used from now on.

        Whoever resolved the name once more to connect could be given another address (DNS rebinding).

        Raises:
            ForbiddenAddressError: All of its addresses are forbidden.
            OSError: The name does not resolve.
        """
        found = socket.getaddrinfo(host, _RESOLVED_PORT, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        for address in addresses:
            if self.allows(ip_address(address.partition("%")[0])):
                return address
        raise ForbiddenAddressError(_refusal(host, self))

    @cached_property
    def _allowed(self) -> tuple[Network, ...]:
        private = _PRIVATE if "private" in self.words else ()
        loopback = _LOOPBACK if "loopback" in self.words else ()
        return (*private, *loopback, *self.networks)


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _is_public(address: Address) -> bool:
    return address.is_global and not _is_in(address, _PRIVATE)


def _literal(host: str) -> Address | None:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return IPv4Address("127.0.0.1")
    try:
        return ip_address(name.partition("%")[0])
    except ValueError:
        pass
    try:  # what resolvers take for an address, too: 2130706433, 0x7f.1
        return IPv4Address(socket.inet_aton(name))
    except (OSError, UnicodeError):
        return None


def _refusal(host: str, networks: CameraNetworks) -> str:
    allowed = ", ".join([*sorted(networks.words), *map(str, networks.networks)])
    return (
        f"no camera may be at {host}: allowed are the networks {allowed} (MIEN_CAMERAS_NETWORKS), and never "
        "link-local addresses"
    )
