"""Open sources of pictures, a module for each kind. All calls to a source come from one thread.

Closing a container while another thread reads it crashes the process, so whoever opens a source reads
and closes it. A source is told to stop by its reader not asking for the next picture; waits inside
FFmpeg end by their time limits.

A new kind is a module here, a line below, and its addresses in :func:`mien.contracts.cameras.source_kind`.
"""

import threading
from typing import Final

from mien.contracts.cameras import Camera, SourceKind
from services.ingest.address import AddressError
from services.ingest.config import IngestSettings
from services.ingest.sources.file import open_file
from services.ingest.sources.hls import open_hls
from services.ingest.sources.mjpeg import open_mjpeg
from services.ingest.sources.rtsp import open_rtsp
from services.ingest.sources.snapshot import open_snapshots
from services.ingest.sources.source import OpenSource, VideoSource
from services.ingest.sources.usb import open_usb

__all__ = ["OPENERS", "OpenSource", "VideoSource", "open_source"]

OPENERS: Final[dict[SourceKind, OpenSource]] = {
    "rtsp": open_rtsp,
    "mjpeg": open_mjpeg,
    "snapshot": open_snapshots,
    "hls": open_hls,
    "file": open_file,
    "usb": open_usb,
}
"""How each kind is opened; a kind that is not here is none of ingest's."""


def open_source(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    """Open a camera; what can go wrong is told by :func:`services.ingest.failures.explain`.

    Raises:
        AddressError: Its address is of no kind that is read here.
    """
    kind = camera.source
    if kind is None or kind not in OPENERS:
        scheme = camera.url.partition(":")[0][:20]
        raise AddressError(f"expected the address of a camera of kind {', '.join(OPENERS)}, got {scheme}:")
    return OPENERS[kind](camera, settings, stop)
