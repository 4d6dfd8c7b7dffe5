"""From a registered camera to what is opened, and back to text that may be shown."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from mien.contracts.cameras import Camera
from mien.errors import PermanentError
from mien.runtime.networks import CameraNetworks

DEFAULT_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_USERINFO: Final = re.compile(r"://[^\s/'\"]*@")


class AddressError(PermanentError):
    """The camera's address is of no kind that ingest reads."""


@dataclass(frozen=True)
class Place:
    """Where an address leads to, resolved once and allowed.

    Attributes:
        url: The address with an IP address in the place of the host's name: whoever resolved the name again
            might be led elsewhere. With the camera's credentials, so never to be logged.
        host: Name or address as it was registered: whose certificate is expected, and which site is meant.
        ip: What it resolved to.
    """

    url: str = field(repr=False)
    host: str
    ip: str
    port: int
    is_encrypted: bool

    @property
    def host_header(self) -> str:
        """The host as HTTP names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in (80, 443) else f"{host}:{self.port}"


def locate(camera: Camera, networks: CameraNetworks, *, url: str | None = None) -> Place:
    """Resolve a camera's address, with its credentials in it; or *url*, an address that it led to, without.

    Raises:
        AddressError: It names no host, or its scheme is none of rtsp, rtsps, http, https.
        ForbiddenAddressError: Cameras may not be there.
        OSError: The host's name does not resolve.
    """
    parts = urlsplit(url or camera.url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise AddressError(
            f"expected an address of {sorted(DEFAULT_PORTS)} with a host, got {parts.scheme!r}"
        )
    ip = networks.resolve(parts.hostname)
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    netloc = f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
    userinfo = _userinfo(camera) if url is None else ""
    return Place(
        url=urlunsplit(parts._replace(netloc=userinfo + netloc, fragment="")),
        host=parts.hostname,
        ip=ip,
        port=port,
        is_encrypted=parts.scheme in ("rtsps", "https"),
    )


def path_of(camera: Camera) -> str:
    """Return the path of an address without a host, as those of files and devices."""
    return unquote(urlsplit(camera.url).path)


def redact(text: str, camera: Camera) -> str:
    """Return *text* without the camera's credentials in any form, on one line."""
    shown = _USERINFO.sub("://***@", text)
    if camera.password:
        for secret in (camera.password, quote(camera.password, safe=""), quote(camera.password)):
            shown = shown.replace(secret, "***")
    return " ".join(shown.split())


def is_same_source(one: Camera, other: Camera) -> bool:
    """Whether two revisions of a camera can share one connection."""
    return _source_of(one) == _source_of(other)


def _source_of(camera: Camera) -> tuple[object, ...]:
    return (
        camera.url,
        camera.source,
        camera.username,
        camera.password,
        camera.transport,
        camera.certificate_sha256,
        camera.loop_filter,
    )


def _userinfo(camera: Camera) -> str:
    if camera.username is None:
        return ""
    return f"{quote(camera.username, safe='')}:{quote(camera.password or '', safe='')}@"
