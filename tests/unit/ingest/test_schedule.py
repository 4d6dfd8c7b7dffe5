"""When a camera is open, on the clocks of its place."""

from datetime import UTC, datetime

import pytest

from mien.contracts.cameras import OpenHours, Schedule
from services.ingest.schedule import closed_words, is_open, opens_at

WORKDAYS = Schedule(
    time_zone="Europe/Berlin",
    hours=[OpenHours(days=["mon", "tue", "wed", "thu", "fri"], start="07:00", end="18:30")],
)
NIGHTS = Schedule(
    time_zone="Europe/Berlin", hours=[OpenHours(days=["fri", "sat"], start="22:00", end="06:00")]
)
ALWAYS = Schedule(
    time_zone="UTC",
    hours=[OpenHours(days=["mon", "tue", "wed", "thu", "fri", "sat", "sun"], start="00:00", end="24:00")],
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "at", "expected"),
    [
        (None, "2026-11-25 03:00", True),
        (WORKDAYS, "2026-11-25 05:59", False),  # Wednesday, 06:59 in Berlin
        (WORKDAYS, "2026-11-25 06:00", True),
        (WORKDAYS, "2026-11-25 17:29", True),
        (WORKDAYS, "2026-11-25 17:30", False),
        (WORKDAYS, "2026-11-28 10:00", False),  # Saturday
        (WORKDAYS, "2026-07-01 05:00", True),  # summer time
        (NIGHTS, "2026-11-27 21:00", True),  # Friday, 22:00
        (NIGHTS, "2026-11-28 04:59", True),
        (NIGHTS, "2026-11-28 05:00", False),
        (NIGHTS, "2026-11-29 04:30", True),  # the night to Sunday
        (NIGHTS, "2026-11-29 21:30", False),
        (ALWAYS, "2026-11-29 23:59", True),
        (ALWAYS, "2026-11-30 00:00", True),
    ],
)
def test_hours_are_those_of_the_place(schedule: Schedule | None, at: str, expected: bool) -> None:
    """Over midnight, over the weekend, in summer and winter."""
    assert is_open(schedule, utc(at)) is expected


def test_clocks_that_are_set_move_the_opening() -> None:
    """On the day on which summer time begins, seven o'clock is seven o'clock."""
    sundays = Schedule(time_zone="Europe/Berlin", hours=[OpenHours(days=["sun"], start="07:00", end="08:00")])
    assert opens_at(sundays, utc("2026-03-28 12:00")) == utc("2026-03-29 05:00")
    assert opens_at(sundays, utc("2026-03-21 12:00")) == utc("2026-03-22 06:00")


@pytest.mark.parametrize(
    ("schedule", "at", "words"),
    [
        (WORKDAYS, "2026-11-25 03:12", "outside its schedule until 07:00"),
        (WORKDAYS, "2026-11-27 19:00", "outside its schedule until Monday 07:00"),
        (NIGHTS, "2026-11-29 06:00", "outside its schedule until Friday 22:00"),
    ],
)
def test_a_closed_camera_says_until_when(schedule: Schedule, at: str, words: str) -> None:
    """The day is named when it is another one."""
    assert closed_words(schedule, utc(at)) == words
