"""The state of a camera as people see it, as a table; and what stands still, or comes too seldom."""

import numpy as np
import pytest

from services.ingest.condition import (
    Condition,
    Limits,
    RateWatch,
    StillnessWatch,
    View,
    judge,
    lasting,
)
from services.ingest.failures import AUTH_REFUSED, ENDED, STALLED

LIMITS = Limits(frozen_seconds=60, slow_share=0.4)
REFUSED_SOON = View("backoff", ENDED, retry_in_seconds=4.2)


@pytest.mark.parametrize(
    ("view", "state", "words"),
    [
        (View("connecting"), "connecting", ""),
        (View("connecting", ENDED), "connecting", "the camera closed the connection"),
        (View("streaming"), "streaming", ""),
        (View("streaming", silent_seconds=1.9), "streaming", ""),
        (View("streaming", silent_seconds=6), "stalled", "stopped sending pictures 6 s ago"),
        (View("streaming", silent_seconds=6, kind="hls"), "streaming", ""),
        (View("streaming", silent_seconds=11, kind="hls"), "stalled", "stopped sending pictures 11 s ago"),
        (
            View("streaming", pictureless_seconds=12),
            "stalled",
            "sends data, but no picture that is whole, for 12 s",
        ),
        (View("streaming", pictureless_seconds=12, is_unwanted=True), "streaming", ""),
        (View("streaming", unchanged_seconds=59), "streaming", ""),
        (
            View("streaming", unchanged_seconds=75),
            "frozen",
            "sends the same picture again and again, for 75 s",
        ),
        (View("streaming", unchanged_seconds=600, kind="file"), "streaming", ""),
        (
            View("streaming", pictureless_seconds=300, kind="snapshot"),
            "frozen",
            "sends the same picture again and again, for 5 min",
        ),
        (View("streaming", fps=6.1, expected_fps=15), "streaming", ""),
        (
            View("streaming", fps=5.0, expected_fps=15),
            "slow",
            "sends far fewer pictures than it should: 5.0 a second instead of 15",
        ),
        (View("streaming", fps=1.0, expected_fps=15, kind="snapshot"), "streaming", ""),
        (View("streaming", fps=None, expected_fps=15), "streaming", ""),
        (REFUSED_SOON, "backoff", "the camera closed the connection; trying again in 4 s"),
        (
            View("backoff", STALLED, retry_in_seconds=-1, silent_seconds=9),
            "backoff",
            "stopped sending pictures 9 s ago; trying again in 0 s",
        ),
        (
            View("auth_failed", AUTH_REFUSED, retry_in_seconds=61),
            "auth_failed",
            "wrong user name or password; trying again in 61 s",
        ),
    ],
)
def test_what_is_known_gives_one_state_with_its_reason(view: View, state: str, words: str) -> None:
    """Silence goes before stillness, stillness before slowness; a reason never changes by the second."""
    condition = judge(view, LIMITS)
    assert (condition.state, condition.words) == (state, words)
    assert not any(character.isdigit() for character in condition.reason)


def test_limits_of_zero_are_none() -> None:
    """What is switched off is never called by its name."""
    view = View("streaming", unchanged_seconds=9999, fps=0.1, expected_fps=30)
    assert judge(view, Limits(0, 0)) == Condition("streaming")


def test_history_keeps_a_loss_until_pictures_come() -> None:
    """Each attempt to connect is no news; the first one, before there was a loss, is."""
    attempt = View("connecting", ENDED)
    assert lasting(attempt, judge(attempt, LIMITS)) == Condition("backoff", ENDED.words)
    first = View("connecting")
    assert lasting(first, judge(first, LIMITS)).state == "connecting"
    assert lasting(REFUSED_SOON, judge(REFUSED_SOON, LIMITS)).reason == ENDED.words


def noisy(rng: np.random.Generator, sigma: float) -> np.ndarray:
    scene = np.linspace(30, 200, 90 * 160).reshape(90, 160)
    return np.clip(scene + rng.normal(0, sigma, scene.shape), 0, 255).astype(np.uint8)


def test_a_still_room_is_not_frozen() -> None:
    """A sensor's noise, even a little of it, is change."""
    rng, watch = np.random.default_rng(1), StillnessWatch()
    for second in range(120):
        watch.note(noisy(rng, 1.5), float(second))
    assert watch.unchanged_seconds < 5


def test_the_same_picture_with_its_codings_traces_is_frozen() -> None:
    """Keyframes of one picture differ by a level or two; it begins anew when the picture changes."""
    rng, watch = np.random.default_rng(1), StillnessWatch()
    picture = noisy(rng, 2.0).astype(np.int16)
    for second in range(100):
        traces = rng.integers(-1, 2, picture.shape)
        watch.note(np.clip(picture + traces, 0, 255).astype(np.uint8), float(second))
    assert watch.unchanged_seconds == 99
    watch.note(noisy(rng, 2.0), 100.0)
    assert watch.unchanged_seconds == 0


def test_another_size_is_another_picture() -> None:
    """Whatever it shows."""
    watch = StillnessWatch()
    watch.note(np.zeros((90, 160), np.uint8), 0.0)
    watch.note(np.zeros((45, 80), np.uint8), 50.0)
    assert watch.unchanged_seconds == 0


def test_a_rate_is_compared_with_what_was_usual() -> None:
    """Fifteen a second for a while, then three: the fifteen are still expected, an hour later no more."""
    watch = RateWatch(10)
    counts = [15 * second for second in range(0, 40, 2)]
    rates = [watch.look(2.0 * index, count=count, connection=1) for index, count in enumerate(counts)]
    assert rates[:5] == [None] * 5
    assert rates[-1] == pytest.approx(15)
    count = counts[-1]
    for index in range(20, 27):
        count += 6
        fps = watch.look(2.0 * index, count=count, connection=1)
    assert fps == pytest.approx(3)
    assert watch.expected(None) == pytest.approx(15, abs=0.1)
    assert watch.expected(25.0) == 25
    for index in range(27, 10_000):
        count += 6
        watch.look(2.0 * index, count=count, connection=1)
    assert watch.expected(None) == pytest.approx(3, abs=0.2)


def test_each_connection_is_measured_for_itself() -> None:
    """The time without one is no slowness."""
    watch = RateWatch(10)
    for index in range(8):
        watch.look(2.0 * index, count=30 * index, connection=1)
    assert watch.look(100.0, count=240, connection=2) is None
    assert RateWatch(10).expected(12.5) == 12.5
    assert RateWatch(10).expected(None) is None
