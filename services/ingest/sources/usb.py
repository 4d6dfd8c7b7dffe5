"""Cameras plugged into this machine, by Video4Linux."""

import threading
from typing import Final

import av

from mien.contracts.cameras import Camera
from services.ingest.address import path_of
from services.ingest.config import IngestSettings
from services.ingest.pipeline import LagControl
from services.ingest.sources.decoded import DecodedStream
from services.ingest.sources.mjpeg import MjpegSource
from services.ingest.sources.source import VideoSource, open_container, stated_fps_of, video_stream

# What a webcam sends compressed is smaller than what it sends raw, and is passed on as it is.
_WISHES: Final[tuple[dict[str, str], ...]] = (
    {"input_format": "mjpeg", "video_size": "1280x720"},
    {"input_format": "mjpeg"},
    {},
)


def open_usb(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    """Open a device such as ``/dev/video0``, with the best it has to offer."""
    path = path_of(camera)
    with open(path, "rb"):  # noqa: PTH123 - a device; says what is wrong with it better than FFmpeg does
        pass
    for wish in _WISHES:
        try:
            container = open_container(path, settings, format="video4linux2,v4l2", options=dict(wish))
            break
        except (av.ArgumentError, OSError):
            if not wish:
                raise
    try:
        stream = video_stream(container)
        if stream.codec_context.name == "mjpeg":
            return MjpegSource(container, stream, stated_fps=stated_fps_of(stream))
        return DecodedStream(container, stream, lag=LagControl(settings.max_lag_seconds))
    except BaseException:
        container.close()
        raise
