"""Boxes as arrays: overlap, suppression, shape. Boxes are (left, top, right, bottom) in pixels."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]
"""Shape (N, 4); N may be 0."""
Overlap = Literal["union", "smaller"]
"""Divide the intersection by the union of both areas (IoU), or by the smaller of them."""

_TINY = 1e-9


def box_areas(boxes_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the area of each box, shape (N,); a box turned inside out has none."""
    sides = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def overlap_matrix(a_xyxy: Boxes, b_xyxy: Boxes, *, relative_to: Overlap = "union") -> NDArray[np.float32]:
    """Return how much each box of *a* overlaps each of *b*, shape (len(a), len(b)), 0 to 1."""
    shared = np.maximum(_shared_areas(a_xyxy, b_xyxy), 0)
    a_areas, b_areas = box_areas(a_xyxy)[:, None], box_areas(b_xyxy)[None, :]
    whole = np.minimum(a_areas, b_areas) if relative_to == "smaller" else a_areas + b_areas - shared
    return np.asarray(shared / np.maximum(whole, _TINY), dtype=np.float32)


def suppress_overlaps(
    boxes_xyxy: Boxes,
    scores: NDArray[np.float32],
    *,
    max_overlap: float,
    relative_to: Overlap = "union",
    limit: int | None = None,
) -> NDArray[np.intp]:
    """Return the indices of the boxes that no better box overlaps too much, best first.

    One matrix of all pairs instead of a loop: a box falls to any better box, also to one that has itself
    fallen, as in the ``mtcnn`` package. Costs O(N²) memory, so *limit* keeps only the best N beforehand.
    """
    if not len(scores):
        return np.zeros(0, np.intp)
    order = np.argsort(-scores, kind="stable")[:limit]
    candidates = boxes_xyxy[order]
    areas = box_areas(candidates)
    # Without the division of an overlap: shared / (a + b - shared) > m  where  shared > (a + b) m / (1 + m).
    if relative_to == "smaller":
        allowed = np.minimum.outer(areas, areas) * max_overlap
    else:
        allowed = np.add.outer(areas, areas) * (max_overlap / (1 + max_overlap))
    overlapping = _shared_areas(candidates, candidates) > allowed
    np.fill_diagonal(overlapping, True)
    # The first box that overlaps one is a better one, or itself.
    return np.asarray(order[overlapping.argmax(axis=1) == np.arange(len(order))])


def _shared_areas(a_xyxy: Boxes, b_xyxy: Boxes) -> NDArray[np.float32]:
    """Return the area that each box of *a* shares with each of *b*, 0 or less where they share none."""
    # In place, one coordinate at a time, each in one piece of memory: hundreds of boxes a frame are compared,
    # and whole boxes at once took five times as long.
    a_left, a_top, a_right, a_bottom = np.ascontiguousarray(a_xyxy.T)
    b_left, b_top, b_right, b_bottom = np.ascontiguousarray(b_xyxy.T)
    areas = np.minimum.outer(a_right, b_right)
    areas -= np.maximum.outer(a_left, b_left)
    np.maximum(areas, 0, out=areas)
    heights = np.minimum.outer(a_bottom, b_bottom)
    heights -= np.maximum.outer(a_top, b_top)
    areas *= heights
    return np.asarray(areas)


def squared(boxes_xyxy: Boxes) -> Boxes:
    """Return boxes with the same centres, both sides as long as the longer one."""
    centres = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]) / 2
    half = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def clipped(boxes_xyxy: Boxes, size_wh: tuple[int, int]) -> Boxes:
    """Return boxes cut off at the edges of a picture."""
    limits = np.array([*size_wh, *size_wh], dtype=np.float32)
    return np.clip(boxes_xyxy, 0, limits)
