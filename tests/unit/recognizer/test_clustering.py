"""Visits are grouped by who they look like, and by what people said of them."""

import numpy as np
import pytest

from mien.contracts.recognition import Rule, Rules, StrangerMember, StrangersApart, StrangersJoined
from mien.vision.similarity import Vector, unit
from services.recognizer.clustering import StrangerIndex, superfluous


def looks(*values: float) -> Vector:
    return unit(np.array([*values, 0, 0, 0, 0][:4], dtype=np.float32))


ANN, BEA = looks(1), looks(0, 1)


def visit(number: int, stranger_id: str, vector: Vector, quality: float = 0.8) -> StrangerMember:
    return StrangerMember(
        member_id=f"v{number}",
        stranger_id=stranger_id,
        camera_id="door",
        model="face_embedder",
        model_version=1,
        vector=vector.tobytes(),
        quality=quality,
        seen_at_ns=number,
    )


def index_of(*visits: StrangerMember, rules: tuple[Rule, ...] = ()) -> StrangerIndex:
    index = StrangerIndex(dimensions=4, model_version=1)
    index.regroup(Rules.of(rules, generation=1))
    for one in visits:
        index.put(one)
    return index


def test_nobody_resembles_anybody_in_an_empty_book() -> None:
    """The first stranger of all is new."""
    assert index_of().nearest(ANN) is None


def test_stranger_looks_like_the_mean_of_their_visits() -> None:
    """Good views count for more than poor ones."""
    index = index_of(visit(1, "ann", looks(1, 0.2), 0.9), visit(2, "ann", looks(1, -0.2), 0.1))
    found = index.nearest(looks(1, 0.16))
    assert found is not None
    assert (found.stranger_id, len(index)) == ("ann", 1)
    assert found.similarity == pytest.approx(1, abs=0.001)


def test_visit_that_is_written_again_replaces_itself() -> None:
    """A better view of the same visit is no second visit."""
    index = index_of(visit(1, "ann", BEA), visit(1, "ann", ANN))
    found = index.nearest(ANN)
    assert found is not None
    assert found.similarity == pytest.approx(1)
    assert len(index.members_of("ann")) == 1


def test_last_visit_takes_its_stranger_along() -> None:
    """A forgotten stranger is nowhere."""
    index = index_of(visit(1, "ann", ANN))
    index.remove("v1")
    index.remove("v1")
    assert (len(index), index.nearest(ANN), index.members_of("ann")) == (0, None, [])


def test_visit_of_another_model_version_is_left_out() -> None:
    """Vectors of two versions are never compared."""
    index = StrangerIndex(dimensions=4, model_version=2)
    index.put(visit(1, "ann", ANN))
    assert len(index) == 0


def test_joined_strangers_count_as_one_and_can_be_taken_apart_again() -> None:
    """A chain of joins leads to one; without the rules all is as it was."""
    chain = (
        StrangersJoined(stranger_id="cyd", into_stranger_id="bea"),
        StrangersJoined(stranger_id="bea", into_stranger_id="ann"),
    )
    visits = (visit(1, "ann", ANN), visit(2, "bea", BEA), visit(3, "cyd", looks(0, 0, 1)))
    index = index_of(*visits, rules=chain)
    assert (len(index), len(index.members_of("cyd"))) == (1, 3)
    index.regroup(Rules.of((), generation=2))
    assert len(index) == 3


def test_rules_in_a_circle_end() -> None:
    """Whatever was written, looking up who somebody is comes to an end."""
    circle = (
        StrangersJoined(stranger_id="ann", into_stranger_id="bea"),
        StrangersJoined(stranger_id="bea", into_stranger_id="ann"),
    )
    assert Rules.of(circle, generation=1).root_of("ann") in {"ann", "bea"}


def test_two_strangers_who_came_to_look_alike_are_twins() -> None:
    """The one seen first keeps its name."""
    index = index_of(visit(2, "bea", looks(1, 0.05)), visit(1, "ann", ANN), visit(3, "cyd", BEA))
    assert index.twin_of("bea", similarity=0.97) == "ann"
    assert index.twin_of("cyd", similarity=0.97) is None
    assert index.older_of("bea", "ann") == ("ann", "bea")


def test_strangers_kept_apart_are_no_twins() -> None:
    """What somebody took apart is not joined again, also after either was joined with others."""
    rules = (
        StrangersApart(stranger_ids=("ann", "bea")),
        StrangersJoined(stranger_id="bea", into_stranger_id="cyd"),
    )
    visits = (visit(1, "ann", ANN), visit(2, "bea", looks(1, 0.05)), visit(3, "cyd", looks(1, 0.06)))
    assert index_of(*visits, rules=rules).twin_of("bea", similarity=0.97) is None


def test_poorest_visits_are_dropped_first_and_never_the_last() -> None:
    """A stranger is compared by a few good views and by what they looked like last."""
    qualities = (0.9, 0.2, 0.8, 0.1)
    visits = [visit(n, "ann", ANN, quality) for n, quality in enumerate(qualities)]
    assert superfluous(visits, most=2) == ["v1", "v2"]
    assert superfluous(visits, most=4) == []
