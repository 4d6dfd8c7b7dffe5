"""Few shots for identity, a steady sample for emotion."""

from hypothesis import given
from hypothesis import strategies as st

from services.detector.shots import Purpose, ShotPlan, ShotSettings

SECOND = 1_000_000_000
START_NS = 1_790_000_000 * SECOND


def identity_shots(qualities: list[float], *, fps: float = 5, **settings: float) -> list[int]:
    """Return the frames from which a shot for identity was taken."""
    plan = ShotPlan(ShotSettings(**settings))  # type: ignore[arg-type]
    return [
        frame
        for frame, quality in enumerate(qualities)
        if plan.choose(quality, START_NS + int(frame / fps * SECOND), ["identity"]).numbers
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


def test_a_track_is_asked_about_again() -> None:
    """After ten seconds, and ten more, a shot goes out although the limit was reached."""
    frames = identity_shots([0.5] * 5 * 31)
    assert frames == [0, 2, 4, 54, 104, 154]


def test_reasons_are_given_for_what_is_not_sent() -> None:
    """A refused view says why, for each purpose it was offered for."""
    plan = ShotPlan(ShotSettings(identity_shots=1))
    both: list[Purpose] = ["identity", "emotion"]
    assert plan.choose(0.01, START_NS, both).skipped == ["poor_view", "poor_view"]
    assert plan.choose(0.5, START_NS, both).numbers == {"identity": 1, "emotion": 1}
    assert plan.choose(0.9, START_NS + SECOND // 5, both).skipped == ["enough_shots", "sampled_lately"]


def test_emotion_is_sampled_by_time_at_any_frame_rate() -> None:
    """About two shots a second at first and one a second later, at 5 and at 30 frames a second alike."""
    for fps in (5, 7, 30):
        plan = ShotPlan(ShotSettings())
        taken = [
            frame / fps
            for frame in range(fps * 20)
            if plan.choose(0.5, START_NS + int(frame / fps * SECOND), ["emotion"]).numbers
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
            quality, START_NS + int(frame / fps * SECOND), ["identity"]
        ).numbers.values()
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) <= limit
