"""Cameras that give one picture per request: asked again and again, and passed on when it is another one."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Final

import httpx
import simplejpeg

from mien.contracts.cameras import Camera
from services.ingest.config import IngestSettings
from services.ingest.failures import UnsupportedError
from services.ingest.picture import JpegPicture, Picture
from services.ingest.sources.source import SourceBase, VideoSource
from services.ingest.web import WebClient

_LONGEST_WAIT_SECONDS: Final = 1.0


def open_snapshots(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    """Fetch the first picture of a camera."""
    return SnapshotSource(camera, WebClient(camera, settings), stop)


class SnapshotSource(SourceBase):
    """Asks for a picture as often as pictures are sampled.

    A camera that can tell (ETag, Last-Modified) sends a picture only when it is a new one; the bytes of the
    others are compared.
    """

    def __init__(self, camera: Camera, client: WebClient, stop: threading.Event) -> None:
        super().__init__("mjpeg")
        self.sampled_fps = camera.sampled_fps
        self._url = camera.url
        self._client = client
        self._stop = stop
        self._validators: dict[str, str] = {}
        self._jpeg = b""
        try:
            self._first = self._fetch()
        except BaseException:
            client.close()
            raise

    def pictures(self) -> Iterator[Picture | None]:
        """Yield each new picture, and None where it is still the same."""
        yield self._first
        due = time.monotonic()
        while not self._stop.is_set():
            due = max(due + 1 / self.sampled_fps, time.monotonic())
            while (wait := due - time.monotonic()) > 0:
                if self._stop.wait(min(wait, _LONGEST_WAIT_SECONDS)):
                    return
                if wait > _LONGEST_WAIT_SECONDS:
                    yield None  # a sign of life, and another rate may hold by now
                    due = min(due, time.monotonic() + 1 / self.sampled_fps)
            yield self._fetch()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _fetch(self) -> Picture | None:
        response = self._client.fetch(self._url, headers=self._validators)
        captured_at_ns = time.time_ns()
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return None
        headers = response.headers
        kept = {"If-None-Match": headers.get("etag"), "If-Modified-Since": headers.get("last-modified")}
        self._validators = {name: value for name, value in kept.items() if value}
        if response.content == self._jpeg:
            return None
        try:
            height, width, *_ = simplejpeg.decode_jpeg_header(response.content)
        except ValueError:
            if self._jpeg:
                self.dropped["corrupt"] += 1
                return None
            kind = headers.get("content-type", "something else")[:60]
            raise UnsupportedError(f"expected a JPEG picture at this address, got {kind}") from None
        self._jpeg = response.content
        arrived_at = time.monotonic()
        self.traffic.note(len(response.content), arrived_at, is_keyframe=True)
        return JpegPicture(response.content, arrived_at, captured_at_ns, (width, height), _clock_of(headers))


def _clock_of(headers: httpx.Headers) -> int | None:
    """Return the camera's clock, to the second, from an answer."""
    with suppress(ValueError, TypeError, KeyError):
        return round(parsedate_to_datetime(headers["date"]).timestamp() * 1e9)
    return None
