"""From a registered camera to what FFmpeg opens, and back to text that may be shown."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from mien.contracts.cameras import Camera
from mien.errors import PermanentError

Kind = Literal["rtsp", "mjpeg", "file"]

_KINDS: Final[dict[str, Kind]] = {
    "rtsp": "rtsp",
    "rtsps": "rtsp",
    "http": "mjpeg",
    "https": "mjpeg",
    "file": "file",
}
# Whatever a camera answers, FFmpeg may follow it to these protocols and no other (no local files).
_PROTOCOLS: Final[dict[Kind, str]] = {
    "rtsp": "rtsp,rtsps,rtp,tcp,tls",
    "mjpeg": "http,https,tcp,tls",
    "file": "file",
}
# Formats that hold video themselves; playlists, which name other files, are left out.
_FILE_FORMATS: Final = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,h264,hevc,mjpeg"
_USERINFO: Final = re.compile(r"://[^\s/'\"]*@")


class AddressError(PermanentError):
    """The camera's address is of no kind that ingest reads."""


@dataclass(frozen=True)
class Address:
    """What to open.

    Attributes:
        url: With credentials in it: never to be logged.
        format: Demuxer to use; None lets FFmpeg find out.
    """

    kind: Kind
    url: str = field(repr=False)
    format: str | None
    options: dict[str, str]


def build_address(camera: Camera, *, timeout_seconds: float) -> Address:
    """Return the address of a camera with its credentials and FFmpeg's options.

    Raises:
        AddressError: Its scheme is none of rtsp, rtsps, http, https, file.
    """
    parts = urlsplit(camera.url)
    kind = _KINDS.get(parts.scheme)
    if kind is None:
        raise AddressError(f"expected an address with one of {sorted(_KINDS)}, got {parts.scheme!r}")
    options = {"protocol_whitelist": _PROTOCOLS[kind]}
    if kind == "file":
        options["format_whitelist"] = _FILE_FORMATS
        return Address(kind, unquote(parts.path), None, options)
    # In microseconds; both the RTSP demuxer and HTTP know it. `stimeout` of old is ignored without a word.
    options["timeout"] = str(round(timeout_seconds * 1e6))
    url = urlunsplit(parts._replace(netloc=_userinfo(camera) + parts.netloc.rpartition("@")[2]))
    if kind == "mjpeg":
        return Address(kind, url, "mpjpeg", options)
    options |= {
        "rtsp_transport": "tcp",
        "allowed_media_types": "video",
        # Size and profile come with the first keyframe; probing for them would only delay it.
        "analyzeduration": "0",
        "probesize": "32768",
    }
    return Address(kind, url, "rtsp", options)


def redact(text: str, camera: Camera) -> str:
    """Return *text* without the camera's credentials in any form, on one line."""
    shown = _USERINFO.sub("://***@", text)
    if camera.password:
        for secret in (camera.password, quote(camera.password, safe=""), quote(camera.password)):
            shown = shown.replace(secret, "***")
    return " ".join(shown.split())


def is_same_source(one: Camera, other: Camera) -> bool:
    """Whether two revisions of a camera can share one connection."""
    return (one.url, one.username, one.password) == (other.url, other.username, other.password)


def _userinfo(camera: Camera) -> str:
    if camera.username is None:
        return ""
    return f"{quote(camera.username, safe='')}:{quote(camera.password or '', safe='')}@"
