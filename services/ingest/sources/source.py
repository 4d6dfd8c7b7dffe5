"""What every kind of source is, and what they share."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

import av

from mien.contracts.cameras import Camera, DecodePolicy, LoopFilter
from services.ingest.config import IngestSettings
from services.ingest.failures import UnsupportedError
from services.ingest.picture import Picture
from services.ingest.traffic import Traffic

_LIKELY_FPS: Final = (0.5, 120.0)


class VideoSource(Protocol):
    """An open camera.

    Attributes:
        codec: Name of its format.
        dropped: Packets and pictures given up, by reason.
        traffic: What has arrived so far.
        stated_fps: Pictures per second that it says it has; None where it doesn't.
        keyframes_only: Whether only keyframes are decoded now.
        is_wanted: Whether to decode what arrives. It and what follows may be changed with each picture or
            None that comes.
        decode: Which pictures to decode.
        sampled_fps: How many pictures a second are used.
        is_due: Tells whether a picture of this time on the source's timeline would be used.
    """

    codec: str
    dropped: Counter[str]
    traffic: Traffic
    stated_fps: float | None
    keyframes_only: bool
    is_wanted: bool
    decode: DecodePolicy
    sampled_fps: float
    is_due: Callable[[float], bool]

    @property
    def lag_seconds(self) -> float:
        """How far reading is behind, where the source has a clock."""

    def pictures(self) -> Iterator[Picture | None]:
        """Yield pictures as they come, and None for whatever arrived without giving one.

        It ends when the source does, which for a camera is a loss.
        """

    def close(self) -> None:
        """Close the connection; only from the thread that reads."""


OpenSource = Callable[[Camera, IngestSettings, threading.Event], VideoSource]


class SourceBase:
    """What sources have in common that have nothing special about it."""

    lag_seconds = 0.0

    def __init__(self, codec: str, *, stated_fps: float | None = None) -> None:
        self.codec = codec
        self.dropped: Counter[str] = Counter()
        self.traffic = Traffic()
        self.stated_fps = stated_fps
        self.keyframes_only = False
        self.is_wanted = True
        self.decode: DecodePolicy = "auto"
        self.sampled_fps = 5.0
        self.is_due: Callable[[float], bool] = lambda media_seconds: True


def video_stream(container: Any, *, loop_filter: LoopFilter = "on") -> Any:
    """Return the first video stream of an open container, set up for one thread.

    Args:
        loop_filter: With *off* only keyframes have theirs.

    Raises:
        UnsupportedError: There is none.
    """
    if not container.streams.video:
        raise UnsupportedError("the source has no video")
    stream = container.streams.video[0]
    # One thread per camera is the parallelism; frame threads would add two pictures of delay.
    stream.codec_context.thread_count = 1
    if loop_filter == "off":
        stream.codec_context.options = {"skip_loop_filter": "nokey"}
    return stream


def stated_fps_of(stream: Any) -> float | None:
    """Return how many pictures a second a stream says it has, where that can be true."""
    for rate in (stream.average_rate, stream.codec_context.framerate):
        if rate and _LIKELY_FPS[0] <= rate <= _LIKELY_FPS[1]:
            return float(rate)
    return None


def open_container(
    url: str, settings: IngestSettings, *, read_seconds: float | None = None, **options: Any
) -> Any:
    """Open with time limits that hold for every protocol, as a net under the protocols' own.

    Args:
        read_seconds: Longest wait for data, where it isn't the setting's.
    """
    timeout = (settings.open_timeout_seconds + 1, read_seconds or settings.stall_timeout_seconds)
    return av.open(url, timeout=timeout, **options)
