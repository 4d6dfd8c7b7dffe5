"""What ingest decides about pictures and attempts."""

import numpy as np
import pytest

from services.ingest.pipeline import Backoff, LagControl, MotionGate, SamplingSchedule

FPS = 15
GOP = 15


def test_sampling_keeps_the_asked_rate() -> None:
    """From 15 pictures a second every third is kept for 5, whatever the rounding of their times."""
    schedule = SamplingSchedule(5)
    kept = [index for index in range(150) if schedule.is_due(round(index * 90_000 / FPS) / 90_000)]
    assert kept == list(range(0, 150, 3))


@pytest.mark.parametrize(("source_fps", "expected"), [(25.0, 50), (12.5, 50), (30.0, 50), (4.0, 40)])
def test_sampling_never_exceeds_the_rate_nor_invents_pictures(source_fps: float, expected: int) -> None:
    """In ten seconds at most 50 pictures pass at 5 a second, and all of a slower camera."""
    schedule = SamplingSchedule(5)
    kept = sum(schedule.is_due(index / source_fps) for index in range(int(10 * source_fps)))
    assert abs(kept - expected) <= 1


def test_a_burst_is_sampled_by_the_pictures_own_time() -> None:
    """Pictures that arrive all at once are thinned as if they had come one by one (trap 7)."""
    schedule = SamplingSchedule(5)
    assert sum(schedule.is_due(index / FPS) for index in range(45)) == 15


@pytest.mark.parametrize("jump", [-3600.0, 3600.0])
def test_a_jump_of_the_clock_does_not_stop_sampling(jump: float) -> None:
    """After a camera has set its clock, the rate is what it was."""
    schedule = SamplingSchedule(5)
    for index in range(30):
        schedule.is_due(10_000 + index / FPS)
    assert sum(schedule.is_due(10_000 + jump + index / FPS) for index in range(30)) == 10


def test_a_new_rate_holds_at_once() -> None:
    """An edit of the camera changes the rate without a new connection."""
    schedule = SamplingSchedule(1)
    assert [schedule.is_due(index / FPS) for index in range(FPS)].count(True) == 1
    schedule.fps = 15
    assert sum(schedule.is_due(1 + index / FPS) for index in range(FPS)) == FPS


def picture(
    *, noise: float = 0, seed: int = 0, brightness: float = 100, face_at: int | None = None
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    luma = np.full((45, 80), brightness) + rng.normal(0, noise, (45, 80))
    if face_at is not None:
        luma[20:25, face_at : face_at + 5] = 200
    return np.clip(luma, 0, 255).astype(np.uint8)


def gate() -> MotionGate:
    return MotionGate(luma_step=20, area_ratio=0.004, heartbeat_seconds=1.0)


def test_a_still_camera_sends_one_picture_a_second() -> None:
    """Sensor noise is no motion: of five seconds at 5 a second, the first and one a second remain."""
    decisions = gate()
    result = [decisions.decide(picture(noise=4, seed=index), index / 5, watched=False) for index in range(25)]
    assert result[0] == "moved"
    assert result[1:].count("heartbeat") == 4
    assert result[1:].count("skipped") == 20


def test_a_viewer_gets_still_pictures_too() -> None:
    """While somebody watches, nothing is skipped, and what is still is said to be."""
    decisions = gate()
    decisions.decide(picture(), 0.0, watched=True)
    assert decisions.decide(picture(), 0.2, watched=True) == "watched"


def test_a_small_face_that_moves_is_motion() -> None:
    """A face of 40 pixels at 640x360 (5 samples) that steps aside passes the gate every time."""
    decisions = gate()
    decisions.decide(picture(noise=3, face_at=10), 0.0, watched=False)
    for index in range(1, 10):
        luma = picture(noise=3, seed=index, face_at=10 + 3 * index)
        assert decisions.decide(luma, index / 5, watched=False) == "moved"


def test_slow_motion_adds_up() -> None:
    """Steps that are too small one by one are seen against the last picture that passed."""
    decisions = MotionGate(luma_step=20, area_ratio=0.004, heartbeat_seconds=60)
    decisions.decide(picture(), 0.0, watched=False)
    brighter = [
        decisions.decide(picture(brightness=100 + 6 * step), step / 5, watched=False) for step in (1, 2, 3, 4)
    ]
    assert brighter == ["skipped", "skipped", "skipped", "moved"]


def test_another_size_is_motion() -> None:
    """A camera that changes its resolution is compared with nothing older."""
    decisions = gate()
    decisions.decide(picture(), 0.0, watched=False)
    assert decisions.decide(np.zeros((90, 160), np.uint8), 0.2, watched=False) == "moved"


LEFT_HALF = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]
EVERYWHERE = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]


def test_movement_in_an_ignored_zone_does_not_count_and_elsewhere_does() -> None:
    """A tree on the left stays unseen, a face on the right is seen; without the zone both are."""
    decisions = gate()
    decisions.ignore([LEFT_HALF])
    decisions.decide(picture(), 0.0, watched=False)
    assert decisions.decide(picture(face_at=10), 0.2, watched=False) == "skipped"
    assert decisions.decide(picture(face_at=60), 0.4, watched=False) == "moved"
    decisions.ignore([])
    decisions.decide(picture(), 0.6, watched=False)
    assert decisions.decide(picture(face_at=10), 0.8, watched=False) == "moved"


def test_the_share_that_moves_is_of_what_is_not_ignored() -> None:
    """A face of 25 samples is 0.7 % of the picture, and 1.4 % of the half that counts."""
    for zones, expected in (([], "skipped"), ([LEFT_HALF], "moved")):
        decisions = MotionGate(luma_step=20, area_ratio=0.01, heartbeat_seconds=60)
        decisions.ignore(zones)
        decisions.decide(picture(), 0.0, watched=False)
        assert decisions.decide(picture(face_at=60), 0.2, watched=False) == expected


def test_where_all_is_ignored_nothing_moves() -> None:
    """Only the heartbeat remains."""
    decisions = gate()
    decisions.ignore([EVERYWHERE])
    decisions.decide(picture(), 0.0, watched=False)
    result = [decisions.decide(picture(face_at=5 * step), step / 5, watched=False) for step in range(1, 11)]
    assert result == ["skipped"] * 4 + ["heartbeat"] + ["skipped"] * 4 + ["heartbeat"]


def test_a_zone_stays_where_it_is_when_the_resolution_changes() -> None:
    """Its corners are shares of the picture."""
    decisions = gate()
    decisions.ignore([LEFT_HALF])
    decisions.decide(picture(), 0.0, watched=False)
    larger = np.kron(picture(), np.ones((2, 2), np.uint8))
    decisions.decide(larger, 0.2, watched=False)
    assert decisions.decide(np.kron(picture(face_at=10), np.ones((2, 2), np.uint8)), 0.4, watched=False) == (
        "skipped"
    )
    assert decisions.decide(np.kron(picture(face_at=60), np.ones((2, 2), np.uint8)), 0.6, watched=False) == (
        "moved"
    )


def feed(
    lag: LagControl, first: int, count: int, *, late: float = 0.0, media_shift: float = 0.0
) -> list[bool]:
    """Offer packets number *first* and on, each *late* seconds after its own time."""
    return [
        lag.admits(100 + media_shift + index / FPS, index / FPS + late, is_keyframe=index % GOP == 0)
        for index in range(first, first + count)
    ]


def test_a_prompt_camera_loses_nothing() -> None:
    """Without lag every packet is decoded."""
    assert all(feed(LagControl(1.0), 0, 300))


def test_a_backlog_is_skipped_up_to_a_keyframe_in_the_present() -> None:
    """Two seconds behind, packets are refused until a keyframe arrives less than half a second late."""
    lag = LagControl(1.0)
    feed(lag, 0, 60)
    admitted = []
    for index in range(60, 160):
        arrived = max(index / FPS, 60 / FPS + 2.0 + (index - 60) * 0.005)  # drains fast, then is live
        admitted.append(lag.admits(100 + index / FPS, arrived, is_keyframe=index % GOP == 0))
    assert not admitted[0]
    resumed = admitted.index(True)
    assert (60 + resumed) % GOP == 0
    assert all(admitted[resumed:])
    assert lag.lag_seconds < 0.1


def test_a_clock_that_stood_still_is_no_lag_for_ever() -> None:
    """A camera whose timestamps paused for three seconds streams again after the patience ran out."""
    lag = LagControl(1.0)
    feed(lag, 0, 60)
    after = feed(lag, 60, 120, late=3.0)
    assert not after[0]
    assert after[-1]
    assert lag.lag_seconds < 0.1


def test_a_camera_clock_that_runs_slow_is_no_lag() -> None:
    """A clock 0.05 % slow is an apparent second late after half an hour, yet nothing is skipped."""
    lag = LagControl(1.0)
    assert all(
        lag.admits(second, second * 1.0005, is_keyframe=False)
        for second in (index / 2 for index in range(7200))
    )


@pytest.mark.parametrize("shift", [-50.0, 500.0])
def test_a_jump_of_timestamps_begins_anew(shift: float) -> None:
    """After a camera has set its clock, no packet is refused for it."""
    lag = LagControl(1.0)
    feed(lag, 0, 60)
    assert all(feed(lag, 60, 60, media_shift=shift))


def test_waits_double_up_to_a_limit_and_never_end() -> None:
    """Half a second, doubled, at most thirty; a hundred failures later still thirty."""
    backoff = Backoff(0.5, 30.0, spread=lambda: 0.5)
    waits = [backoff.next_seconds() for _ in range(2000)]
    assert waits[:7] == [0.5, 1, 2, 4, 8, 16, 30]
    assert set(waits[7:]) == {30}
    backoff.reset()
    assert backoff.next_seconds() == 0.5


def test_waits_are_spread_a_quarter_to_both_sides() -> None:
    """Cameras behind one switch don't all return in the same moment."""
    assert Backoff(1, 30, spread=lambda: 0.0).next_seconds() == 0.75
    assert Backoff(1, 30, spread=lambda: 1.0).next_seconds() == 1.25
