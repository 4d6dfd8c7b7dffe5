"""New views of a face out of one: mirrored, turned, nearer, farther, shifted.

Pictures are uint8, shape (H, W, 3), any colour order, and keep their shape; what comes in from outside the
picture is its mirror image, so that no black corners are learnt.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

# How far a detector's landmarks move between two frames of one face, and somewhat more.
_MAX_DEGREES = 12.0
_ZOOM_RANGE = (0.9, 1.12)
_MAX_SHIFT = 0.06


def flip(picture: Picture) -> Picture:
    """Mirror left and right."""
    return np.ascontiguousarray(picture[:, ::-1])


def rotate(picture: Picture, degrees: float) -> Picture:
    """Turn around the centre, counter-clockwise for positive angles."""
    return _warp(picture, degrees=degrees)


def zoom(picture: Picture, factor: float) -> Picture:
    """Come nearer (above 1) or go farther (below 1).

    Raises:
        ValueError: The factor is not positive.
    """
    if factor <= 0:
        raise ValueError(f"expected a factor above 0, got {factor:g}")
    return _warp(picture, factor=factor)


def translate(picture: Picture, shift_xy: tuple[float, float]) -> Picture:
    """Shift to the right and down, in shares of the width and height."""
    return _warp(picture, shift_xy=shift_xy)


def vary(picture: Picture, generator: np.random.Generator) -> Picture:
    """Return one new view: all of the above at once, each drawn at random."""
    turned = _warp(
        picture,
        degrees=generator.uniform(-_MAX_DEGREES, _MAX_DEGREES),
        factor=generator.uniform(*_ZOOM_RANGE),
        shift_xy=(generator.uniform(-_MAX_SHIFT, _MAX_SHIFT), generator.uniform(-_MAX_SHIFT, _MAX_SHIFT)),
    )
    return flip(turned) if generator.random() < 0.5 else turned


def views(picture: Picture, *, copies: int, seed: Sequence[int]) -> list[Picture]:
    """Return the picture itself and *copies* new views; the same seed gives the same views."""
    generator = np.random.default_rng(seed)
    return [picture, *(vary(picture, generator) for _ in range(copies))]


def _warp(
    picture: Picture,
    *,
    degrees: float = 0.0,
    factor: float = 1.0,
    shift_xy: tuple[float, float] = (0.0, 0.0),
) -> Picture:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, factor)
    matrix[:, 2] += shift_xy[0] * width, shift_xy[1] * height
    return np.asarray(
        cv2.warpAffine(
            picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        ),
        dtype=np.uint8,
    )
