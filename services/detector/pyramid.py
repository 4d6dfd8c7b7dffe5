"""A frame in many sizes, packed into one picture, so that P-Net looks at all of them in one call.

What a proposal cell sees never reaches beyond its level; cells that lie across the seam of two levels are
not read. The plan for a frame size is made once: video asks for the same one again and again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

# A proposal cell sees 12x12 pixels and cells are 2 pixels apart; levels shrink by 0.709 (half the area).
CELL_PX, STRIDE_PX = 12, 2
_FACTOR = 0.709

SizeWh = tuple[int, int]


@dataclass(frozen=True, eq=False)
class PyramidPlan:
    """Where the levels of a frame size lie on the canvas.

    Attributes:
        halvings: How often the frame is halved before the first level is scaled from it.
        sizes_wh: Of the levels, largest first; all numbers are even, and so are the corners.
        corners_xy: int, shape (L, 2): left top corner of each level on the canvas.
        scales_xy: float32, shape (L, 2): from pixels of the frame to pixels of the level.
        canvas_wh: Holds all levels.
        level_of_cell: int8, shape (h * w,): the level that a cell of the canvas lies in, row by row; -1 where
            it lies in none.
        cells_wide: Cells in a row of the canvas.
    """

    halvings: int
    sizes_wh: tuple[SizeWh, ...]
    corners_xy: NDArray[np.int64]
    scales_xy: NDArray[np.float32]
    canvas_wh: SizeWh
    level_of_cell: NDArray[np.int8]
    cells_wide: int

    def draw(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the canvas of a frame, shape (h, w, 3); what lies between the levels is not set."""
        canvas = np.empty((self.canvas_wh[1], self.canvas_wh[0], 3), np.uint8)
        # Halving is exact and cheap; scaling by area in one step cost 2 ms more at 720p. Each level is
        # scaled from the one before it: no step is so large that it aliases.
        level = image_rgb
        for _ in range(self.halvings):
            size_wh = (level.shape[1] // 2, level.shape[0] // 2)
            level = np.asarray(cv2.resize(level, size_wh, interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)
        for (left, top), (width, height) in zip(self.corners_xy, self.sizes_wh, strict=True):
            place = canvas[top : top + height, left : left + width]
            cv2.resize(level, (width, height), dst=place, interpolation=cv2.INTER_LINEAR)
            level = place
        return canvas

    def in_a_level(self, cells: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return those cells of the canvas, counted row by row, that lie in a level and not across a seam."""
        return cells[self.level_of_cell[cells] >= 0]

    def by_level(self, cells: NDArray[np.intp]) -> list[NDArray[np.intp]]:
        """Return, for each level that some of the cells lie in, which of them those are."""
        levels = self.level_of_cell[cells]
        return [np.flatnonzero(levels == level) for level in np.unique(levels)]

    def boxes_of_cells(self, cells: NDArray[np.intp], offsets: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what cells, each in a level, take for faces: boxes (N, 4) in pixels of the frame.

        *offsets*, shape (N, 4), are P-Net's: by how many cells each corner lies beside the cell's own.
        """
        levels = self.level_of_cell[cells]
        rows, columns = np.divmod(cells, self.cells_wide)
        corners = np.stack([columns, rows], axis=1) * STRIDE_PX + 1 - self.corners_xy[levels]
        boxes = np.concatenate([corners, corners + CELL_PX - 1], axis=1) + offsets * (CELL_PX - 1)
        return (boxes / np.tile(self.scales_xy[levels], 2)).astype(np.float32)


@lru_cache(maxsize=32)
def plan_pyramid(size_wh: SizeWh, min_face_px: int) -> PyramidPlan | None:
    """Plan the pyramid of a frame size; None where no face of *min_face_px* fits.

    On the first level a face of *min_face_px* is as large as a proposal cell sees.
    """
    sizes = pyramid_sizes(size_wh, min_face_px)
    if not sizes:
        return None
    corners, canvas_wh = _pack(sizes)
    cells_wide, cells_high = _cells(canvas_wh)
    level_of_cell = np.full((cells_high, cells_wide), -1, np.int8)
    for index, ((left, top), size) in enumerate(zip(corners, sizes, strict=True)):
        wide, high = _cells(size)
        column, row = left // STRIDE_PX, top // STRIDE_PX
        level_of_cell[row : row + high, column : column + wide] = index
    return PyramidPlan(
        halvings=max(int(np.log2(size_wh[0] / sizes[0][0])), 0),
        sizes_wh=sizes,
        corners_xy=np.array(corners),
        scales_xy=(np.array(sizes) / np.array(size_wh)).astype(np.float32),
        canvas_wh=canvas_wh,
        level_of_cell=level_of_cell.ravel(),
        cells_wide=cells_wide,
    )


def pyramid_sizes(size_wh: SizeWh, min_face_px: int) -> tuple[SizeWh, ...]:
    """Return the sizes of the pyramid's levels, largest first; empty where no face of that size fits."""
    sizes = []
    scale = CELL_PX / min_face_px
    while min(size_wh) * scale >= CELL_PX:
        sizes.append((_even(size_wh[0] * scale), _even(size_wh[1] * scale)))
        scale *= _FACTOR
    return tuple(sizes)


def _even(value: float) -> int:
    return 2 * round(value / 2)


def _cells(size_wh: SizeWh) -> SizeWh:
    return (size_wh[0] - CELL_PX) // STRIDE_PX + 1, (size_wh[1] - CELL_PX) // STRIDE_PX + 1


def _pack(sizes_wh: Sequence[SizeWh]) -> tuple[list[tuple[int, int]], SizeWh]:
    """Place rectangles, largest first, where one fits, else on a new shelf below; a tenth stays unused."""
    width, height = sizes_wh[0][0], 0
    free: list[tuple[int, int, int, int]] = []
    corners = []
    for wide, high in sizes_wh:
        place = next((one for one in free if one[2] >= wide and one[3] >= high), None)
        if place is None:
            place = (0, height, width, high)
            height += high
        else:
            free.remove(place)
        left, top, room_wide, room_high = place
        corners.append((left, top))
        free.append((left + wide, top, room_wide - wide, high))
        free.append((left, top + high, room_wide, room_high - high))
    return corners, (width, height)
