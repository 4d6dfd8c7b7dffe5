"""What lies inside a zone of the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.vision.zones import are_inside, mask_zones

LEFT_THIRD = [(0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)]
L_SHAPE = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.4), (0.4, 0.4), (0.4, 0.8), (0.2, 0.8)]
EVERYTHING = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def is_inside(x: float, y: float, *polygons: list[tuple[float, float]]) -> bool:
    return bool(are_inside(np.array([[x, y]]), polygons)[0])


def test_a_point_is_inside_or_not() -> None:
    """A rectangle at the edge, and a concave corner that belongs to the outside."""
    assert is_inside(0.1, 0.5, LEFT_THIRD)
    assert not is_inside(0.5, 0.5, LEFT_THIRD)
    assert is_inside(0.3, 0.7, L_SHAPE)
    assert is_inside(0.7, 0.3, L_SHAPE)
    assert not is_inside(0.7, 0.7, L_SHAPE)


def test_several_zones_are_one_area() -> None:
    """Where two overlap, a point is inside; without any zone none is."""
    assert is_inside(0.25, 0.3, LEFT_THIRD, L_SHAPE)
    assert is_inside(0.7, 0.3, LEFT_THIRD, L_SHAPE)
    assert not is_inside(0.5, 0.5)


def test_a_zone_without_area_holds_nothing() -> None:
    """All corners on one line, or in one place."""
    for flat in ([(0.1, 0.5), (0.5, 0.5), (0.9, 0.5)], [(0.5, 0.5)] * 3):
        assert not mask_zones([flat], (80, 45)).any()


@given(
    corners=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=3, unique=True),
    x=st.floats(0, 1),
    y=st.floats(0, 1),
)
def test_a_triangle_holds_what_lies_on_the_same_side_of_its_edges(
    corners: list[tuple[float, float]], x: float, y: float
) -> None:
    """Checked against the signs of three cross products, away from the edges themselves."""
    sides = []
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        sides.append((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1))
    if min(map(abs, sides)) > 1e-9:
        assert is_inside(x, y, corners) == (len({side > 0 for side in sides}) == 1)


@pytest.mark.parametrize("size_wh", [(80, 45), (160, 90), (7, 5)])
def test_a_mask_has_the_pictures_shape_whatever_its_size(size_wh: tuple[int, int]) -> None:
    """The same zone covers the same share of every size of picture."""
    mask = mask_zones([LEFT_THIRD], size_wh)
    assert mask.shape == size_wh[::-1]
    assert mask.mean() == pytest.approx(0.3, abs=0.5 / size_wh[0])
    assert mask_zones([EVERYTHING], size_wh).all()
