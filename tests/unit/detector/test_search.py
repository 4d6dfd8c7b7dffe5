"""What moves in a picture decides how much of it is searched."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.detector.search import SearchPlan, SearchSettings

SECOND = 1_000_000_000
FACE = np.array([[280, 100, 360, 200]], np.float32)


def room(*blocks: tuple[int, int, int, int], grey: int = 90) -> NDArray[np.uint8]:
    """Return a grey picture of 640x360 with lighter blocks (left, top, right, bottom)."""
    picture = np.full((360, 640, 3), grey, np.uint8)
    for left, top, right, bottom in blocks:
        picture[top:bottom, left:right] = 160
    return picture


def second_look(before: NDArray[np.uint8], now: NDArray[np.uint8]) -> bool:
    """Return whether it is enough to look near the face in the second of two pictures."""
    plan = SearchPlan(SearchSettings())
    plan.is_near_enough(before, SECOND, FACE)
    plan.searched_at_ns = SECOND
    return plan.is_near_enough(now, SECOND + SECOND // 5, FACE)


def test_where_nothing_changes_near_is_enough() -> None:
    assert second_look(room(), room())


@pytest.mark.parametrize("moved", [(300, 120, 340, 160), (270, 200, 370, 360)], ids=["face", "body below it"])
def test_a_followed_person_may_move(moved: tuple[int, int, int, int]) -> None:
    assert second_look(room(), room(moved))


@pytest.mark.parametrize("moved", [(20, 100, 90, 180), (560, 20, 640, 120)], ids=["left", "right"])
def test_something_else_that_moves_is_searched_for(moved: tuple[int, int, int, int]) -> None:
    assert not second_look(room(), room(moved))


def test_noise_and_light_are_no_movement() -> None:
    noise = np.random.default_rng(1).integers(-6, 7, (360, 640, 3))
    assert second_look(room(), (room() + noise).astype(np.uint8))
    assert second_look(room(), room(grey=100))


def test_another_size_of_picture_is_searched() -> None:
    assert not second_look(room(), room()[:180, :320])


def test_zero_seconds_search_every_picture() -> None:
    plan = SearchPlan(SearchSettings(search_seconds=0))
    plan.is_near_enough(room(), SECOND, FACE)
    assert not plan.is_near_enough(room(), SECOND, FACE)
