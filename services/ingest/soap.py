"""SOAP as ONVIF cameras speak it: envelopes, a user name token, and answers that may be anything.

Seven fixed requests need no WSDL: a client generated from it (zeep) is 29 packages for the same bytes. What
comes back is read by local names, because makers differ in everything else.
"""

import asyncio
import base64
import hashlib
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from mien.runtime.networks import CameraNetworks, ForbiddenAddressError

MAX_ANSWER_BYTES: Final = 1024 * 1024
_MAX_TEXT: Final = 200
_CALL_SECONDS: Final = 5.0
_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_DIGEST: Final = f"{_WSSE}-username-token-profile-1.0#PasswordDigest"
_UTILITY: Final = f"{_WSSE}-wssecurity-utility-1.0.xsd"


class SoapError(Exception):
    """A camera did not answer, or with nothing that can be used.

    Attributes:
        reason: A key of :func:`services.ingest.advice.advice_for`.
    """

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(words)
        self.reason = reason


@dataclass(frozen=True)
class SoapLogin:
    """Who asks.

    Attributes:
        clock_offset: What the camera's clock is ahead of ours: tokens are dated by its clock, for cameras
            refuse those that are old.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    clock_offset: timedelta = timedelta()

    def header(self) -> str:
        """Return the security header (WS-UsernameToken profile 1.0, digest); empty without a user name."""
        if not self.username:
            return ""
        nonce = secrets.token_bytes(16)
        created = (datetime.now(UTC) + self.clock_offset).strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = hashlib.sha1(
            nonce + created.encode() + (self.password or "").encode(), usedforsecurity=False
        ).digest()
        return (
            f'<wsse:Security s:mustUnderstand="1" xmlns:wsse="{_WSSE}-wssecurity-secext-1.0.xsd">'
            f"<wsse:UsernameToken><wsse:Username>{escape(self.username)}</wsse:Username>"
            f'<wsse:Password Type="{_DIGEST}">{_base64(digest)}</wsse:Password>'
            f"<wsse:Nonce>{_base64(nonce)}</wsse:Nonce>"
            f'<wsu:Created xmlns:wsu="{_UTILITY}">{created}</wsu:Created>'
            "</wsse:UsernameToken></wsse:Security>"
        )


def open_session(login: SoapLogin, networks: CameraNetworks) -> aiohttp.ClientSession:
    """Return a session for one camera; some ask for HTTP digest besides the token.

    Args:
        networks: Where names may lead; addresses that are no names are for the caller to judge.
    """
    middlewares: list[aiohttp.ClientMiddlewareType] = []
    if login.username:
        middlewares.append(aiohttp.DigestAuthMiddleware(login.username, login.password or ""))
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(resolver=_JudgedResolver(networks)),
        middlewares=middlewares,
        timeout=aiohttp.ClientTimeout(total=_CALL_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


async def call(session: aiohttp.ClientSession, url: str, body: str, login: SoapLogin) -> Element:
    """Send one request and return the body of its answer.

    Raises:
        SoapError: The camera does not answer, refuses, or answers with nothing that can be used.
    """
    envelope = (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"<s:Header>{login.header()}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    headers = {"Content-Type": "application/soap+xml; charset=utf-8"}
    try:
        # A redirect could lead anywhere, with the camera's password in the request.
        async with session.post(url, data=envelope.encode(), headers=headers, allow_redirects=False) as reply:
            answer = await _read(reply)
            status = reply.status
    except aiohttp.ClientConnectorDNSError as error:
        raise SoapError("unknown_host", "the camera's host name is not known") from error
    except ForbiddenAddressError as error:
        raise SoapError("forbidden", str(error)) from error
    except aiohttp.ClientSSLError as error:
        words = "nobody vouches for the camera's certificate: ask it over http:// instead"
        raise SoapError("untrusted", words) from error
    except aiohttp.ClientConnectorError as error:
        raise SoapError(
            "refused", "the camera refuses the connection: nothing listens on this port"
        ) from error
    except TimeoutError as error:
        raise SoapError("no_answer", "the camera does not answer") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise SoapError("no_onvif", "what answers there does not speak ONVIF") from error
    return _body_of(answer, status, has_login=bool(login.username))


def parse_untrusted(text: bytes) -> Element:
    """Parse XML from the network: no entities, no external parts.

    Raises:
        ValueError: It is none, or it tries something.
    """
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise ValueError(f"expected plain XML: {type(error).__name__}") from error
    return root


def find_all(element: Element, name: str) -> Iterator[Element]:
    """Yield the elements of a local name, at any depth."""
    return (one for one in element.iter() if local_name(one) == name)


def find(element: Element | None, *path: str) -> Element | None:
    """Return the first element of each local name within the one before; None where there is none."""
    for name in path:
        if element is None:
            return None
        element = next(find_all(element, name), None)
    return element


def text_of(element: Element | None, *path: str, limit: int = _MAX_TEXT) -> str:
    """Return what an element says, on one line, cut off at a limit; empty where there is none."""
    found = find(element, *path)
    return "" if found is None else " ".join((found.text or "").split())[:limit]


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


class _JudgedResolver(AbstractResolver):
    """Resolves names to where cameras may be, and to nowhere else."""

    def __init__(self, networks: CameraNetworks) -> None:
        self._networks = networks

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the one address to connect to."""
        address = await asyncio.to_thread(self._networks.resolve, host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _read(reply: aiohttp.ClientResponse) -> bytes:
    answer = bytearray()
    async for part in reply.content.iter_chunked(64 * 1024):
        answer += part
        if len(answer) > MAX_ANSWER_BYTES:
            raise ValueError("the answer is too large")
    return bytes(answer)


def _body_of(answer: bytes, status: int, *, has_login: bool) -> Element:
    refused = SoapError(
        "auth_failed",
        "wrong user name or password" if has_login else "the camera wants a user name and password",
    )
    if status in (401, 403):
        raise refused
    try:
        root = parse_untrusted(answer)
    except ValueError as error:
        raise SoapError("no_onvif", "what answers there does not speak ONVIF") from error
    body = find(root, "Body")
    if body is None:
        raise SoapError("no_onvif", "what answers there does not speak ONVIF")
    if (fault := find(body, "Fault")) is not None:
        told = " ".join(text for one in fault.iter() if (text := (one.text or "").strip()))
        if "notauthorized" in told.replace(" ", "").lower():
            raise refused
        raise SoapError("server_error", f"the camera answers with an error: {' '.join(told.split())[:200]}")
    return body


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
