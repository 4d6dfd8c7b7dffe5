"""Why a camera could not be opened or was lost: its state, a key for metrics, and words for people."""

import errno
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import av

from mien.contracts.cameras import Camera, CameraState
from services.ingest.address import AddressError, redact

_WORDS_BY_ERRNO: Final = {
    errno.ECONNREFUSED: ("refused", "the camera refuses the connection: nothing listens on this port"),
    errno.EHOSTUNREACH: ("no_route", "no route to the camera"),
    errno.ENETUNREACH: ("no_route", "no route to the camera"),
    errno.EHOSTDOWN: ("no_route", "no route to the camera"),
    errno.ECONNRESET: ("reset", "the camera reset the connection"),
    errno.EPIPE: ("reset", "the camera reset the connection"),
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

    @property
    def is_refusal(self) -> bool:
        """Whether trying again soon is pointless, or even harmful (many cameras lock accounts)."""
        return self.state in ("auth_failed", "not_found", "unsupported")


ENDED: Final = Failure("backoff", "ended", "the camera closed the connection")
STALLED: Final = Failure("backoff", "stalled", "the camera stopped sending pictures")
SILENT: Final = Failure("backoff", "silent", "the camera accepts the connection but sends no pictures")
NO_ANSWER: Final = Failure("backoff", "no_answer", "the camera does not answer")


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
    password = (
        "wrong user name or password" if camera.username else "the camera wants a user name and password"
    )
    table: list[tuple[tuple[type[Exception], ...], CameraState, str]] = [
        ((av.HTTPUnauthorizedError, av.HTTPForbiddenError), "auth_failed", password),
        ((av.HTTPNotFoundError,), "not_found", "the camera has no stream at this path"),
        ((FileNotFoundError, IsADirectoryError, NotADirectoryError), "not_found", "there is no such file"),
        ((PermissionError,), "not_found", "the file may not be read"),
        ((AddressError, UnsupportedError), "unsupported", told),
        ((av.ProtocolNotFoundError, av.DecoderNotFoundError, av.DemuxerNotFoundError), "unsupported", told),
    ]
    for types, state, words in table:
        if isinstance(error, types):
            return Failure(state, state, words)
    return None


def _explain_trouble(error: Exception, camera: Camera, *, opened: bool) -> Failure:
    told = redact(str(error), camera)
    if isinstance(error, av.HTTPError):
        return Failure("backoff", "server_error", f"the camera answers with an error: {told}")
    if isinstance(error, av.EOFError):
        return ENDED
    # FFmpeg tells an unknown host only to its own log; the error is the general one for input and output.
    if isinstance(error, OSError) and error.errno == errno.EIO and not opened and not _resolves(camera.url):
        return Failure("backoff", "unknown_host", "the camera's host name is not known")
    if isinstance(error, OSError) and error.errno in _WORDS_BY_ERRNO:
        return Failure("backoff", *_WORDS_BY_ERRNO[error.errno])
    if isinstance(error, av.InvalidDataError) and not opened:
        return Failure("unsupported", "no_video", "what answers there is no video that ingest can read")
    return Failure("backoff", "failed", f"{type(error).__name__}: {told}")


def _resolves(url: str) -> bool:
    host = urlsplit(url).hostname
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return False
    return True
