"""A frame on the ``frames`` topic: the JPEG is the value, everything else is in the headers."""

from collections.abc import Iterable
from dataclasses import dataclass

from mien.errors import ContractError

_REQUIRED_HEADERS = ("frame_id", "captured_at_ns", "size_wh", "max_age_ms")


@dataclass(frozen=True)
class Frame:
    """One sampled picture of a camera.

    Attributes:
        frame_id: ``camera:epoch:seq``.
        jpeg: The picture as the camera's or our own encoder wrote it.
        captured_at_ns: Arrival at ingest less the decoder's delay, Unix time.
        size_wh: Width and height in pixels.
        max_age_ms: Older than this, the frame is worth nothing and is dropped wherever it is.
        still: Nothing moved since the last frame; published only as a heartbeat or for a viewer.
        camera_clock_ns: The camera's own clock, when it sends one. Never decides staleness.
        trace: W3C traceparent, or empty.
        closeup_jpeg: The same moment in the camera's main stream, where it has one and somebody asked for
            it: the same field of view in more pixels. It travels in a header, so that the two never part.
        closeup_size_wh: Its width and height.
    """

    frame_id: str
    jpeg: bytes
    captured_at_ns: int
    size_wh: tuple[int, int]
    max_age_ms: int = 1000
    still: bool = False
    camera_clock_ns: int | None = None
    trace: str = ""
    closeup_jpeg: bytes | None = None
    closeup_size_wh: tuple[int, int] | None = None

    @property
    def camera_id(self) -> str:
        """The camera the frame came from."""
        return self.frame_id.rsplit(":", 2)[0]

    @property
    def epoch(self) -> int:
        """Which opening of the camera the frame came from; frames of an older one are dropped."""
        return int(self.frame_id.rsplit(":", 2)[1])

    def age_ms(self, now_ns: int) -> float:
        """Milliseconds since the picture was taken."""
        return (now_ns - self.captured_at_ns) / 1e6

    def is_stale(self, now_ns: int) -> bool:
        """Whether the frame is too old to be worth any work."""
        return self.age_ms(now_ns) > self.max_age_ms

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers that travel with :attr:`jpeg`."""
        headers = [
            ("frame_id", self.frame_id.encode()),
            ("captured_at_ns", b"%d" % self.captured_at_ns),
            ("size_wh", b"%dx%d" % self.size_wh),
            ("max_age_ms", b"%d" % self.max_age_ms),
            ("still", b"1" if self.still else b"0"),
        ]
        if self.camera_clock_ns is not None:
            headers.append(("camera_clock_ns", b"%d" % self.camera_clock_ns))
        if self.trace:
            headers.append(("trace", self.trace.encode()))
        if self.closeup_jpeg is not None and self.closeup_size_wh is not None:
            headers.append(("closeup_jpeg", self.closeup_jpeg))
            headers.append(("closeup_size_wh", b"%dx%d" % self.closeup_size_wh))
        return headers

    @classmethod
    def from_record(cls, headers: Iterable[tuple[str, bytes]], jpeg: bytes | None) -> "Frame":
        """Read a frame from a Kafka record.

        Raises:
            ContractError: A header is missing or malformed, or the value is no JPEG.
        """
        values = dict(headers)
        closeup_jpeg = values.pop("closeup_jpeg", None)
        fields = {name: value.decode("utf-8", "replace") for name, value in values.items()}
        if missing := [name for name in _REQUIRED_HEADERS if name not in fields]:
            raise ContractError(f"a frame needs the headers {missing}, got {sorted(fields)}")
        if not jpeg or jpeg[:2] != b"\xff\xd8":
            raise ContractError(
                f"a frame's value is a JPEG (starts with ffd8), got {(jpeg or b'')[:2].hex()!r}"
            )
        try:
            closeup_size = fields.get("closeup_size_wh")
            has_closeup = closeup_jpeg is not None and closeup_size is not None
            _, epoch, seq = fields["frame_id"].rsplit(":", 2)
            int(epoch), int(seq)
            clock = fields.get("camera_clock_ns")
            return cls(
                frame_id=fields["frame_id"],
                jpeg=jpeg,
                captured_at_ns=int(fields["captured_at_ns"]),
                size_wh=_parse_size(fields["size_wh"]),
                max_age_ms=int(fields["max_age_ms"]),
                still=fields.get("still") == "1",
                camera_clock_ns=None if clock is None else int(clock),
                trace=fields.get("trace", ""),
                closeup_jpeg=closeup_jpeg if has_closeup else None,
                closeup_size_wh=_parse_size(closeup_size) if has_closeup and closeup_size else None,
            )
        except ValueError as error:
            raise ContractError(f"a frame's headers are malformed: {error}") from error


def _parse_size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)
