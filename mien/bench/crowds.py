"""JPEGs as ingest publishes them, made once and repeated: what a detector is given to do, at a known size."""

from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.local.portraits import (
    BIDEN,
    COLLINS,
    OBAMA_SMILING,
    OBAMA_SPEAKING,
    OBAMA_STANDING,
    Portrait,
    read_rgb,
)
from mien.simulator.clips import FPS, read_pictures
from mien.vision.jpeg import encode_jpeg_rgb

CROWD_SIZE_WH: Final = (1280, 720)
MOST_FACES: Final = 16
_PEOPLE: Final = (OBAMA_SMILING, COLLINS, BIDEN, OBAMA_SPEAKING, OBAMA_STANDING)
_COLUMNS, _ROWS = 8, 2
_FACE_HEIGHT_PX: Final = 100
_TILE_WH: Final = (150, 190)
_DRIFT_PX: Final = 6
_NOISE_SIGMA: Final = 2.5
_JPEG_QUALITY: Final = 80  # of ingest


def clip_jpegs(path: Path, *, fps: float) -> list[bytes]:
    """Return the pictures of a clip that a camera sampled at *fps* would give, as JPEGs."""
    pictures = islice(read_pictures(path), 0, None, round(FPS / fps))
    return [
        encode_jpeg_rgb(picture.to_ndarray(format="rgb24"), quality=_JPEG_QUALITY) for picture in pictures
    ]


def crowd_jpegs(faces: int, *, frames: int = 20) -> list[bytes]:
    """Return 1280x720 pictures of *faces* people, each face 100 pixels high, drifting in a closed loop.

    Only the number of faces differs from crowd to crowd: size and place of each are the same.

    Raises:
        ValueError: There is no room for that many.
    """
    if not 0 <= faces <= MOST_FACES:
        raise ValueError(f"expected 0 to {MOST_FACES} faces, got {faces}")
    tiles = [_tile(person) for person in islice(cycle(_PEOPLE), faces)]
    rng = np.random.default_rng(faces)
    return [
        encode_jpeg_rgb(_compose(tiles, phase=2 * np.pi * index / frames, rng=rng), quality=_JPEG_QUALITY)
        for index in range(frames)
    ]


def _tile(portrait: Portrait) -> NDArray[np.uint8]:
    """Cut a head out of a portrait, scaled to one size of face, shape (H, W, 3)."""
    left, top, right, bottom = portrait.face_xyxy
    scale = (bottom - top) / _FACE_HEIGHT_PX
    corner = ((left + right) / 2 - scale * _TILE_WH[0] / 2, (top + bottom) / 2 - scale * _TILE_WH[1] / 2)
    matrix = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
    picture = cv2.GaussianBlur(read_rgb(portrait), (0, 0), max(scale / 2, 0.3))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    tile = cv2.warpAffine(picture, matrix, _TILE_WH, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(tile, dtype=np.uint8)


def _compose(
    tiles: Sequence[NDArray[np.uint8]], *, phase: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    width, height = CROWD_SIZE_WH
    picture = np.full((height, width, 3), 150, np.float32)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, _COLUMNS)
        centre_x = (column + 0.5) * width / _COLUMNS
        centre_y = (row + 0.5) * height / _ROWS + _DRIFT_PX * np.cos(phase + number)
        left, top = round(centre_x - _TILE_WH[0] / 2), round(centre_y - _TILE_WH[1] / 2)
        picture[top : top + _TILE_WH[1], left : left + _TILE_WH[0]] = tile
    picture += rng.normal(0, _NOISE_SIGMA, picture.shape).astype(np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)
