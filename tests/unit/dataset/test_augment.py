"""New views show the same face: mirrored, turned, nearer or farther, shifted."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.dataset.augment import flip, rotate, translate, views, zoom
from tests.unit.dataset.faces import picture


def dot(x: int, y: int, side: int = 41) -> NDArray[np.uint8]:
    """A white square of 3 pixels around a point, on black."""
    drawn = np.zeros((side, side, 3), np.uint8)
    drawn[y - 1 : y + 2, x - 1 : x + 2] = 255
    return drawn


def centre(image: NDArray[np.uint8]) -> tuple[float, float]:
    """Return where the light is, x and y."""
    weights = image[..., 0].astype(float)
    ys, xs = np.indices(weights.shape)
    return float((weights * xs).sum() / weights.sum()), float((weights * ys).sum() / weights.sum())


def spread(image: NDArray[np.uint8]) -> float:
    """Return the area that is lit, in pixels."""
    return float(image[..., 0].sum() / 255)


def test_flip_mirrors_left_and_right_and_is_its_own_undo() -> None:
    assert centre(flip(dot(10, 20))) == (30, 20)
    np.testing.assert_array_equal(flip(flip(dot(10, 20))), dot(10, 20))


def test_rotate_turns_around_the_centre_counter_clockwise() -> None:
    x, y = centre(rotate(dot(30, 20), 90))
    assert (x, y) == pytest.approx((20, 10), abs=0.1)


def test_zoom_in_moves_things_away_from_the_centre_and_makes_them_larger() -> None:
    nearer = zoom(dot(25, 20), 2)
    assert centre(nearer) == pytest.approx((30, 20), abs=0.1)
    assert spread(nearer) == pytest.approx(4 * spread(dot(25, 20)), rel=0.1)


def test_zoom_out_moves_things_towards_the_centre() -> None:
    x, y = centre(zoom(dot(30, 20), 0.5)[15:26, 15:33])
    assert (x + 15, y + 15) == pytest.approx((25, 20), abs=0.2)


def test_zoom_refuses_a_factor_that_is_not_positive() -> None:
    with pytest.raises(ValueError, match="above 0, got 0"):
        zoom(dot(20, 20), 0)


def test_translate_shifts_by_shares_of_the_sides() -> None:
    assert centre(translate(dot(20, 20, 40), (0.25, -0.25))) == pytest.approx((30, 10), abs=0.1)


@pytest.mark.parametrize(
    "change", [lambda p: rotate(p, 30), lambda p: zoom(p, 0.5), lambda p: translate(p, (0.3, 0))]
)
def test_no_black_corner_is_learnt(change: object) -> None:
    """What comes in from outside is a mirror image of what is there."""
    grey = np.full((40, 40, 3), 128, np.uint8)
    np.testing.assert_array_equal(change(grey), grey)  # type: ignore[operator]


def test_views_begin_with_the_picture_itself_and_repeat_with_their_seed() -> None:
    face = picture(1)
    first, again, other = (views(face, copies=4, seed=seed) for seed in ((1, 2), (1, 2), (1, 3)))
    np.testing.assert_array_equal(first[0], face)
    assert [view.shape for view in first] == [face.shape] * 5
    np.testing.assert_array_equal(np.stack(first), np.stack(again))
    assert not np.array_equal(first[1], other[1])
    assert len({view.tobytes() for view in first}) == 5
