"""Why a camera could not be opened or was lost: its state, a key for metrics, and words for people."""

import errno
import socket
from dataclasses import dataclass
from typing import Final

import av

from mien.contracts.camera_status import ShownCertificate
from mien.contracts.cameras import Camera, CameraState
from mien.runtime.networks import ForbiddenAddressError
from services.ingest.address import AddressError, redact
from services.ingest.certificates import UntrustedError

_WORDS_BY_ERRNO: Final = {
    errno.ECONNREFUSED: ("refused", "the camera refuses the connection: nothing listens on this port"),
    errno.EHOSTUNREACH: ("no_route", "no route to the camera"),
    errno.ENETUNREACH: ("no_route", "no route to the camera"),
    errno.EHOSTDOWN: ("no_route", "no route to the camera"),
    errno.ECONNRESET: ("reset", "the camera reset the connection"),
    errno.EPIPE: ("reset", "the camera reset the connection"),
}

# Of those that FFmpeg tells apart; its own texts speak to programmers.
_HTTP_STATUS: Final[dict[type, str]] = {
    av.HTTPBadRequestError: "400",
    av.HTTPTooManyRequestsError: "429",
    av.HTTPServerError: "5xx",
}


class UnsupportedError(Exception):
    """The source answers, but with nothing ingest can read."""


@dataclass(frozen=True)
class Failure:
    """What went wrong.

    Attributes:
        key: A word of a small closed set, for metrics.
        words: Without credentials; says nothing about when the next attempt is due.
    """

    state: CameraState
    key: str
    words: str
    certificate: ShownCertificate | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether trying again soon is pointless, or even harmful (many cameras lock accounts)."""
        return self.state in ("auth_failed", "not_found", "unsupported", "untrusted")


class FailureError(Exception):
    """A failure that is known for what it is where it happens."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.words)
        self.failure = failure


ENDED: Final = Failure("backoff", "ended", "the camera closed the connection")
STALLED: Final = Failure("backoff", "stalled", "the camera stopped sending pictures")
SILENT: Final = Failure("backoff", "silent", "the camera accepts the connection but sends no pictures")
NO_ANSWER: Final = Failure("backoff", "no_answer", "the camera does not answer")
UNKNOWN_HOST: Final = Failure("backoff", "unknown_host", "the camera's host name is not known")
AUTH_REFUSED: Final = Failure("auth_failed", "auth_failed", "wrong user name or password")
AUTH_WANTED: Final = Failure("auth_failed", "auth_failed", "the camera wants a user name and password")
NO_SUCH_PATH: Final = Failure("not_found", "not_found", "the camera has no stream at this path")


def explain(
    error: Exception, camera: Camera, *, opened: bool, had_picture: bool, waited_out: bool
) -> Failure:
    """Say what an error means.

    Args:
        opened: The source was open when it failed.
        had_picture: It had delivered at least one picture.
        waited_out: The failure took as long as the time limit.
    """
    if (refusal := _explain_refusal(error, camera)) is not None:
        return refusal
    if waited_out or isinstance(error, av.ExitError | TimeoutError):
        return explain_silence(opened=opened, had_picture=had_picture)
    return _explain_trouble(error, camera, opened=opened)


def explain_silence(*, opened: bool, had_picture: bool) -> Failure:
    """Say what it means that a time limit ran out."""
    if not opened:
        return NO_ANSWER
    return STALLED if had_picture else SILENT


def _explain_refusal(error: Exception, camera: Camera) -> Failure | None:
    told = redact(str(error), camera)
    if isinstance(error, FailureError):
        is_unasked = error.failure is AUTH_REFUSED and not camera.username
        return AUTH_WANTED if is_unasked else error.failure
    if isinstance(error, av.HTTPUnauthorizedError | av.HTTPForbiddenError):
        return AUTH_REFUSED if camera.username else AUTH_WANTED
    if isinstance(error, UntrustedError):
        return Failure("untrusted", "untrusted", told, error.shown)
    table: list[tuple[tuple[type[Exception], ...], CameraState, str]] = [
        ((av.HTTPNotFoundError,), "not_found", NO_SUCH_PATH.words),
        ((FileNotFoundError, IsADirectoryError, NotADirectoryError), "not_found", _missing(camera)),
        ((PermissionError,), "not_found", f"Mien may not read the {_thing(camera)}"),
        ((AddressError, UnsupportedError, ForbiddenAddressError), "unsupported", told),
        ((av.ProtocolNotFoundError, av.DecoderNotFoundError, av.DemuxerNotFoundError), "unsupported", told),
    ]
    for types, state, words in table:
        if isinstance(error, types):
            return Failure(state, state, words)
    return None


def _explain_trouble(error: Exception, camera: Camera, *, opened: bool) -> Failure:
    told = redact(str(error), camera)
    if isinstance(error, av.HTTPError | av.HTTPClientError):
        status = _HTTP_STATUS.get(type(error), "4xx")
        return Failure("backoff", "server_error", f"the camera answers with an error: HTTP {status}")
    if isinstance(error, av.EOFError):
        return ENDED
    if isinstance(error, socket.gaierror):
        return UNKNOWN_HOST
    if isinstance(error, OSError) and error.errno in _WORDS_BY_ERRNO:
        return Failure("backoff", *_WORDS_BY_ERRNO[error.errno])
    if isinstance(error, av.InvalidDataError) and not opened:
        return Failure("unsupported", "no_video", "what answers there is no video that ingest can read")
    return Failure("backoff", "failed", f"{type(error).__name__}: {told}")


def _thing(camera: Camera) -> str:
    return "device" if camera.source == "usb" else "file"


def _missing(camera: Camera) -> str:
    if camera.source == "usb":
        return "there is no such device: is the camera plugged in?"
    return "there is no such file"
