"""Tired is said of eyes that are closed for long, or of yawns; not enough is an answer, too."""

import pytest

from services.emotion.gate import ViewFault
from services.emotion.tiredness import (
    FaceOpenness,
    TirednessRules,
    TirednessState,
    estimated,
    is_news,
    observe,
)
from tests.samples import CAPTURED_AT_NS, face_shot

RULES = TirednessRules()
OPEN, CLOSED = FaceOpenness(eyes=0.27, mouth=0.02), FaceOpenness(eyes=0.10, mouth=0.02)
YAWN = FaceOpenness(eyes=0.2, mouth=0.3)
Seen = FaceOpenness | ViewFault


def watch(
    views: list[Seen], *, every: float = 0.25, state: TirednessState | None = None, start: float = 0.0
) -> TirednessState:
    """Show views at an even pace and return what they come to."""
    number = state.shot_number if state else 0
    for index, view in enumerate(views):
        at_ns = CAPTURED_AT_NS + int((start + index * every) * 1e9)
        shot = face_shot(shot_number=number + index + 1, captured_at_ns=at_ns)
        state = observe(state, shot, view, RULES)
    assert state is not None
    return state


def blinking(seconds: int, *, closed_of_20: int) -> list[Seen]:
    """Eyes that are closed in so many of every twenty views, one after the other."""
    return [CLOSED if index % 20 < closed_of_20 else OPEN for index in range(seconds * 4)]


@pytest.mark.parametrize(
    ("closed_of_20", "answer"), [(0, "awake"), (1, "awake"), (2, "awake"), (4, "tired"), (12, "tired")]
)
def test_perclos_decides(closed_of_20: int, answer: str) -> None:
    """Blinking is awake; eyes that are closed for a fifth of a minute are tired."""
    state = watch(blinking(60, closed_of_20=closed_of_20))
    assert state.answer == answer
    assert state.perclos == pytest.approx(closed_of_20 / 20, abs=0.01)


def test_a_few_seconds_are_not_enough() -> None:
    """Nobody is called tired, or awake, after a glance."""
    state = watch(blinking(15, closed_of_20=20))
    event = estimated(state, face_shot(), model="eyelids", model_version=1)
    assert (event.answer, event.reason, event.perclos) == ("not_enough", "too_short", None)


@pytest.mark.parametrize("fault", ["eyes_too_small", "turned_away", "unclear"])
def test_views_without_use_say_why_there_is_not_enough(fault: ViewFault) -> None:
    """Eyes that are too small don't become open ones."""
    state = watch([fault] * 200)
    assert (state.answer, state.reason) == ("not_enough", fault)


def test_some_views_without_use_do_no_harm() -> None:
    """As long as the eyes were seen in enough seconds."""
    views: list[Seen] = [OPEN if index % 8 < 4 else "turned_away" for index in range(240)]
    assert watch(views).answer == "awake"


def test_who_was_tired_is_awake_only_when_clearly_so() -> None:
    """The answer does not flicker around its limit."""
    tired = watch(blinking(60, closed_of_20=4))
    still = watch(blinking(60, closed_of_20=2), state=tired, start=60)
    assert still.perclos < RULES.tired_perclos
    assert still.answer == "tired"
    assert watch(blinking(60, closed_of_20=1), state=still, start=120).answer == "awake"


def test_yawns_count() -> None:
    """Three long ones within minutes are enough, however open the eyes are."""
    pause: list[Seen] = [OPEN] * 40
    yawn: list[Seen] = [YAWN] * 12
    state = watch((pause + yawn) * 2)
    assert (len(state.yawned_at_ns), state.answer) == (2, "awake")
    state = watch(pause + yawn, state=state, start=26)
    assert (len(state.yawned_at_ns), state.answer) == (3, "tired")
    later = watch([OPEN] * 240, state=state, start=400)
    assert (later.yawned_at_ns, later.answer) == ([], "awake")


def test_talking_and_laughing_are_no_yawns() -> None:
    """A mouth that is open wide for moments only does not count, however often."""
    views: list[Seen] = [YAWN if index % 6 < 4 else OPEN for index in range(240)]
    assert watch(views).yawned_at_ns == []


def test_a_yawn_that_is_interrupted_is_one() -> None:
    """A mouth that closes for a blink of the camera does not yawn twice; one that opens later does."""
    state = watch([*[YAWN] * 10, OPEN, *[YAWN] * 12])
    assert len(state.yawned_at_ns) == 1
    assert len(watch([YAWN] * 12, state=state, start=20).yawned_at_ns) == 2


def test_a_mouth_seen_open_before_and_after_a_gap_is_no_yawn() -> None:
    """Nobody knows what it did meanwhile."""
    state = watch([YAWN, YAWN])
    assert watch([YAWN, YAWN], state=state, start=10).yawned_at_ns == []


def test_the_emotion_networks_tired_counts_as_a_yawn() -> None:
    """A face that it calls tired for long enough is one."""
    looks_tired = FaceOpenness(eyes=0.25, mouth=0.05, tired_probability=0.8)
    assert len(watch([looks_tired] * 12).yawned_at_ns) == 1


def test_old_seconds_are_forgotten() -> None:
    """After an hour the state is as small as after a minute, and says what the last minute was like."""
    state = watch(blinking(600, closed_of_20=20))
    state = watch([OPEN] * 244, state=state, start=600)
    assert len(state.seconds) <= 60
    assert (state.perclos, state.answer) == (0, "awake")


def test_news_are_told_at_once_and_else_every_other_second() -> None:
    """Four views a second don't make four events a second."""
    state = watch([OPEN])
    assert is_news(None, state)
    told = TirednessState(
        shot_number=1, captured_at_ns=CAPTURED_AT_NS, published_at_ns=CAPTURED_AT_NS, seconds=state.seconds
    )
    after = observe(told, face_shot(shot_number=2, captured_at_ns=CAPTURED_AT_NS + 250_000_000), OPEN, RULES)
    assert not is_news(told, after)
    later = observe(
        told, face_shot(shot_number=9, captured_at_ns=CAPTURED_AT_NS + 2_100_000_000), OPEN, RULES
    )
    assert is_news(told, later)
