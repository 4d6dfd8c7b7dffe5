"""Boxes: overlap, suppression, shape."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from mien.vision.boxes import (
    box_areas,
    clipped,
    overlap_matrix,
    squared,
    suppress_overlaps,
)


def boxes(min_size: int = 0) -> st.SearchStrategy[NDArray[np.float32]]:
    """Boxes with a positive area, anywhere."""
    coordinates = hnp.arrays(
        np.float32,
        st.tuples(st.integers(min_size, 8), st.just(4)),
        elements=st.floats(0, 500, width=32, allow_nan=False),
    )
    return coordinates.map(
        lambda a: np.concatenate([a[:, :2], a[:, :2] + 1 + a[:, 2:]], axis=1).astype(np.float32)
    )


def test_known_overlaps() -> None:
    """Half of a box shared with its equal is an IoU of a third; a box within another is all of itself."""
    a = np.array([[0, 0, 10, 10]], np.float32)
    b = np.array([[5, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30]], np.float32)
    np.testing.assert_allclose(overlap_matrix(a, b)[0], [1 / 3, 0.04, 0], atol=1e-6)
    np.testing.assert_allclose(overlap_matrix(a, b, relative_to="smaller")[0], [0.5, 1, 0], atol=1e-6)


def test_an_inverted_box_has_no_area() -> None:
    """A box whose right edge is left of its left edge counts as empty."""
    assert box_areas(np.array([[10, 0, 0, 10]], np.float32))[0] == 0


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_bounded(a: NDArray[np.float32], b: NDArray[np.float32]) -> None:
    """IoU lies within 0 and 1 and does not depend on the order."""
    overlaps = overlap_matrix(a, b)
    assert overlaps.shape == (len(a), len(b))
    np.testing.assert_allclose(overlaps, overlap_matrix(b, a).T, atol=1e-5)
    assert ((overlaps >= 0) & (overlaps <= 1 + 1e-5)).all()


@given(boxes(min_size=1), st.floats(0.1, 0.9))
def test_survivors_don_t_overlap_and_the_best_survives(some: NDArray[np.float32], max_overlap: float) -> None:
    """After suppression no two boxes overlap more than allowed, and the best box is the first of them."""
    scores = np.linspace(0.1, 0.9, len(some)).astype(np.float32)
    kept = suppress_overlaps(some, scores, max_overlap=max_overlap)
    assert kept[0] == len(some) - 1
    overlaps = overlap_matrix(some[kept], some[kept])
    np.fill_diagonal(overlaps, 0)
    assert (overlaps <= max_overlap).all()


def test_suppression_is_limited_to_the_best() -> None:
    """With a limit, only the best boxes are looked at."""
    apart = np.array([[i * 20, 0, i * 20 + 10, 10] for i in range(5)], np.float32)
    scores = np.array([0.5, 0.9, 0.7, 0.6, 0.8], np.float32)
    assert list(suppress_overlaps(apart, scores, max_overlap=0.5, limit=2)) == [1, 4]


def test_suppressing_nothing() -> None:
    """No boxes in, no boxes out."""
    assert len(suppress_overlaps(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), max_overlap=0.5)) == 0


@given(boxes())
def test_squares_keep_the_centre(some: NDArray[np.float32]) -> None:
    """A squared box has equal sides, the same centre, and covers the old box."""
    square = squared(some)
    sides = square[:, 2:] - square[:, :2]
    np.testing.assert_allclose(sides[:, 0], sides[:, 1], atol=1e-2)
    np.testing.assert_allclose(square[:, :2] + square[:, 2:], some[:, :2] + some[:, 2:], atol=1e-2)
    assert (square[:, :2] <= some[:, :2] + 1e-2).all()


def test_clipping_stays_inside_the_picture() -> None:
    """What reaches beyond the picture is cut off."""
    cut = clipped(np.array([[-5, -5, 700, 20]], np.float32), (640, 360))
    assert cut.tolist() == [[0, 0, 640, 20]]
