"""Cameras that send JPEGs over HTTP without end (multipart/x-mixed-replace): passed on, never decoded."""

import errno
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import av
import simplejpeg

from mien.contracts.cameras import Camera
from services.ingest.address import locate
from services.ingest.certificates import check_certificate, tls_options
from services.ingest.config import IngestSettings
from services.ingest.failures import SILENT, FailureError, UnsupportedError
from services.ingest.picture import JpegPicture, Picture
from services.ingest.sources.source import SourceBase, VideoSource, open_container, video_stream
from services.ingest.web import WebClient

# It had its time already; this is only to tell what it was spent on.
_ANSWER_SECONDS: Final = 1.0


def open_mjpeg(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    """Open a stream of JPEGs."""
    place = locate(camera, settings.cameras.rules())
    options = {
        "protocol_whitelist": "http,https,tcp,tls",
        "timeout": str(round(settings.open_timeout_seconds * 1e6)),
        "headers": f"Host: {place.host_header}\r\n",
        # Where a redirection leads nobody has judged.
        "max_redirects": "0",
        **tls_options(camera, place, settings),
    }
    try:
        container = open_container(place.url, settings, format="mpjpeg", options=options)
    except (av.ExitError, TimeoutError) as error:
        if answers(camera, settings):
            raise FailureError(SILENT) from error
        raise
    except (av.InvalidDataError, av.EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EIO:
            raise
        if place.is_encrypted:
            check_certificate(place, settings)
        check_answer(camera, settings)
        raise
    try:
        return MjpegSource(container, video_stream(container))
    except BaseException:
        container.close()
        raise


def check_answer(camera: Camera, settings: IngestSettings) -> None:
    """Find out whether something else than a stream of JPEGs is at an address that FFmpeg can't read.

    Raises:
        UnsupportedError: It is.
    """
    with WebClient(camera, settings) as client:
        answer = client.peek(camera.url)
    if answer.has_redirect_location:
        raise UnsupportedError("the camera sends on to another address: register that one")
    kind = answer.headers.get("content-type", "something else").partition(";")[0][:60]
    if answer.is_success and not kind.startswith("multipart/"):
        hint = "; it may be a camera of one picture per request" if kind.startswith("image/") else ""
        raise UnsupportedError(f"expected a stream of JPEGs (multipart) at this address, got {kind}{hint}")


def answers(camera: Camera, settings: IngestSettings) -> bool:
    """Whether there is an answer at an address whose stream can't be opened in time, if without a picture."""
    try:
        with WebClient(camera, settings, answer_seconds=_ANSWER_SECONDS) as client:
            return client.peek(camera.url).is_success
    except (FailureError, OSError):
        return False


class MjpegSource(SourceBase):
    """Passes the camera's own JPEGs on without decoding them, wanted or not."""

    def __init__(self, container: Any, stream: Any, *, stated_fps: float | None = None) -> None:
        super().__init__(str(stream.codec_context.name), stated_fps=stated_fps)
        self._container = container
        self._stream = stream

    def pictures(self) -> Iterator[Picture | None]:
        """Yield a picture for each part of the stream that is a JPEG, timed by its arrival."""
        for packet in self._container.demux(self._stream):
            if packet.size == 0:
                return
            jpeg = bytes(packet)
            try:
                height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
            except ValueError:
                self.dropped["corrupt"] += 1
                yield None
                continue
            arrived_at = time.monotonic()
            self.traffic.note(len(jpeg), arrived_at, is_keyframe=True)
            yield JpegPicture(jpeg, arrived_at, time.time_ns(), (width, height))

    def close(self) -> None:
        """Close the connection."""
        self._container.close()
