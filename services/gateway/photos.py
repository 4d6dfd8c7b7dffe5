"""Uploaded photos: checked before they are decoded, turned upright, encoded anew."""

import io
import warnings
from typing import Final

from PIL import Image, ImageOps

from mien.contracts.events import RejectionReason
from mien.errors import PermanentError

MAX_PHOTOS: Final = 50
MAX_PHOTO_BYTES: Final = 10 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
MAX_SIDE_PX: Final = 1600
_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_QUALITY: Final = 90


class PhotoError(PermanentError):
    """The upload is no photo that can be used; *reason* for programs, the text for people."""

    reason: RejectionReason = "not_an_image"


def normalize_photo(upload: bytes) -> bytes:
    """Turn an upload into an upright RGB JPEG of at most 1600 px on its longer side, without metadata.

    The header decides whether anything is decoded at all: a file of a few kilobytes can claim
    gigabytes of pixels.

    Raises:
        PhotoError: Too many bytes or pixels, no JPEG, PNG or WebP, or damaged.
    """
    if len(upload) > MAX_PHOTO_BYTES:
        raise PhotoError(f"the file is larger than {MAX_PHOTO_BYTES // 1024 // 1024} MB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(upload), formats=_FORMATS) as image:
                return _encode(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PhotoError(f"the picture has more than {MAX_PIXELS // 1_000_000} million pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        # What Pillow raises for bytes that are no picture, or stop in the middle of one.
        raise PhotoError("the file is no JPEG, PNG or WebP picture, or it is damaged") from error


def _encode(image: Image.Image) -> bytes:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PhotoError(
            f"the picture has {width}×{height} pixels, more than {MAX_PIXELS // 1_000_000} million"
        )
    image.draft("RGB", (MAX_SIDE_PX, MAX_SIDE_PX))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    _on_white(upright).save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    rgba = image.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    return Image.alpha_composite(white, rgba).convert("RGB")
