"""When a camera is open: weekly hours on the clocks of its place. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from mien.contracts.cameras import OpenHours, Schedule, Weekday

_DAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOKED_AHEAD_DAYS: Final = 8


def is_open(schedule: Schedule | None, at: datetime) -> bool:
    """Whether a camera of this schedule is open at a time; without a schedule it always is."""
    if schedule is None:
        return True
    return any(start <= at < end for start, end in _stretches(schedule, at))


def opens_at(schedule: Schedule, at: datetime) -> datetime | None:
    """Return when a closed camera opens next, on its own clocks."""
    later = (start for start, _ in _stretches(schedule, at) if start > at)
    return min(later, default=None)


def closed_words(schedule: Schedule, at: datetime) -> str:
    """Say that, and until when, a camera is closed."""
    opening = opens_at(schedule, at)
    if opening is None:
        return "outside its schedule"
    day = "" if opening.date() == at.astimezone(opening.tzinfo).date() else f"{opening:%A} "
    return f"outside its schedule until {day}{opening:%H:%M}"


def _stretches(schedule: Schedule, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield when a camera is open, from the day before a time to a week after it."""
    zone = _zone(schedule.time_zone)
    today = at.astimezone(zone).date()
    for offset in range(-1, _LOOKED_AHEAD_DAYS):
        day = today + timedelta(days=offset)
        for hours in schedule.hours:
            if _DAYS[day.weekday()] in hours.days:
                midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
                yield midnight + _since_midnight(hours.start), midnight + _length(hours)


def _length(hours: OpenHours) -> timedelta:
    end = _since_midnight(hours.end)
    return end if end > _since_midnight(hours.start) else end + timedelta(days=1)


def _since_midnight(clock: str) -> timedelta:
    hour, minute = clock.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
