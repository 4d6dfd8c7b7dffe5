"""HLS: a playlist that names pieces of video, which come in bursts and are shown at their own pace.

FFmpeg reads playlist and pieces, but fetches nothing itself: every address that a playlist names goes
through :class:`~services.ingest.web.WebClient`, so that none leads to a file or to where cameras may not be.
"""

import io
import threading
from typing import Any, Final

import av

from mien.contracts.cameras import Camera
from mien.runtime.networks import ForbiddenAddressError
from services.ingest.address import AddressError
from services.ingest.certificates import UntrustedError
from services.ingest.config import IngestSettings
from services.ingest.failures import FailureError, UnsupportedError
from services.ingest.sources.decoded import DecodedStream
from services.ingest.sources.pace import Pace
from services.ingest.sources.source import VideoSource, open_container, video_stream
from services.ingest.web import WebClient

_OPTIONS: Final = {
    "protocol_whitelist": "http,https",
    # Whole pieces are fetched by us, each by itself.
    "http_persistent": "0",
    "http_multiple": "0",
    # Begin with the newest piece: what is older is of no use to anybody who looks now.
    "live_start_index": "-1",
}
_PIECE_SECONDS: Final = 15.0
_TOLD: Final = (FailureError, UnsupportedError, UntrustedError, ForbiddenAddressError, AddressError, OSError)


def open_hls(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    """Open a playlist."""
    fetcher = PieceFetcher(WebClient(camera, settings))
    container = None
    # Between two pieces nothing comes.
    seconds = max(settings.stall_timeout_seconds, _PIECE_SECONDS)
    options = {"format": "hls", "options": dict(_OPTIONS), "io_open": fetcher.open}
    try:
        container = open_container(camera.url, settings, read_seconds=seconds, **options)
        return HlsSource(container, video_stream(container, loop_filter=camera.loop_filter), fetcher, stop)
    except BaseException as error:
        if container is not None:
            container.close()
        fetcher.close()
        if fetcher.error is not None and isinstance(error, Exception):
            raise fetcher.error from error
        if isinstance(error, av.InvalidDataError):
            words = "what is there is no playlist, or names something that is not of the web or no video"
            raise UnsupportedError(words) from error
        raise


class PieceFetcher:
    """Fetches what a playlist names.

    Attributes:
        error: What went wrong with the last piece, which FFmpeg only knows as a failure; None if nothing did.
    """

    def __init__(self, client: WebClient) -> None:
        self.error: Exception | None = None
        self._client = client

    def open(self, url: str, flags: int, options: dict[str, str]) -> io.BytesIO:
        """Return a playlist or a piece, whole; FFmpeg's options for its own HTTP don't count."""
        headers = {}
        if "offset" in options or "end_offset" in options:
            start, end = int(options.get("offset", 0)), int(options.get("end_offset", 0))
            headers["Range"] = f"bytes={start}-{end - 1 if end else ''}"
        try:
            if not url.startswith(("http://", "https://")):
                scheme = url.partition(":")[0][:20]
                raise UnsupportedError(f"the playlist names an address that is not of the web ({scheme}:)")
            content = self._client.fetch(url, headers=headers).content
        except _TOLD as error:
            self.error = error
            raise OSError(f"a piece of the playlist: {type(error).__name__}") from error
        self.error = None
        return io.BytesIO(content)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


class HlsSource(DecodedStream):
    """Decodes a playlist's pieces at their own pace."""

    def __init__(self, container: Any, stream: Any, fetcher: PieceFetcher, stop: threading.Event) -> None:
        super().__init__(container, stream, pace=Pace(stop))
        self._fetcher = fetcher

    def close(self) -> None:
        """Close all connections."""
        super().close()
        self._fetcher.close()
