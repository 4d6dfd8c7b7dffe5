"""Pairs of least cost, and doubt where another reading is nearly as good."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from services.detector.matching import match


def pairs(
    costs: list[list[float]], *, limit: float = 7, doubt_within: float = 3
) -> list[tuple[int, int, bool]]:
    found = match(np.array(costs), limit=limit, doubt_within=doubt_within)
    return [(one.track, one.face, one.is_doubtful) for one in found]


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        pytest.param([[0.0, np.inf], [np.inf, 0.0]], [(0, 0, False), (1, 1, False)], id="clear"),
        pytest.param([[0.0, 1.0], [1.0, 0.0]], [(0, 0, True), (1, 1, True)], id="could be exchanged"),
        pytest.param([[0.0], [1.0]], [(0, 0, True)], id="two tracks, one face"),
        pytest.param([[0.0, 1.0]], [(0, 0, True)], id="one track, two faces"),
        pytest.param([[5.0]], [(0, 0, True)], id="far, but just allowed"),
        pytest.param([[8.0]], [], id="too far"),
        pytest.param([[0.0, 6.0], [6.0, 5.0]], [(0, 0, False), (1, 1, True)], id="one sure, one not"),
    ],
)
def test_pairs_and_doubts(costs: list[list[float]], expected: list[tuple[int, int, bool]]) -> None:
    assert pairs(costs) == expected


costs = npst.arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    elements=st.floats(-10, 20) | st.just(float("inf")),
)


def total(pairs_of: list[tuple[int, int]], costs: NDArray[np.float64], limit: float) -> float:
    return float(sum(costs[track, face] - limit for track, face in pairs_of))


@given(costs)
def test_no_pair_can_be_left_out_or_moved_for_less(costs: NDArray[np.float64]) -> None:
    """Each track and face is in one pair at most, none costs the limit, and no single change is cheaper."""
    found = [(one.track, one.face) for one in match(costs, limit=7, doubt_within=0)]
    assert len({track for track, _ in found}) == len({face for _, face in found}) == len(found)
    assert all(costs[track, face] < 7 for track, face in found)
    least = total(found, costs, 7)
    for track in set(range(costs.shape[0])) - {track for track, _ in found}:
        for face in range(costs.shape[1]):
            changed = [pair for pair in found if pair[1] != face] + [(track, face)]
            assert total(changed, costs, 7) >= least - 1e-9


@given(costs)
def test_nothing_is_in_doubt_where_no_margin_is_asked_for(costs: NDArray[np.float64]) -> None:
    """The chosen reading is the best, so that no other is better by anything."""
    assert not any(one.is_doubtful for one in match(costs, limit=7, doubt_within=-1e-9))
