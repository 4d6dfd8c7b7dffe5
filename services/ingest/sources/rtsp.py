"""RTSP and RTSPS cameras, over TCP or UDP."""

import errno
import threading

from mien.contracts.cameras import Camera
from services.ingest.address import Place, locate
from services.ingest.certificates import check_certificate, tls_options
from services.ingest.config import IngestSettings
from services.ingest.pipeline import LagControl
from services.ingest.sources.decoded import DecodedStream
from services.ingest.sources.source import VideoSource, open_container, video_stream


def open_rtsp(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    """Open an RTSP stream."""
    place = locate(camera, settings.cameras.rules())
    options = rtsp_options(camera, place, settings) | tls_options(camera, place, settings)
    try:
        # A read that times out is tried once more by FFmpeg (the first end flushes the parser).
        seconds = settings.stall_timeout_seconds / 2
        container = open_container(place.url, settings, read_seconds=seconds, format="rtsp", options=options)
    except OSError as error:
        if place.is_encrypted and error.errno == errno.EIO:
            check_certificate(place, settings)
        raise
    try:
        stream = video_stream(container, loop_filter=camera.loop_filter)
        return DecodedStream(container, stream, lag=LagControl(settings.max_lag_seconds))
    except BaseException:
        container.close()
        raise


def rtsp_options(camera: Camera, place: Place, settings: IngestSettings) -> dict[str, str]:
    """Return FFmpeg's options for a stream; whatever the camera answers leads to these protocols only."""
    transport = "tcp" if place.is_encrypted else camera.transport
    return {
        "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls" + (",udp" if transport == "udp" else ""),
        # In microseconds. `stimeout` of old is ignored without a word.
        "timeout": str(round(settings.open_timeout_seconds * 1e6)),
        "rtsp_transport": transport,
        "allowed_media_types": "video",
        # Size, profile and rate come with the first keyframe; probing for them would only delay it. This is
        # the least that FFmpeg takes: one packet. With more, a small stream waits until so much has come.
        "analyzeduration": "0",
        "probesize": "32",
    }
