"""JPEG in and out, with limits on what a stranger's bytes may make us allocate."""

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from mien.errors import PermanentError

MAX_PIXELS = 50_000_000


class ImageError(PermanentError):
    """The bytes are no picture we are willing to decode."""


def decode_jpeg_rgb(jpeg: bytes, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode a JPEG to RGB, shape (H, W, 3).

    Raises:
        ImageError: It is no JPEG, is damaged, or has more than *max_pixels* pixels.
    """
    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
        if height * width > max_pixels:
            raise ImageError(f"expected at most {max_pixels} pixels, got {width}x{height}")
        return np.asarray(simplejpeg.decode_jpeg(jpeg, colorspace="RGB"), dtype=np.uint8)
    except ValueError as error:
        raise ImageError(f"expected a JPEG, got {len(jpeg)} bytes that don't decode: {error}") from error


def encode_jpeg_rgb(image_rgb: NDArray[np.uint8], *, quality: int = 85) -> bytes:
    """Encode an RGB picture, shape (H, W, 3), as a 4:2:0 JPEG."""
    return bytes(
        simplejpeg.encode_jpeg(
            np.ascontiguousarray(image_rgb), quality=quality, colorspace="RGB", colorsubsampling="420"
        )
    )
