"""H.264 or H.265 as a camera sends it: access units without B frames, from a file or encoded once."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

import av
from av.bitstream import BitStreamFilterContext

from mien.errors import MienError

RTP_HZ: Final = 90_000
FPS: Final = 15
GOP: Final = 30
Codec = Literal["h264", "hevc"]
# NAL unit types: pictures, and the parameter sets that a decoder must have first. Whatever else an encoder
# writes (its settings as text, delimiters) a camera would not send.
_PICTURES: Final[dict[Codec, frozenset[int]]] = {"h264": frozenset({1, 5}), "hevc": frozenset(range(22))}
_PARAMETER_SETS: Final[dict[Codec, tuple[int, ...]]] = {"h264": (7, 8), "hevc": (32, 33, 34)}
_STILL_SECONDS: Final = 2


class ClipError(MienError):
    """A file can't be shown by a simulated camera."""


@dataclass(frozen=True)
class AccessUnit:
    """One picture as it goes over the wire.

    Attributes:
        nals: Network abstraction layer units, without start codes; a keyframe begins with parameter sets.
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
    codec: Codec = "h264"


def load_clip(path: Path) -> Clip:
    """Read a file: H.264 or H.265 without B frames as it is, anything else encoded once as H.264.

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
            codec: Codec = "hevc" if context.name == "hevc" and not context.has_b_frames else "h264"
            as_it_is = context.name == codec and not context.has_b_frames
            units = tuple(_demux(container, stream, codec) if as_it_is else _encode_file(container, size_wh))
    except (av.FFmpegError, OSError) as error:
        raise ClipError(f"{path} can't be shown: {error}") from error
    if not units or not units[0].is_keyframe:
        raise ClipError(f"{path} does not begin with a keyframe")
    return Clip(path, units, size_wh, codec)


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
        return AccessUnit(_picture_nals(bytes(packets[0]), "h264"), bool(packets[0].is_keyframe))


def split_annex_b(data: bytes) -> list[bytes]:
    """Split a byte stream at its start codes (00 00 01) into NAL units."""
    parts = data.split(b"\x00\x00\x01")[1:]
    return [nal for part in parts if (nal := part.rstrip(b"\x00"))]


def nal_type(nal: bytes, codec: Codec) -> int:
    """Return the type of a NAL unit, from its header."""
    return nal[0] & 0x1F if codec == "h264" else nal[0] >> 1 & 0x3F


def parameter_sets(units: tuple[AccessUnit, ...], codec: Codec = "h264") -> tuple[bytes, ...]:
    """Return the parameter sets of the first keyframe: SPS and PPS, of H.265 VPS, SPS and PPS."""
    by_type = {nal_type(nal, codec): nal for nal in reversed(units[0].nals)}
    return tuple(by_type[kind] for kind in _PARAMETER_SETS[codec])


def _demux(container: Any, stream: Any, codec: Codec) -> Iterator[AccessUnit]:
    to_annex_b = BitStreamFilterContext(f"{codec}_mp4toannexb", stream)
    packets = [packet for packet in container.demux(stream) if packet.size and packet.pts is not None]
    frame_ticks = round(RTP_HZ / float(stream.average_rate or FPS))
    for packet, following in zip(packets, [*packets[1:], None], strict=True):
        until = frame_ticks
        if following is not None:
            until = round((following.pts - packet.pts) * float(packet.time_base) * RTP_HZ)
        keyframe = bool(packet.is_keyframe)
        for filtered in to_annex_b.filter(packet):
            yield AccessUnit(_picture_nals(bytes(filtered), codec), keyframe, max(until, 1))


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


def _picture_nals(annex_b: bytes, codec: Codec) -> tuple[bytes, ...]:
    wanted = _PICTURES[codec] | {*_PARAMETER_SETS[codec]}
    return tuple(nal for nal in split_annex_b(annex_b) if nal_type(nal, codec) in wanted)
