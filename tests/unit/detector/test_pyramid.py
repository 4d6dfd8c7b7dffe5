"""All sizes of a frame on one canvas, and back from its cells to the frame."""

from itertools import combinations, pairwise

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.pyramid import CELL_PX, STRIDE_PX, plan_pyramid, pyramid_sizes

sides, faces_px = st.integers(1, 4000), st.integers(20, 1000)


@given(sides, sides, faces_px)
def test_pyramids_end(width: int, height: int, min_face_px: int) -> None:
    """Every level is at least as large as a proposal cell, smaller than the one before, and there are few."""
    sizes = pyramid_sizes((width, height), min_face_px)
    assert all(min(size) >= CELL_PX for size in sizes)
    assert all(a[0] >= b[0] and a[1] >= b[1] and a != b for a, b in pairwise(sizes))
    assert len(sizes) <= 20
    assert bool(sizes) == (min(width, height) * (CELL_PX / min_face_px) >= CELL_PX)


@given(sides, sides, faces_px)
def test_levels_lie_on_the_canvas_side_by_side(width: int, height: int, min_face_px: int) -> None:
    """No level covers another or sticks out, and corners are even, as the cells' stride wants them."""
    plan = plan_pyramid((width, height), min_face_px)
    if plan is None:
        return
    spans = [(*map(int, corner), *size) for corner, size in zip(plan.corners_xy, plan.sizes_wh, strict=True)]
    for x, y, wide, high in spans:
        assert x % STRIDE_PX == y % STRIDE_PX == 0
        assert 0 <= x <= x + wide <= plan.canvas_wh[0]
        assert 0 <= y <= y + high <= plan.canvas_wh[1]
    for (x, y, wide, high), (u, v, other_wide, other_high) in combinations(spans, 2):
        assert x + wide <= u or u + other_wide <= x or y + high <= v or v + other_high <= y


def test_every_cell_of_a_level_sees_that_level_alone() -> None:
    """The 12 pixels from a cell's corner on are within its level; the last cell reaches the level's edge."""
    plan = plan_pyramid((1280, 720), 40)
    assert plan is not None
    for level, cells in enumerate(plan.by_level(plan.in_a_level(np.arange(len(plan.level_of_cell))))):
        own = plan.in_a_level(np.arange(len(plan.level_of_cell)))[cells]
        rows, columns = np.divmod(own, plan.cells_wide)
        first = np.array([columns.min(), rows.min()]) * STRIDE_PX
        last = np.array([columns.max(), rows.max()]) * STRIDE_PX + CELL_PX
        assert (first == plan.corners_xy[level]).all()
        assert (last == plan.corners_xy[level] + plan.sizes_wh[level]).all()


def test_a_cell_knows_where_in_the_frame_it_looks() -> None:
    """A bright square of the smallest face's size is found by the first level's cell that it fills."""
    frame = np.zeros((720, 1280, 3), np.uint8)
    frame[400:440, 800:840] = 255
    plan = plan_pyramid((1280, 720), 40)
    assert plan is not None
    canvas = plan.draw(frame)[..., 0].astype(np.float32)
    seen = cv2.boxFilter(canvas, -1, (CELL_PX, CELL_PX), anchor=(0, 0))[::STRIDE_PX, ::STRIDE_PX]
    cells = plan.in_a_level(np.arange(len(plan.level_of_cell)))
    rows, columns = np.divmod(cells, plan.cells_wide)
    brightest = cells[np.argmax(seen[rows, columns])]
    (box,) = plan.boxes_of_cells(np.array([brightest]), np.zeros((1, 4), np.float32))
    # A cell's stride is 7 pixels of the frame; its box leaves out its last pixel, as in the package.
    assert np.abs(box - [800, 400, 840, 440]).max() <= 7


def test_a_frame_without_room_has_no_plan() -> None:
    assert plan_pyramid((39, 720), 40) is None
