"""Streams whose pictures must be decoded: only while they are wanted, and only those that are of use."""

import statistics
import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import av

from services.ingest.picture import DecodedPicture, Picture
from services.ingest.pipeline import LagControl
from services.ingest.sources.pace import Pace
from services.ingest.sources.source import SourceBase, stated_fps_of

_MOST_UNSEEN_PACKETS: Final = 256
_MOST_UNSEEN_BYTES: Final = 8 * 1024 * 1024
_REMEMBERED_PACKETS: Final = _MOST_UNSEEN_PACKETS + 64
# Decoded one after the other, so many packets make the last picture some 20 ms later than if each were
# decoded as it comes (720p).
_MOST_AT_ONCE: Final = 8
# Rates are rounded, and a keyframe now and then comes late.
_ENOUGH_KEYFRAMES: Final = 0.98


class UnseenPackets:
    """What a decoder must still be fed to show the present: the packets since the last keyframe.

    Bounded in number and bytes. Beyond that all are let go, and the next keyframe is a new beginning.
    """

    def __init__(self) -> None:
        self._packets: deque[Any] = deque()
        self._bytes = 0
        self._is_broken = False

    def __len__(self) -> int:
        return len(self._packets)

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


class KeyframeMeter:
    """Measures how often keyframes come, on the stream's own timeline."""

    def __init__(self) -> None:
        self._seen: deque[float] = deque(maxlen=4)

    @property
    def per_second(self) -> float | None:
        """Keyframes per second; None before there have been three."""
        if len(self._seen) < 3:
            return None
        step = statistics.median(later - earlier for earlier, later in pairwise(self._seen))
        return 1 / step if step > 0 else None

    def note(self, media_seconds: float) -> None:
        """Take in the time of a keyframe; a timeline that jumps back begins anew."""
        if self._seen and media_seconds <= self._seen[-1]:
            self._seen.clear()
        self._seen.append(media_seconds)


class DecodedStream(SourceBase):
    """Decodes the pictures of a stream while they are wanted, unless it falls behind.

    While they are not, packets are read and kept back to the last keyframe, so that the present can be
    shown at once when it is asked for, and not only from the next keyframe on. Where keyframes alone are
    enough, the packets between them are kept in the same way, and so are the few between two pictures that
    are due: those after the last one before a keyframe need not be decoded at all.
    """

    def __init__(
        self, container: Any, stream: Any, *, lag: LagControl | None = None, pace: Pace | None = None
    ) -> None:
        """Read an open container.

        Args:
            lag: Of a live stream, which may fall behind.
            pace: Of a stream that comes in bursts.
        """
        super().__init__(str(stream.codec_context.name), stated_fps=stated_fps_of(stream))
        self._unseen = UnseenPackets()
        self._keyframes = KeyframeMeter()
        self._container = container
        self._stream = stream
        self._lag = lag
        self._pace = pace
        self._held_seconds = 0.0
        self._previous_media: float | None = None
        self._arrivals: OrderedDict[int, tuple[int, int | None]] = OrderedDict()

    @property
    def lag_seconds(self) -> float:  # type: ignore[override]  # what others have as a constant is measured here
        """How far reading is behind the camera."""
        return self._lag.lag_seconds if self._lag is not None else 0.0

    def pictures(self) -> Iterator[Picture | None]:
        """Yield a picture for each frame that decodes whole."""
        for packet in self._container.demux(self._stream):
            if packet.size == 0:
                return  # FFmpeg's flush: the connection has ended, without an exception
            if self._pace is not None and not self._keeps_pace(packet, self._pace):
                return
            if not self._admits(packet):
                self.dropped["lag"] += 1
                self._unseen.give_up()
                yield None
                continue
            self._unseen.add(packet)
            if not self.is_wanted or not self._is_of_use(packet):
                yield None
                continue
            for unseen in self._unseen.take():
                yield from self._decode(unseen)

    def close(self) -> None:
        """Close the connection."""
        self._container.close()

    def _is_of_use(self, packet: Any) -> bool:
        """Whether to decode up to this packet."""
        if packet.is_keyframe and packet.pts is not None:
            self._keyframes.note(float(packet.pts * packet.time_base))
        often = self._keyframes.per_second
        enough = often is not None and often >= _ENOUGH_KEYFRAMES * self.sampled_fps
        keyframes_only = self.decode == "keyframes" or (self.decode == "auto" and enough)
        if keyframes_only and packet.is_keyframe:
            self.keyframes_only = True
        elif not keyframes_only:
            self.keyframes_only = False
        if self.keyframes_only and not packet.is_keyframe:
            return False
        if packet.pts is None or self.is_due(float(packet.pts * packet.time_base)):
            return True
        return not self.keyframes_only and not self._may_wait()

    def _may_wait(self) -> bool:
        """Whether a picture that isn't due need not be decoded before one that is.

        If a keyframe comes first, it never is. Where pictures come out of order, the one that is due may
        be behind it.
        """
        in_order = not self._stream.codec_context.has_b_frames
        return self.decode == "auto" and in_order and len(self._unseen) < _MOST_AT_ONCE

    def _decode(self, packet: Any) -> Iterator[Picture | None]:
        try:
            frames = packet.decode()
            if self.keyframes_only and not frames:
                # A decoder that expects pictures out of order keeps this one until more have come: make it
                # give the picture, and begin anew with the next keyframe.
                frames = self._stream.codec_context.decode(None)
                self._stream.codec_context.flush_buffers()
                self._unseen.give_up()
        except av.InvalidDataError:
            self.dropped["corrupt"] += 1
            frames = []
        whole = [frame for frame in frames if not frame.is_corrupt]
        self.dropped["corrupt"] += len(frames) - len(whole)
        # The first packets of a connection may come without a time; what they show can't be placed.
        timed = [frame for frame in whole if frame.pts is not None]
        if timed and self.stated_fps is None:
            self.stated_fps = stated_fps_of(self._stream)  # a keyframe's parameters tell
        for frame in timed:
            yield self._picture(frame)
        if not timed:
            yield None

    def _keeps_pace(self, packet: Any, pace: Pace) -> bool:
        """Wait until a packet is due; returns whether to go on."""
        if packet.dts is None:
            return True
        return pace.wait_for(float(packet.dts * packet.time_base))

    def _admits(self, packet: Any) -> bool:
        arrived_at_ns = time.time_ns()
        if packet.pts is None:
            return True
        media_seconds = float(packet.pts * packet.time_base)
        self.traffic.note(packet.size, media_seconds, is_keyframe=bool(packet.is_keyframe))
        admitted = True
        if self._lag is not None:
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


def _camera_clock_ns(packet: Any) -> int | None:
    for side_data in packet.iter_sidedata():
        if side_data.data_type == "prft":  # producer reference time, from RTCP sender reports
            return int.from_bytes(bytes(side_data)[:8], "little", signed=True) * 1000
    return None
