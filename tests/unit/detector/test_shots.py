"""Few shots for identity, a steady sample for emotion."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.detector.shots import Purpose, ShotPlan, ShotSettings, View

SECOND = 1_000_000_000
START_NS = 1_790_000_000 * SECOND


def view(quality: float, *, x: float = 100, side: float = 60, is_doubtful: bool = False) -> View:
    return View(quality, np.array([x, 100, x + side, 100 + side], np.float32), is_doubtful)


def identity_shots(qualities: list[float], *, fps: float = 5, **settings: float) -> list[int]:
    """Return the frames from which a shot for identity was taken."""
    plan = ShotPlan(ShotSettings(**settings))  # type: ignore[arg-type]
    return [
        frame
        for frame, quality in enumerate(qualities)
        if plan.choose(view(quality), START_NS + int(frame / fps * SECOND), ["identity"]).numbers
    ]


def test_the_first_usable_view_is_sent_at_once() -> None:
    """Poor views are waited out, the first that is usable goes."""
    assert identity_shots([0.01, 0.05, 0.3])[0] == 2


def test_a_vote_gets_its_shots_without_a_better_view() -> None:
    """Three views of the same quality are sent, not in neighbouring frames, and then none."""
    assert identity_shots([0.5] * 20) == [0, 2, 4]


def test_clearly_better_views_are_sent_up_to_the_limit() -> None:
    """Each step up is sent at once; a little better is not; after six nothing is."""
    climbing = [0.1, 0.25, 0.4, 0.45, 0.55, 0.7, 0.85, 0.99]
    assert identity_shots(climbing, voting_shots=1) == [0, 1, 2, 4, 5, 6]


def asked_at(views: list[View], *, fps: float = 5) -> list[float]:
    """Return the seconds at which a shot for identity was taken."""
    plan = ShotPlan(ShotSettings())
    return [
        frame / fps
        for frame, one in enumerate(views)
        if plan.choose(one, START_NS + int(frame / fps * SECOND), ["identity"]).numbers
    ]


def test_a_track_that_stays_is_asked_about_ever_more_rarely() -> None:
    """After ten seconds a shot goes out although enough did; then after 20, 40, 80, and never longer."""
    assert asked_at([view(0.5)] * 5 * 320) == [0, 0.4, 0.8, 10.8, 30.8, 70.8, 150.8, 230.8, 310.8]


def test_a_track_that_moves_is_asked_about_every_ten_seconds() -> None:
    """Who walks about, or comes nearer, has no longer and longer waits."""
    walking = [view(0.5, x=2.0 * frame) for frame in range(5 * 32)]
    nearing = [view(0.5, side=40 * 1.02**frame) for frame in range(5 * 32)]
    assert asked_at(walking) == asked_at(nearing) == [0, 0.4, 0.8, 10.8, 20.8, 30.8]


def test_moving_after_a_long_stay_asks_at_once() -> None:
    """Who has sat for a minute and gets up is asked about then, not when the long wait is over."""
    sitting = [view(0.5)] * 5 * 60
    assert asked_at([*sitting, *[view(0.5, x=200)] * 5])[-2:] == [30.8, 60.0]


def test_a_doubt_is_followed_by_a_shot_and_a_new_vote() -> None:
    """When the tracker is in doubt a view goes out at once, and two more, should the vote begin anew."""
    views = [view(0.5)] * 20
    views[12] = view(0.5, is_doubtful=True)
    assert asked_at(views) == [0, 0.4, 0.8, 2.4, 2.8, 3.2]


def test_a_doubt_waits_for_a_usable_view() -> None:
    """A doubtful view that is too poor to send leaves the question open for the next one that is not."""
    views = [view(0.5)] * 20
    views[12], views[13] = view(0.01, is_doubtful=True), view(0.01)
    assert asked_at(views)[3] == 2.8


def test_doubt_after_doubt_is_no_flood() -> None:
    """However often the tracker is in doubt, shots are two fifths of a second apart."""
    times = asked_at([view(0.5, is_doubtful=True)] * 50, fps=15)
    assert min(after - before for before, after in pairwise(times)) > 0.39


def test_reasons_are_given_for_what_is_not_sent() -> None:
    """A refused view says why, for each purpose it was offered for."""
    plan = ShotPlan(ShotSettings(identity_shots=1))
    both: list[Purpose] = ["identity", "emotion"]
    assert plan.choose(view(0.01), START_NS, both).skipped == ["poor_view", "poor_view"]
    assert plan.choose(view(0.5), START_NS, both).numbers == {"identity": 1, "emotion": 1}
    assert plan.choose(view(0.9), START_NS + SECOND // 5, both).skipped == ["enough_shots", "sampled_lately"]
    assert plan.choose(view(0.5), START_NS + SECOND // 5, both).skipped == [
        "no_better_view",
        "sampled_lately",
    ]
    assert plan.choose(view(0.5), START_NS + 10 * SECOND, ["identity"]).numbers == {"identity": 2}
    assert plan.choose(view(0.5), START_NS + 21 * SECOND, ["identity"]).skipped == ["unmoved"]


def test_emotion_is_sampled_by_time_at_any_frame_rate() -> None:
    """About two shots a second at first and one a second later, at 5 and at 30 frames a second alike."""
    for fps in (5, 7, 30):
        plan = ShotPlan(ShotSettings())
        taken = [
            frame / fps
            for frame in range(fps * 20)
            if plan.choose(view(0.5), START_NS + int(frame / fps * SECOND), ["emotion"]).numbers
        ]
        assert len([moment for moment in taken if moment < 2.4]) == 5
        assert 9 <= len([moment for moment in taken if 10 <= moment < 20]) <= 11


@given(st.lists(st.floats(0, 1), max_size=200), st.floats(0.5, 30), st.integers(1, 8))
def test_shots_are_numbered_and_bounded(qualities: list[float], fps: float, limit: int) -> None:
    """Numbers count from one without gaps, and but for verifying there are no more than allowed."""
    plan = ShotPlan(ShotSettings(identity_shots=limit, verify_seconds=1e6))
    numbers = [
        number
        for frame, quality in enumerate(qualities)
        for number in plan.choose(
            view(quality), START_NS + int(frame / fps * SECOND), ["identity"]
        ).numbers.values()
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) <= limit


def emotion_shots(seconds: int, *, fps: float, reads_tiredness: bool, quality: float = 0.5) -> int:
    """Return how many shots for emotion a face sends that is seen all the time."""
    plan = ShotPlan(ShotSettings())
    for frame in range(int(seconds * fps)):
        plan.choose(
            view(quality),
            START_NS + int(frame / fps * SECOND),
            ["emotion"],
            reads_tiredness=reads_tiredness,
        )
    return plan.emotion_shots


def test_tiredness_asks_for_more_views_at_any_age() -> None:
    """Four a second however long somebody stays, or as many as there are frames."""
    assert emotion_shots(60, fps=15, reads_tiredness=True) in range(236, 242)
    assert emotion_shots(60, fps=2, reads_tiredness=True) == 120
    assert emotion_shots(60, fps=15, reads_tiredness=False) < 70


def test_tiredness_wants_poor_views_too() -> None:
    """They tell why there is not enough to say."""
    assert emotion_shots(10, fps=5, reads_tiredness=True, quality=0.01) >= 40
    assert emotion_shots(10, fps=5, reads_tiredness=False, quality=0.01) == 0
