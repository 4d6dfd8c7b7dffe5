"""Addresses of cameras as people write them: what they may be, and the credentials in them. No I/O."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from mien.contracts.cameras import SourceKind, source_kind
from mien.runtime.networks import CameraNetworks, ForbiddenAddressError
from services.gateway.pipeline import InvalidInputError

CAMERA_SCHEMES: Final = ("rtsp", "rtsps", "http", "https", "file", "usb")
_KINDS_OVER_HTTP: Final = ("mjpeg", "snapshot", "hls")
_DEVICE: Final = re.compile(r"/dev/(video\d{1,3}|v4l/by-(id|path)/[\w.:+-]{1,200})")


@dataclass(frozen=True)
class CameraAddress:
    """A camera's address with the credentials taken out of it."""

    url: str
    username: str | None
    password: str | None

    def __repr__(self) -> str:
        """Name the address without what must not reach a log."""
        return f"CameraAddress({self.url!r})"


def split_camera_url(
    url: str, *, networks: CameraNetworks, video_folders: tuple[Path, ...] = ()
) -> CameraAddress:
    """Check a camera's address and take its credentials out.

    Args:
        networks: Where cameras may be. What a name resolves to is judged when it is opened.
        video_folders: Where ``file:`` addresses may point to; empty allows any place.

    Raises:
        InvalidInputError: The scheme, host or path is none that a camera may have.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInputError(
            "expected an address such as rtsp://192.168.1.20/stream, got one with a broken host or port"
        ) from error
    if parts.scheme not in CAMERA_SCHEMES:
        raise InvalidInputError(
            f"a camera's address starts with one of {', '.join(f'{s}:' for s in CAMERA_SCHEMES)}"
        )
    if any(ord(character) < 33 for character in url):
        raise InvalidInputError("a camera's address holds no spaces or control characters")
    if parts.scheme == "file":
        return CameraAddress(_check_file(parts, video_folders), None, None)
    if parts.scheme == "usb":
        return CameraAddress(_check_device(parts), None, None)
    if not parts.hostname:
        raise InvalidInputError("a camera's address names a host, as in rtsp://192.168.1.20/stream")
    try:
        networks.check_host(parts.hostname)
    except ForbiddenAddressError as error:
        raise InvalidInputError(str(error)) from error
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    return CameraAddress(
        urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")),
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )


def split_main_stream_url(
    url: str | None, *, username: str | None, password: str | None, networks: CameraNetworks
) -> CameraAddress | None:
    """Check the address of a camera's main stream and take its credentials out; None where there is none.

    Args:
        username: The camera's own, as it will be, with its *password*: they are the main stream's, too.

    Raises:
        InvalidInputError: It is no address of a live stream, or names other credentials.
    """
    if url is None:
        return None
    address = split_camera_url(url, networks=networks)
    if source_kind(address.url) not in ("rtsp", "mjpeg"):
        raise InvalidInputError("a main stream is live: RTSP, or JPEGs over HTTP without end")
    named = (address.username or username, address.password or password)
    if username is not None and named != (username, password):
        raise InvalidInputError("a main stream has the user name and password of its camera, and no others")
    return CameraAddress(address.url, *named)


def check_kind(kind: SourceKind | None, url: str) -> None:
    """Refuse a kind that cameras at such an address can't be of; the address alone may not tell over HTTP.

    Raises:
        InvalidInputError: It is refused.
    """
    usual = source_kind(url)
    possible = _KINDS_OVER_HTTP if usual in _KINDS_OVER_HTTP else (usual,)
    if kind is not None and kind not in possible:
        raise InvalidInputError(f"a camera at this address is {' or '.join(map(str, possible))}, not {kind}")


def _check_device(parts: SplitResult) -> str:
    if parts.netloc or not _DEVICE.fullmatch(path := unquote(parts.path)):
        raise InvalidInputError("a camera on this machine has an address such as usb:/dev/video0")
    return f"usb:{path}"


def _check_file(parts: SplitResult, video_folders: tuple[Path, ...]) -> str:
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise InvalidInputError("a video file's address is absolute, as in file:///srv/videos/door.mp4")
    path = Path(unquote(parts.path)).resolve()
    if video_folders and not any(path.is_relative_to(folder) for folder in video_folders):
        raise InvalidInputError("this video file lies outside the folders that file cameras may use")
    return path.as_uri()
