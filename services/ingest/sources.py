"""Open sources of pictures: RTSP, MJPEG over HTTP, video files. All calls come from one thread.

Closing a container while another thread reads it crashes the process, so whoever opens a source reads
and closes it. A source is told to stop by its reader not asking for the next picture; waits inside
FFmpeg end by their time limits.
"""

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from typing import Any, Final, Protocol

import av
import simplejpeg

from mien.contracts.cameras import Camera
from services.ingest.address import Address, build_address
from services.ingest.config import IngestSettings
from services.ingest.failures import UnsupportedError
from services.ingest.picture import DecodedPicture, JpegPicture, Picture
from services.ingest.pipeline import LagControl
from services.ingest.traffic import Traffic

_MOST_UNSEEN_PACKETS: Final = 256
_MOST_UNSEEN_BYTES: Final = 8 * 1024 * 1024
_REMEMBERED_PACKETS: Final = _MOST_UNSEEN_PACKETS + 64


class VideoSource(Protocol):
    """An open camera.

    Attributes:
        codec: Name of its format.
        dropped: Packets and pictures given up, by reason.
        is_wanted: Whether to decode what arrives. It may be changed with each picture or None that comes.
        traffic: What has arrived so far.
    """

    codec: str
    traffic: Traffic
    dropped: Counter[str]
    is_wanted: bool

    @property
    def lag_seconds(self) -> float:
        """How far reading is behind, where the source has a clock."""

    def pictures(self) -> Iterator[Picture | None]:
        """Yield pictures as they come, and None for whatever arrived without giving one.

        It ends when the source does, which for a camera is a loss.
        """

    def close(self) -> None:
        """Close the connection; only from the thread that reads."""


def open_source(camera: Camera, settings: IngestSettings, stop: threading.Event) -> VideoSource:
    """Open a camera; what can go wrong is told by :func:`services.ingest.failures.explain`."""
    address = build_address(camera, timeout_seconds=settings.open_timeout_seconds)
    if address.kind == "file":
        return FileSource(address, stop)
    # The net under the options: it bounds every protocol. A read that times out within RTSP is tried once
    # more by FFmpeg (the first end flushes the parser), hence half of the time for each.
    tries = 2 if address.kind == "rtsp" else 1
    container = av.open(
        address.url,
        format=address.format,
        options=address.options,
        timeout=(settings.open_timeout_seconds + 1, settings.stall_timeout_seconds / tries),
    )
    try:
        stream = _video_stream(container)
        if address.kind == "mjpeg":
            return MjpegSource(container, stream)
        return RtspSource(container, stream, LagControl(settings.max_lag_seconds))
    except BaseException:
        container.close()
        raise


class UnseenPackets:
    """What a decoder must still be fed to show the present: the packets since the last keyframe.

    Bounded in number and bytes. Beyond that all are let go, and the next keyframe is a new beginning.
    """

    def __init__(self) -> None:
        self._packets: deque[Any] = deque()
        self._bytes = 0
        self._is_broken = False

    def add(self, packet: Any) -> None:
        """Take in the next packet of the stream."""
        if packet.is_keyframe:
            self.give_up()
            self._is_broken = False
        if self._is_broken:
            return
        self._packets.append(packet)
        self._bytes += packet.size
        if len(self._packets) > _MOST_UNSEEN_PACKETS or self._bytes > _MOST_UNSEEN_BYTES:
            self.give_up()

    def take(self) -> Iterator[Any]:
        """Yield the packets, oldest first, each for the last time."""
        while self._packets:
            packet = self._packets.popleft()
            self._bytes -= packet.size
            yield packet

    def give_up(self) -> None:
        """Let go of all, because what follows can't be decoded with a gap before it."""
        self._packets.clear()
        self._bytes = 0
        self._is_broken = True


class RtspSource:
    """Decodes the pictures of a live stream while they are wanted, unless it falls behind.

    While they are not, packets are read and kept back to the last keyframe, so that the present can be
    shown at once when it is asked for, and not only from the next keyframe on.
    """

    def __init__(self, container: Any, stream: Any, lag: LagControl) -> None:
        self.codec = str(stream.codec_context.name)
        self.dropped: Counter[str] = Counter()
        self.traffic = Traffic()
        self.is_wanted = True
        self._unseen = UnseenPackets()
        self._container = container
        self._stream = stream
        self._lag = lag
        self._held_seconds = 0.0
        self._previous_media: float | None = None
        self._arrivals: OrderedDict[int, tuple[int, int | None]] = OrderedDict()

    @property
    def lag_seconds(self) -> float:
        """How far reading is behind the camera."""
        return self._lag.lag_seconds

    def pictures(self) -> Iterator[Picture | None]:
        """Yield a picture for each frame that decodes whole."""
        for packet in self._container.demux(self._stream):
            if packet.size == 0:
                return  # FFmpeg's flush: the connection has ended, without an exception
            if not self._admits(packet):
                self.dropped["lag"] += 1
                self._unseen.give_up()
                yield None
                continue
            self._unseen.add(packet)
            if not self.is_wanted:
                yield None
                continue
            for unseen in self._unseen.take():
                yield from self._decode(unseen)

    def close(self) -> None:
        """Close the connection."""
        self._container.close()

    def _decode(self, packet: Any) -> Iterator[Picture | None]:
        try:
            frames = packet.decode()
        except av.InvalidDataError:
            self.dropped["corrupt"] += 1
            frames = []
        whole = [frame for frame in frames if not frame.is_corrupt]
        self.dropped["corrupt"] += len(frames) - len(whole)
        # The first packets of a connection may come without a time; what they show can't be placed.
        timed = [frame for frame in whole if frame.pts is not None]
        for frame in timed:
            yield self._picture(frame)
        if not timed:
            yield None

    def _admits(self, packet: Any) -> bool:
        arrived_at_ns = time.time_ns()
        if packet.pts is None:
            return True
        media_seconds = float(packet.pts * packet.time_base)
        self.traffic.note(packet.size, media_seconds, is_keyframe=bool(packet.is_keyframe))
        if self._previous_media is not None and 0 < media_seconds - self._previous_media < 1:
            # The parser knows that a picture is complete only when the next one begins.
            self._held_seconds = media_seconds - self._previous_media
        self._previous_media = media_seconds
        admitted = self._lag.admits(media_seconds, time.monotonic(), is_keyframe=bool(packet.is_keyframe))
        captured_at_ns = arrived_at_ns - round((self._held_seconds + self.lag_seconds) * 1e9)
        self._arrivals[packet.pts] = (captured_at_ns, _camera_clock_ns(packet))
        while len(self._arrivals) > _REMEMBERED_PACKETS:
            self._arrivals.popitem(last=False)
        return admitted

    def _picture(self, frame: Any) -> DecodedPicture:
        captured_at_ns, camera_clock_ns = self._arrivals.get(frame.pts, (time.time_ns(), None))
        media_seconds = float(frame.pts * frame.time_base)
        return DecodedPicture(frame, media_seconds, captured_at_ns, camera_clock_ns)


class MjpegSource:
    """Passes the camera's own JPEGs on without decoding them, wanted or not."""

    lag_seconds = 0.0
    is_wanted = True

    def __init__(self, container: Any, stream: Any) -> None:
        self.codec = str(stream.codec_context.name)
        self.dropped: Counter[str] = Counter()
        self.traffic = Traffic()
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


class FileSource:
    """Plays a video file at its own pace, again and again."""

    lag_seconds = 0.0
    is_wanted = True

    def __init__(self, address: Address, stop: threading.Event) -> None:
        self.dropped: Counter[str] = Counter()
        self.traffic = Traffic()
        self._address = address
        self._stop = stop
        self._container = self._open()
        self.codec = str(_video_stream(self._container).codec_context.name)

    def pictures(self) -> Iterator[Picture | None]:
        """Yield the pictures when they are due; time goes on over the end of the file."""
        started = time.monotonic()
        played_seconds = 0.0
        while True:
            stream = _video_stream(self._container)
            first: float | None = None
            end_seconds = 0.0
            for frame in self._frames(stream):
                if frame.time is None:
                    continue
                first = frame.time if first is None else first
                media_seconds = played_seconds + frame.time - first
                end_seconds = max(end_seconds, media_seconds + 1.0 / float(stream.average_rate or 25))
                ahead = started + media_seconds - time.monotonic()
                if self._stop.wait(max(ahead, 0.0)):
                    return
                if ahead < -1.0:
                    started -= ahead  # too slow for this file: play it slower rather than in bursts
                yield DecodedPicture(frame, media_seconds, time.time_ns())
            if first is None:
                raise UnsupportedError("the file holds no pictures")
            played_seconds = end_seconds
            self._container.close()
            self._container = self._open()

    def _frames(self, stream: Any) -> Iterator[Any]:
        for packet in self._container.demux(stream):
            if packet.pts is not None:
                media_seconds = float(packet.pts * packet.time_base)
                self.traffic.note(packet.size, media_seconds, is_keyframe=bool(packet.is_keyframe))
            yield from packet.decode()

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _open(self) -> Any:
        return av.open(self._address.url, options=self._address.options)


def _video_stream(container: Any) -> Any:
    if not container.streams.video:
        raise UnsupportedError("the source has no video")
    stream = container.streams.video[0]
    # One thread per camera is the parallelism; frame threads would add two pictures of delay.
    stream.codec_context.thread_count = 1
    return stream


def _camera_clock_ns(packet: Any) -> int | None:
    for side_data in packet.iter_sidedata():
        if side_data.data_type == "prft":  # producer reference time, from RTCP sender reports
            return int.from_bytes(bytes(side_data)[:8], "little", signed=True) * 1000
    return None
