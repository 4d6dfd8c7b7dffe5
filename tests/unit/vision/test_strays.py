"""A photo under the wrong name is found, and what is right stays in use."""

from collections.abc import Sequence

import numpy as np
import pytest

from mien.vision.similarity import Vectors, unit
from mien.vision.strays import SET_ASIDE, Likeness, StrayLimits, find_strays

ADA, BOB, CAN = 0, 1, 2
LIMITS = StrayLimits(lead=0.01, odd_similarity=0.7, accept_similarity=0.9, duplicate_similarity=0.999)


def photo(person: int, number: int, *, like: int | None = None, by: float = 0.0) -> np.ndarray:
    """A face of a person, each photo a little different; or partly like somebody else."""
    vector = np.zeros(32, dtype=np.float32)
    vector[person] = 1.0
    vector[3 + number] = 0.35
    if like is not None:
        vector[like] = by
    return unit(vector)


def judge(
    photos: Sequence[tuple[int, np.ndarray]], limits: StrayLimits = LIMITS, **options: object
) -> dict[int, Likeness]:
    vectors: Vectors = np.stack([vector for _, vector in photos])
    people = np.array([person for person, _ in photos], dtype=np.int64)
    return find_strays(vectors, people, limits, **options)  # type: ignore[arg-type]


def set_aside(found: dict[int, Likeness]) -> list[int]:
    return [row for row, one in sorted(found.items()) if one.verdict in SET_ASIDE]


def three_each() -> list[tuple[int, np.ndarray]]:
    return [(person, photo(person, number + 3 * person)) for person in (ADA, BOB) for number in range(3)]


def test_nothing_is_wrong_with_photos_of_the_right_people() -> None:
    found = judge(three_each())
    assert {one.verdict for one in found.values()} == {"fine"}
    assert all(one.own_similarity and one.own_similarity > 0.8 for one in found.values())


def test_nobody_is_enrolled() -> None:
    assert find_strays(np.empty((0, 32), np.float32), np.empty(0, np.int64), LIMITS) == {}


def test_photo_of_somebody_else_is_a_stray_and_says_whom_it_shows() -> None:
    found = judge([*three_each(), (ADA, photo(BOB, 10))])
    assert set_aside(found) == [6]
    assert found[6].verdict == "stray"
    assert found[6].other_person == BOB
    assert found[6].other_similarity == pytest.approx(0.89, abs=0.01)
    assert found[6].own_similarity == pytest.approx(0.0, abs=0.01)


def test_stray_does_not_take_the_good_photos_with_it() -> None:
    """A copy of Bob's photo under Ada's name is nearer to Bob's own than Bob's others are."""
    photos = [(ADA, photo(ADA, 0)), (ADA, photo(ADA, 1)), (BOB, photo(BOB, 2)), (BOB, photo(BOB, 3))]
    found = judge([*photos, (ADA, photo(BOB, 2))])
    assert set_aside(found) == [4]


def test_two_strays_of_one_person_are_both_found() -> None:
    photos = [*three_each(), (ADA, photo(BOB, 10)), (ADA, photo(BOB, 11))]
    assert set_aside(judge(photos)) == [6, 7]


def test_copies_of_a_stray_do_not_vouch_for_it() -> None:
    photos = [(ADA, photo(ADA, 0)), (ADA, photo(ADA, 1)), *[(ADA, photo(CAN, 9))] * 3]
    found = judge([*photos, (BOB, photo(BOB, 4)), (BOB, photo(BOB, 5))])
    assert found[2].verdict == "odd"
    assert {found[0].verdict, found[1].verdict} == {"fine"}


def test_photo_of_nobody_known_is_odd() -> None:
    found = judge([*three_each(), (ADA, photo(CAN, 12))])
    assert found[6].verdict == "odd"


def test_which_of_two_photos_is_wrong_cannot_be_told() -> None:
    """Until one of them clearly shows somebody else."""
    pair = [(ADA, photo(ADA, 0)), (ADA, photo(CAN, 1))]
    assert {one.verdict for one in judge(pair).values()} == {"differs"}
    bobs = [(BOB, photo(BOB, number)) for number in (3, 4, 5)]
    found = judge([(ADA, photo(ADA, 0)), (ADA, photo(BOB, 1)), *bobs], StrayLimits(0.01, 0.7, 0.85, 0.999))
    assert set_aside(found) == [1]


def test_single_photo_is_alone_or_a_lookalike() -> None:
    photos = [(ADA, photo(ADA, 0)), (BOB, photo(BOB, 1)), (CAN, photo(BOB, 1))]
    found = judge(photos)
    assert [found[row].verdict for row in range(3)] == ["alone", "lookalike", "lookalike"]
    assert found[2].other_person == BOB


def test_copy_names_the_first() -> None:
    found = judge([*three_each(), (ADA, photo(ADA, 1))])
    assert found[6].verdict == "duplicate"
    assert found[6].duplicate_of == 1
    assert found[1].verdict == "fine"


def test_photo_out_of_use_is_judged_but_not_compared_with() -> None:
    photos = [*three_each(), (ADA, photo(BOB, 10))]
    in_use = np.array([True] * 6 + [False])
    found = judge(photos, in_use=in_use)
    assert found[6].verdict == "stray"
    assert found[0].own_similarity == judge(three_each())[0].own_similarity


def test_new_person_reveals_an_older_stray() -> None:
    """Only Bob is to be judged, but Ada's photo that resembles him is judged with him."""
    ada = [(ADA, photo(ADA, 0)), (ADA, photo(ADA, 1)), (ADA, photo(BOB, 2, like=ADA, by=0.95))]
    bob = [(BOB, photo(BOB, number)) for number in (5, 6)]
    cans = [(CAN, photo(CAN, number)) for number in (8, 9)]
    found = judge([*ada, *bob, *cans], people=[BOB])
    assert found[2].verdict == "stray"
    assert not {5, 6} & set(found), "nobody asked about Can, and nothing of his resembles Bob"


def test_order_of_the_rows_does_not_matter() -> None:
    photos = [*three_each(), (ADA, photo(BOB, 10)), (BOB, photo(ADA, 11))]
    order = np.random.default_rng(1).permutation(len(photos))
    shuffled = judge([photos[row] for row in order])
    expected = judge(photos)
    assert {int(order[row]): one.verdict for row, one in shuffled.items()} == {
        row: one.verdict for row, one in expected.items()
    }
