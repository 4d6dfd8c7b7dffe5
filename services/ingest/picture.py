"""A picture of a camera, decoded or still a JPEG; it belongs to the thread that read it."""

from dataclasses import dataclass
from typing import Any, Protocol

import av
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from services.ingest.pipeline import LUMA_STRIDE


class DamagedPictureError(Exception):
    """The picture arrived, but not in one piece."""


class Picture(Protocol):
    """What the reader needs of a picture, whatever it came as."""

    @property
    def media_seconds(self) -> float:
        """When it was taken, on the source's own timeline."""

    @property
    def captured_at_ns(self) -> int:
        """The same by our clock."""

    @property
    def camera_clock_ns(self) -> int | None:
        """The same by the camera's clock, when it tells."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height as the camera sends them."""

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""

    def coarse_luma(self) -> NDArray[np.uint8]:
        """Return its brightness at about an eighth of its size, shape (h, w)."""

    def to_jpeg(self, *, max_width_px: int, quality: int) -> tuple[bytes, tuple[int, int]]:
        """Return a JPEG no wider than asked, and its width and height."""


@dataclass(frozen=True)
class DecodedPicture:
    """A picture from a decoder, in planes of luma and colour."""

    frame: Any
    media_seconds: float
    captured_at_ns: int
    camera_clock_ns: int | None = None

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height as the camera sends them."""
        return self.frame.width, self.frame.height

    @property
    def size_bytes(self) -> int:
        """How much memory its planes take."""
        return sum(plane.buffer_size for plane in self.frame.planes)

    def coarse_luma(self) -> NDArray[np.uint8]:
        """Take every eighth pixel of every eighth row of the luma plane."""
        frame = self.frame
        if not frame.format.name.startswith(("yuv4", "yuvj4", "nv12", "gray")) or "10" in frame.format.name:
            frame = frame.reformat(format="gray", threads=1)
        return _plane(frame, 0, frame.width, frame.height)[::LUMA_STRIDE, ::LUMA_STRIDE]

    def to_jpeg(self, *, max_width_px: int, quality: int) -> tuple[bytes, tuple[int, int]]:
        """Scale and encode without leaving YUV."""
        return _encode(self.frame, max_width_px, quality)


@dataclass(frozen=True)
class JpegPicture:
    """A picture that the camera has encoded itself.

    Attributes:
        size_wh: As the JPEG's header says.
    """

    jpeg: bytes
    media_seconds: float
    captured_at_ns: int
    size_wh: tuple[int, int]
    camera_clock_ns: int | None = None

    @property
    def size_bytes(self) -> int:
        """How much memory it takes."""
        return len(self.jpeg)

    def coarse_luma(self) -> NDArray[np.uint8]:
        """Decode only an eighth of the picture, without colour.

        Raises:
            DamagedPictureError: The JPEG does not decode.
        """
        return self._decode("GRAY", min_width=self.size_wh[0] // LUMA_STRIDE)[..., 0]

    def to_jpeg(self, *, max_width_px: int, quality: int) -> tuple[bytes, tuple[int, int]]:
        """Return the camera's own bytes, unless they are wider than asked.

        Raises:
            DamagedPictureError: It must be scaled down and does not decode.
        """
        if self.size_wh[0] <= max_width_px:
            return self.jpeg, self.size_wh
        image_rgb = self._decode("RGB", min_width=max_width_px)
        return _encode(av.VideoFrame.from_ndarray(image_rgb, format="rgb24"), max_width_px, quality)

    def _decode(self, colorspace: str, *, min_width: int) -> NDArray[np.uint8]:
        min_height = min_width * self.size_wh[1] // self.size_wh[0]
        try:
            return np.asarray(
                simplejpeg.decode_jpeg(
                    self.jpeg, colorspace, fastdct=True, min_width=min_width, min_height=min_height
                ),
                dtype=np.uint8,
            )
        except ValueError as error:
            raise DamagedPictureError(str(error)) from error


def fit_width(size_wh: tuple[int, int], max_width_px: int) -> tuple[int, int]:
    """Return the size scaled down to a width, in even numbers as 4:2:0 needs them."""
    width, height = size_wh
    if width > max_width_px:
        width, height = max_width_px, round(height * max_width_px / width)
    return max(width - width % 2, 2), max(height - height % 2, 2)


def _encode(frame: Any, max_width_px: int, quality: int) -> tuple[bytes, tuple[int, int]]:
    width, height = fit_width((frame.width, frame.height), max_width_px)
    # The scaler starts threads of its own unless told not to; one core per process is the rule here.
    scaled = frame.reformat(width, height, "yuvj420p", interpolation="AREA", threads=1)
    planes = [
        np.ascontiguousarray(_plane(scaled, index, *size))
        for index, size in enumerate([(width, height), (width // 2, height // 2), (width // 2, height // 2)])
    ]
    jpeg = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=quality)
    return bytes(jpeg), (width, height)


def _plane(frame: Any, index: int, width: int, height: int) -> NDArray[np.uint8]:
    plane = frame.planes[index]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[:height, :width]
