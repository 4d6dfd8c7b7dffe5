"""H.264 as a camera sends it: access units without B frames, taken from a file or encoded once."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
from av.bitstream import BitStreamFilterContext

from mien.errors import MienError

RTP_HZ: Final = 90_000
FPS: Final = 15
GOP: Final = 30
_SLICE, _IDR, _SPS, _PPS = 1, 5, 7, 8
_STILL_SECONDS: Final = 2


class ClipError(MienError):
    """A file can't be shown by a simulated camera."""


@dataclass(frozen=True)
class AccessUnit:
    """One picture as it goes over the wire.

    Attributes:
        nals: Network abstraction layer units, without start codes; a keyframe begins with SPS and PPS.
        duration_ticks: Time until the next picture, in 1/90000 s.
    """

    nals: tuple[bytes, ...]
    is_keyframe: bool
    duration_ticks: int = RTP_HZ // FPS


@dataclass(frozen=True)
class Clip:
    """A file, ready to be looped."""

    path: Path
    units: tuple[AccessUnit, ...]
    size_wh: tuple[int, int]


def load_clip(path: Path) -> Clip:
    """Read a file: H.264 without B frames as it is, anything else (a still picture, too) encoded once.

    Raises:
        ClipError: The file can't be read or holds no video.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ClipError(f"{path} holds no video")
            stream = container.streams.video[0]
            context = stream.codec_context
            size_wh = (context.width - context.width % 2, context.height - context.height % 2)
            as_it_is = context.name == "h264" and not context.has_b_frames
            units = tuple(_demux(container, stream) if as_it_is else _encode_file(container, size_wh))
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{path} can't be shown: {error}") from error
    if not units or not units[0].is_keyframe:
        raise ClipError(f"{path} does not begin with a keyframe")
    return Clip(path, units, size_wh)


def read_pictures(path: Path, *, size_wh: tuple[int, int] | None = None) -> Iterator[Any]:
    """Yield the pictures of a file as YUV 4:2:0 frames, 15 a second, each as long as it is shown."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        even = (context.width - context.width % 2, context.height - context.height % 2)
        yield from _resample(container, stream, size_wh or even)


class Encoder:
    """Encodes pictures as a plain camera does: no B frames, no delay, a keyframe every two seconds."""

    def __init__(self, size_wh: tuple[int, int]) -> None:
        self._context = av.CodecContext.create("libx264", "w")
        self._context.width, self._context.height = size_wh
        self._context.pix_fmt = "yuv420p"
        self._context.time_base = Fraction(1, FPS)
        self._context.framerate = Fraction(FPS, 1)
        self._context.gop_size = GOP
        self._context.max_b_frames = 0
        self._context.thread_count = 1
        self._context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "crf": "23",
            "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes=0:repeat-headers=1",
        }
        self._count = 0

    def encode(self, picture: Any) -> AccessUnit:
        """Encode the next picture; its own timestamp is ignored."""
        picture.pts = self._count
        picture.time_base = Fraction(1, FPS)
        picture.pict_type = 0
        self._count += 1
        packets = self._context.encode(picture)
        assert len(packets) == 1, "without delay each picture gives one packet"
        return AccessUnit(_picture_nals(bytes(packets[0])), bool(packets[0].is_keyframe))


def split_annex_b(data: bytes) -> list[bytes]:
    """Split a byte stream at its start codes (00 00 01) into NAL units."""
    parts = data.split(b"\x00\x00\x01")[1:]
    return [nal for part in parts if (nal := part.rstrip(b"\x00"))]


def parameter_sets(units: tuple[AccessUnit, ...]) -> tuple[bytes, bytes]:
    """Return SPS and PPS of the first keyframe."""
    by_type = {nal[0] & 0x1F: nal for nal in reversed(units[0].nals)}
    return by_type[_SPS], by_type[_PPS]


def _demux(container: Any, stream: Any) -> Iterator[AccessUnit]:
    to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
    packets = [packet for packet in container.demux(stream) if packet.size and packet.pts is not None]
    frame_ticks = round(RTP_HZ / float(stream.average_rate or FPS))
    for packet, following in zip(packets, [*packets[1:], None], strict=True):
        until = frame_ticks
        if following is not None:
            until = round((following.pts - packet.pts) * float(packet.time_base) * RTP_HZ)
        keyframe = bool(packet.is_keyframe)
        for filtered in to_annex_b.filter(packet):
            yield AccessUnit(_picture_nals(bytes(filtered)), keyframe, max(until, 1))


def _encode_file(container: Any, size_wh: tuple[int, int]) -> Iterator[AccessUnit]:
    encoder = Encoder(size_wh)
    for picture in _resample(container, container.streams.video[0], size_wh):
        yield encoder.encode(picture)


def _resample(container: Any, stream: Any, size_wh: tuple[int, int]) -> Iterator[Any]:
    width, height = size_wh
    shown = 0
    picture = None
    started = float((stream.start_time or 0) * stream.time_base)
    for frame in container.decode(stream):
        picture = frame.reformat(width, height, "yuv420p", interpolation="AREA", threads=1)
        seconds = shown / FPS if frame.time is None else frame.time - started
        while shown / FPS <= seconds + 1e-6:
            shown += 1
            yield picture
    while picture is not None and shown < _STILL_SECONDS * FPS:
        shown += 1
        yield picture


def _picture_nals(annex_b: bytes) -> tuple[bytes, ...]:
    wanted = (_SLICE, _IDR, _SPS, _PPS)
    return tuple(nal for nal in split_annex_b(annex_b) if nal[0] & 0x1F in wanted)
