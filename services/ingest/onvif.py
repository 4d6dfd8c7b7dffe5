"""Asking one camera over ONVIF who it is and which streams it has (device and media services, version 1)."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit, urlunsplit
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

import aiohttp

from mien.contracts.camera_requests import CameraDevice, ProfileQuery, StreamProfile
from mien.runtime.networks import CameraNetworks, ForbiddenAddressError
from services.ingest.soap import SoapError, SoapLogin, call, find, find_all, open_session, text_of

_DEVICE: Final = 'xmlns="http://www.onvif.org/ver10/device/wsdl"'
_MEDIA: Final = 'xmlns="http://www.onvif.org/ver10/media/wsdl"'
_SCHEMA: Final = 'xmlns:t="http://www.onvif.org/ver10/schema"'
_MOST_PROFILES: Final = 16
_MAX_URL: Final = 2000
_SUB_STREAM_PX: Final = (640, 1280)
_LARGER_BY: Final = 1.2
_SAME_SHAPE: Final = 0.05


@dataclass(frozen=True)
class Streams:
    """What a camera said: who it is, and its streams, the largest first."""

    device: CameraDevice
    profiles: list[StreamProfile]


def device_service(address: str) -> str:
    """Return the address of a camera's device service, from a host, ``host:port`` or a URL of it.

    Raises:
        SoapError: It is none of these.
    """
    text = address.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port, hostname = parts.port, parts.hostname
    except ValueError:
        hostname = None
    if not hostname or any(ord(character) < 33 for character in text):
        raise SoapError("unknown_host", "expected a host name or an address such as 192.168.1.20")
    if parts.scheme not in ("http", "https"):
        # An RTSP address names the same camera, but another port of it.
        parts, port = parts._replace(scheme="http", path=""), None
    host = f"[{hostname}]" if ":" in hostname else hostname
    netloc = host if port is None else f"{host}:{port}"
    path = parts.path if parts.path not in ("", "/") else "/onvif/device_service"
    return urlunsplit((parts.scheme, netloc, path, "", ""))


async def list_streams(query: ProfileQuery, networks: CameraNetworks) -> Streams:
    """Ask a camera who it is and for its streams.

    Whatever addresses it names, only the host that was asked for is connected to.

    Raises:
        SoapError: It does not answer, refuses, or offers no stream.
    """
    service = device_service(query.address)
    try:
        networks.check_host(urlsplit(service).hostname or "")
    except ForbiddenAddressError as error:
        raise SoapError("forbidden", str(error)) from error
    login = SoapLogin(query.username, query.password)
    async with open_session(login, networks) as session:
        login = replace(login, clock_offset=await _clock_offset(session, service))
        media = await _media_service(session, service, login)
        device = await _device(session, service, login)
        answer = await call(session, media, f"<GetProfiles {_MEDIA}/>", login)
        profiles = []
        for element in list(find_all(answer, "Profiles"))[:_MOST_PROFILES]:
            url = await _stream_url(session, media, login, element.get("token", ""))
            profiles.append(_profile(element, same_host(url, service)))
    profiles = [profile for profile in profiles if profile.url]
    if not profiles:
        raise SoapError("no_streams", "the camera answers over ONVIF but names no stream")
    return Streams(device, sorted(profiles, key=_pixels, reverse=True))


def choose_streams(profiles: Sequence[StreamProfile]) -> tuple[str, str]:
    """Return the stream to look for faces in, and the one to cut them out of; "" where there is none.

    The first is the largest of 640 to 1280 pixels' width, for larger ones cost more work than they find
    faces; the second is the largest of the same shape, if it gains anything.
    """
    usable = [profile for profile in profiles if profile.url]
    if not usable:
        return "", ""
    sub = max(usable, key=_rank)
    larger = [profile for profile in usable if _is_larger_view(profile, sub)]
    return sub.url, max(larger, key=_pixels).url if larger else ""


def same_host(url: str, service: str) -> str:
    """Return a stream's address without credentials, at the host that was asked; "" when it is no stream.

    Behind a router or with several interfaces a camera names hosts that lead nowhere, or somewhere else.
    """
    try:
        parts, asked = urlsplit(url), urlsplit(service)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("rtsp", "rtsps", "http", "https") or not parts.hostname or not asked.hostname:
        return ""
    host = f"[{asked.hostname}]" if ":" in asked.hostname else asked.hostname
    return urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", parts.path, parts.query, ""))


def _rank(profile: StreamProfile) -> tuple[int, int, bool]:
    width = profile.size_wh[0] if profile.size_wh else 0
    smallest, widest = _SUB_STREAM_PX
    if smallest <= width <= widest:
        fit, size = 2, width
    elif width > widest:
        fit, size = 1, -width
    else:
        fit, size = 0, width
    return fit, size, profile.codec != "JPEG"


def _is_larger_view(profile: StreamProfile, sub: StreamProfile) -> bool:
    if profile.size_wh is None or sub.size_wh is None or 0 in (*profile.size_wh, *sub.size_wh):
        return False
    (width, height), (sub_width, sub_height) = profile.size_wh, sub.size_wh
    same_shape = abs(width * sub_height / (height * sub_width) - 1) <= _SAME_SHAPE
    return width >= _LARGER_BY * sub_width and same_shape


def _pixels(profile: StreamProfile) -> int:
    return profile.size_wh[0] * profile.size_wh[1] if profile.size_wh else 0


async def _clock_offset(session: aiohttp.ClientSession, service: str) -> timedelta:
    """Return what the camera's clock is ahead of ours; cameras tell everybody, logged in or not."""
    answer = await call(session, service, f"<GetSystemDateAndTime {_DEVICE}/>", SoapLogin())
    utc = find(answer, "UTCDateTime")
    try:
        date = find(utc, "Date")
        year, month, day = (int(text_of(date, part)) for part in ("Year", "Month", "Day"))
        hour, minute, second = (
            int(text_of(find(utc, "Time"), part)) for part in ("Hour", "Minute", "Second")
        )
        told = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except (ValueError, OverflowError):
        return timedelta()
    return told - datetime.now(UTC)


async def _media_service(session: aiohttp.ClientSession, service: str, login: SoapLogin) -> str:
    body = f"<GetCapabilities {_DEVICE}><Category>Media</Category></GetCapabilities>"
    answer = await call(session, service, body, login)
    named = same_host(text_of(answer, "Media", "XAddr", limit=_MAX_URL), service)
    if not named.startswith(("http://", "https://")):
        return service
    # The port that it was asked on leads there, too; the one it names may be that of its own network.
    return urlunsplit(urlsplit(service)._replace(path=urlsplit(named).path))


async def _device(session: aiohttp.ClientSession, service: str, login: SoapLogin) -> CameraDevice:
    host = urlsplit(service).hostname or ""
    device = CameraDevice(address=service, host=host)
    with contextlib.suppress(SoapError):
        told = await call(session, service, f"<GetDeviceInformation {_DEVICE}/>", login)
        maker, model = text_of(told, "Manufacturer"), text_of(told, "Model")
        device = CameraDevice(
            address=service,
            host=host,
            name=" ".join(filter(None, (maker, model))),
            maker=maker,
            model=model,
            firmware=text_of(told, "FirmwareVersion"),
        )
    return device


async def _stream_url(session: aiohttp.ClientSession, media: str, login: SoapLogin, token: str) -> str:
    body = (
        f"<GetStreamUri {_MEDIA} {_SCHEMA}><StreamSetup><t:Stream>RTP-Unicast</t:Stream><t:Transport>"
        f"<t:Protocol>RTSP</t:Protocol></t:Transport></StreamSetup><ProfileToken>{escape(token)}</ProfileToken>"
        "</GetStreamUri>"
    )
    try:
        return text_of(await call(session, media, body, login), "Uri", limit=_MAX_URL)
    except SoapError as error:
        if error.reason == "auth_failed":
            raise
        return ""  # a profile without a stream, such as one for metadata


def _profile(element: Element, url: str) -> StreamProfile:
    encoder = find(element, "VideoEncoderConfiguration")
    width, height = (_number(encoder, "Resolution", side) for side in ("Width", "Height"))
    return StreamProfile(
        name=text_of(element, "Name") or element.get("token", "")[:100],
        url=url,
        codec=text_of(encoder, "Encoding").upper(),
        size_wh=(int(width), int(height)) if width and height else None,
        fps=_number(encoder, "RateControl", "FrameRateLimit"),
        bitrate_kbps=_number(encoder, "RateControl", "BitrateLimit"),
    )


def _number(element: Element | None, *path: str) -> float | None:
    try:
        value = float(text_of(element, *path))
    except ValueError:
        return None
    return value if 0 < value < 1e6 else None
