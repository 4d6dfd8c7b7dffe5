"""Pictures with a known number of faces, composed from the demo's portraits: anyone can make them."""

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

SIZES_WH: Final = {"360p": (640, 360), "720p": (1280, 720), "1080p": (1920, 1080)}
FACE_COUNTS: Final = (0, 1, 4, 16)
_PEOPLE: Final = (OBAMA_SMILING, COLLINS, BIDEN, OBAMA_SPEAKING, OBAMA_STANDING)
# Columns and rows, and the height of a face as a share of the picture's: with 16 faces, 50 pixels at 360p.
_GRIDS: Final = {0: (1, 1), 1: (1, 1), 4: (4, 1), 16: (8, 2)}
_FACE_SHARES: Final = {0: 0.0, 1: 0.35, 4: 0.25, 16: 0.14}
_SEED: Final = 7


def write_pictures(folder: Path) -> dict[tuple[str, int], Path]:
    """Write a PNG for each size and number of faces; returns them by (name of the size, faces)."""
    pictures = {}
    for name, size_wh in SIZES_WH.items():
        for faces in FACE_COUNTS:
            path = folder / f"{name}-{faces}-faces.png"
            cv2.imwrite(str(path), cv2.cvtColor(compose(size_wh, faces), cv2.COLOR_RGB2BGR))
            pictures[name, faces] = path
    return pictures


def compose(size_wh: tuple[int, int], faces: int) -> NDArray[np.uint8]:
    """Return people side by side before an uneven wall, RGB, shape (H, W, 3)."""
    width, height = size_wh
    picture = _wall(size_wh)
    columns, rows = _GRIDS[faces]
    cell_wide, cell_high = width // columns, height // rows
    for number in range(faces):
        left, top = number % columns * cell_wide, number // columns * cell_high
        person = _head_and_shoulders(_PEOPLE[number % len(_PEOPLE)], round(height * _FACE_SHARES[faces]))
        person = person[:cell_high, :cell_wide]
        high, wide = person.shape[:2]
        top, left = top + (cell_high - high) // 2, left + (cell_wide - wide) // 2
        picture[top : top + high, left : left + wide] = person
    return picture


def _head_and_shoulders(portrait: Portrait, face_height_px: int) -> NDArray[np.uint8]:
    image = read_rgb(portrait)
    left, top, right, bottom = portrait.face_xyxy
    margin_x, margin_y = (right - left) * 2 // 3, (bottom - top) // 2
    cut = image[max(top - margin_y, 0) : bottom + margin_y, max(left - margin_x, 0) : right + margin_x]
    scale = face_height_px / (bottom - top)
    size = (round(cut.shape[1] * scale), round(cut.shape[0] * scale))
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _wall(size_wh: tuple[int, int]) -> NDArray[np.uint8]:
    """Return grey spots of all sizes with a little sensor noise, always the same: no detector may skip it."""
    rng = np.random.default_rng(_SEED)
    width, height = size_wh
    wall = np.full((height, width, 3), 120, np.float32)
    for spots in (4, 12, 36, 108):
        spread = rng.normal(0, 10, (spots, spots * width // height, 1)).astype(np.float32)
        wall += cv2.resize(spread, size_wh, interpolation=cv2.INTER_CUBIC)[:, :, None]
    wall += rng.normal(0, 3, wall.shape).astype(np.float32)
    return wall.clip(0, 255).astype(np.uint8)
