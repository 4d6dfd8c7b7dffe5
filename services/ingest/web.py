"""Fetching over HTTP from cameras: every address on the way is resolved once, judged, and then held to."""

from collections.abc import Generator, Mapping
from types import TracebackType
from typing import Final, Self
from urllib.parse import urljoin, urlsplit

import httpx

from mien.contracts.cameras import Camera
from services.ingest.address import Place, locate
from services.ingest.certificates import check_certificate, tls_context
from services.ingest.config import IngestSettings
from services.ingest.failures import (
    AUTH_REFUSED,
    NO_ANSWER,
    NO_SUCH_PATH,
    SILENT,
    Failure,
    FailureError,
    UnsupportedError,
)

MOST_BYTES: Final = 32 * 1024 * 1024
_MOST_HOPS: Final = 4
_USER_AGENT: Final = "Mien"


class CameraAuth(httpx.Auth):
    """Answers whichever of digest and basic a camera asks for; a password is sent only when asked."""

    def __init__(self, username: str, password: str) -> None:
        self._digest = httpx.DigestAuth(username, password)
        self._basic = httpx.BasicAuth(username, password)
        self._chosen: httpx.Auth | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Try without, look at what is asked for, and keep to it from then on."""
        if self._chosen is None:
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            challenges = response.headers.get_list("www-authenticate")
            if any(challenge.lower().startswith("digest") for challenge in challenges):
                self._chosen = self._digest
                answering = self._digest.auth_flow(request)
                next(answering)
                yield answering.send(response)
                return
            self._chosen = self._basic
        yield from self._chosen.auth_flow(request)


class WebClient:
    """Fetches what lies at a camera's address, and at those that the camera names itself.

    Credentials go to the camera's own host alone. Not thread-safe.

    Args:
        answer_seconds: Longest wait for an answer, where it isn't the settings'.
    """

    def __init__(
        self, camera: Camera, settings: IngestSettings, *, answer_seconds: float | None = None
    ) -> None:
        self._camera = camera
        self._settings = settings
        self._answer_seconds = answer_seconds
        self._networks = settings.cameras.rules()
        self._origin = urlsplit(camera.url)
        self._auth = None if camera.username is None else CameraAuth(camera.username, camera.password or "")
        self._clients: dict[str, tuple[Place, httpx.Client]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for _, client in self._clients.values():
            client.close()
        self._clients.clear()

    def fetch(self, url: str, *, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """Return an answer that is a success or 304, read whole.

        Raises:
            FailureError: The camera refused, or answered with an error.
            UnsupportedError: It leads nowhere, or sends too much.
            UntrustedError: Nobody vouches for its certificate.
            ForbiddenAddressError: It leads to where cameras may not be.
            OSError: It can't be reached.
        """
        for _ in range(_MOST_HOPS):
            response = self._ask(url, headers or {})
            if not response.has_redirect_location:
                _judge(response)
                return response
            url = urljoin(url, response.headers["location"])
            if urlsplit(url).scheme not in ("http", "https"):
                raise UnsupportedError("the camera sends on to an address that is not of the web")
        raise UnsupportedError(f"the camera sends on more than {_MOST_HOPS} times")

    def peek(self, url: str) -> httpx.Response:
        """Return the head of an answer, whatever it is, without following it anywhere.

        Raises:
            FailureError, UntrustedError, ForbiddenAddressError, OSError: As :meth:`fetch` does.
        """
        return self._ask(url, {}, most_bytes=0)

    def _ask(self, url: str, headers: Mapping[str, str], *, most_bytes: int = MOST_BYTES) -> httpx.Response:
        place, client = self._client_for(url)
        is_own = place.host == self._origin.hostname
        request = client.build_request(
            "GET", place.url, headers={"Host": place.host_header, "User-Agent": _USER_AGENT, **headers}
        )
        request.extensions["sni_hostname"] = place.host
        auth = self._auth if is_own else None
        response = None
        try:
            response = client.send(request, auth=auth, stream=True)
            try:
                body = bytearray()
                for chunk in response.iter_bytes() if most_bytes else ():
                    body += chunk
                    if len(body) > most_bytes:
                        raise UnsupportedError(f"the camera sends more than {most_bytes >> 20} MiB at once")
            finally:
                response.close()
        except httpx.TimeoutException as error:
            raise FailureError(NO_ANSWER if response is None else SILENT) from error
        except httpx.TransportError as error:
            if place.is_encrypted and isinstance(error, httpx.ConnectError):
                check_certificate(place, self._settings)
            raise _cause_of(error) from error
        decoded = {name: value for name, value in response.headers.items() if name != "content-encoding"}
        return httpx.Response(response.status_code, headers=decoded, content=bytes(body), request=request)

    def _client_for(self, url: str) -> tuple[Place, httpx.Client]:
        """Return a connection to where an address leads, as it was resolved at first."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        if origin not in self._clients:
            place = locate(self._camera, self._networks, url=f"{origin}/")
            opening = self._answer_seconds or self._settings.open_timeout_seconds
            reading = self._answer_seconds or self._settings.stall_timeout_seconds
            client = httpx.Client(
                verify=tls_context(self._camera, place, self._settings),
                timeout=httpx.Timeout(opening, read=reading),
                trust_env=False,
                follow_redirects=False,
            )
            self._clients[origin] = (place, client)
        place, client = self._clients[origin]
        pinned = urlsplit(place.url)._replace(path=parts.path or "/", query=parts.query)
        return Place(pinned.geturl(), place.host, place.ip, place.port, place.is_encrypted), client


def _judge(response: httpx.Response) -> None:
    status = response.status_code
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise FailureError(AUTH_REFUSED)
    if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise FailureError(NO_SUCH_PATH)
    if not response.is_success and status != httpx.codes.NOT_MODIFIED:
        raise FailureError(Failure("backoff", "server_error", f"the camera answers with an error: {status}"))


def _cause_of(error: Exception) -> OSError:
    """Return the operating system's error behind one of httpx, which tells more."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return ConnectionResetError(104, f"{type(error).__name__}: the connection was lost")
