"""Parts of a picture, as polygons in shares of its width and height: what lies inside them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Polygon = Sequence[tuple[float, float]]
"""Corners (x, y), 0 to 1, in order; the last is joined to the first."""


def are_inside(points_xy: NDArray[np.floating], polygons: Sequence[Polygon]) -> NDArray[np.bool_]:
    """Return which points lie inside any of the polygons.

    Even-odd rule: a ray to the right of an inside point crosses the outline an odd number of times, so a
    polygon may be concave, and where it crosses itself it has a hole.

    Args:
        points_xy: Shares of the picture's width and height, shape (N, 2).
        polygons: Without any, no point is inside.

    Returns:
        Shape (N,).
    """
    x, y = points_xy[:, 0], points_xy[:, 1]
    inside = np.zeros(len(points_xy), np.bool_)
    for polygon in polygons:
        crossings = np.zeros(len(points_xy), np.bool_)
        for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
            spans = (y1 > y) != (y2 > y)
            if spans.any():  # so the edge is not level, and nothing is divided by zero
                crossings ^= spans & (x < x1 + (y - y1) / (y2 - y1) * (x2 - x1))
        inside |= crossings
    return inside


def mask_zones(polygons: Sequence[Polygon], size_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which pixels of a picture have their centre inside any of the polygons, shape (h, w)."""
    width, height = size_wh
    columns, rows = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    centres = np.stack([columns.ravel(), rows.ravel()], axis=1)
    return are_inside(centres, polygons).reshape(height, width)
