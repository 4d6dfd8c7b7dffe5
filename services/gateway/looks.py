"""How people looked: totals of a camera, days of a person, and when both are forgotten."""

import asyncio
import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, cast

import structlog
from redis.asyncio import Redis
from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from mien.contracts.cameras import Camera, EmotionPolicy
from mien.contracts.models import EMOTION_LABELS, EMOTIONS, UNCERTAIN
from mien.contracts.readings import (
    BUCKET_SECONDS,
    SPAN_SECONDS,
    CountSpan,
    emotion_allowed,
    emotion_baseline_key,
    emotion_counts_key,
)
from mien.contracts.shared_state import TRACK_TTL_SECONDS
from mien.errors import TransientError
from mien.runtime.service import Service
from services.gateway.database import Database
from services.gateway.schemas import Schema
from services.gateway.tables import Sighting, utc_now

log = structlog.get_logger()

_SWEEP_SECONDS: Final = 3600.0
_RETRY_SECONDS: Final = 5.0
_LABELS: Final = (*EMOTIONS, UNCERTAIN)


class LooksBucket(Schema):
    """How many people looked how within a stretch of time; None where so few passed that it is not told."""

    starts_at: datetime
    people: int | None
    counts: dict[str, int] | None


class CameraLooks(Schema):
    """How those whom a camera saw looked; stretches without anybody are left out.

    *group_size* is how many people there must be before they are told of; 1 where each may be told of.
    """

    camera_id: str
    policy: EmotionPolicy
    span: CountSpan
    since: datetime
    until: datetime
    bucket_seconds: int
    group_size: int
    buckets: list[LooksBucket]


class PersonDay(Schema):
    """How somebody looked on one day (UTC), as shares of the time that it was told."""

    day: str
    sightings: int
    tired_sightings: int
    seconds: float
    shares: dict[str, float]


class PersonLooks(Schema):
    """How somebody looked, by day; older than *keep_days* is forgotten."""

    person_id: str
    keep_days: float
    days: list[PersonDay]


async def read_camera_looks(
    redis: Redis, camera: Camera, span: CountSpan, *, group_size: int, now_seconds: float
) -> CameraLooks:
    """Return a camera's totals.

    Where only totals may be told, the present stretch is left out, too: watched from second to second, its
    count would tell how each newcomer looks.
    """
    seconds = BUCKET_SECONDS[span]
    is_aggregate = camera.emotion_policy == "aggregate"
    last = int(now_seconds) // seconds - is_aggregate
    first = last - SPAN_SECONDS[span] // seconds + 1
    buckets = []
    if emotion_allowed(camera):
        async with redis.pipeline(transaction=False) as pipe:
            for bucket in range(first, last + 1):
                pipe.hgetall(emotion_counts_key(camera.camera_id, seconds, bucket))
            hashes: list[dict[bytes, bytes]] = await pipe.execute()
        least = group_size if is_aggregate else 1
        buckets = [
            _bucket_of(bucket * seconds, fields, least=least)
            for bucket, fields in zip(range(first, last + 1), hashes, strict=True)
            if any(int(count) > 0 for count in fields.values())
        ]
    return CameraLooks(
        camera_id=camera.camera_id,
        policy=camera.emotion_policy,
        span=span,
        since=datetime.fromtimestamp(first * seconds, UTC),
        until=datetime.fromtimestamp((last + 1) * seconds, UTC),
        bucket_seconds=seconds,
        group_size=group_size if is_aggregate else 1,
        buckets=buckets,
    )


def camera_looks_csv(looks: CameraLooks) -> str:
    """Return a camera's totals as CSV; stretches of which nothing may be told have empty cells."""
    rows: list[list[object]] = []
    for bucket in looks.buckets:
        counts = bucket.counts
        told = [""] * (1 + len(_LABELS))
        if counts is not None:
            told = [str(bucket.people), *(str(counts.get(label, 0)) for label in _LABELS)]
        rows.append([bucket.starts_at.isoformat(), *told])
    return _as_csv(["starts_at", "people", *_LABELS], rows)


def read_person_looks(session: Session, person_id: str, *, keep_days: float) -> PersonLooks:
    """Return how somebody looked, the latest day first."""
    by_day: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in _told_sightings(session, person_id):
        by_day[sighting.started_at.date().isoformat()].append(sighting)
    return PersonLooks(
        person_id=person_id,
        keep_days=keep_days,
        days=[_day_of(day, sightings) for day, sightings in sorted(by_day.items(), reverse=True)],
    )


def person_looks_csv(session: Session, person_id: str) -> str:
    """Return how somebody looked as CSV, a line per sighting."""
    rows: list[list[object]] = [
        [sighting.started_at.isoformat(), sighting.ended_at.isoformat(), sighting.camera_name]
        + [sighting.tiredness or ""]
        + [(sighting.emotions or {}).get(label, 0.0) if sighting.emotions else "" for label in _LABELS]
        for sighting in _told_sightings(session, person_id)
    ]
    return _as_csv(["started_at", "ended_at", "camera", "tiredness", *_LABELS], rows)


def forget_looks_of(session: Session, person_id: str) -> int:
    """Take how somebody looked out of the history; returns of how many sightings."""
    return _forget(session, Sighting.person_id == person_id)


class LooksKeeper:
    """Forgets how people looked: of somebody on request, of all after their time."""

    def __init__(self, database: Database, redis: Redis, *, keep_days: float) -> None:
        self._database = database
        self._redis = redis
        self.keep_days = keep_days

    async def reset_baseline(self, person_id: str) -> None:
        """Let the emotion worker learn anew how somebody usually looks."""
        await self._redis.delete(emotion_baseline_key(person_id))

    async def forget_baseline(self, person_id: str) -> None:
        """Delete how somebody usually looks, for good: tracks that still go on teach nothing any more."""
        await self._redis.set(emotion_baseline_key(person_id), b"", ex=TRACK_TTL_SECONDS)

    async def run(self, service: Service) -> None:
        """Take what is too old out of the history, now and every hour, until cancelled."""
        while not service.stop.is_set():
            try:
                await self.forget_old()
                service.health.resolve("looks")
                pause = _SWEEP_SECONDS
            except TransientError as error:
                service.health.report("looks", f"how people looked is kept for too long: {error}")
                pause = _RETRY_SECONDS
            await asyncio.sleep(pause)

    async def forget_old(self) -> int:
        """Take what is too old out of the history; returns of how many sightings."""
        before = utc_now() - timedelta(days=self.keep_days)
        forgotten = await self._database.run(lambda session: _forget(session, Sighting.ended_at < before))
        if forgotten:
            log.info("looks.forgotten", sightings=forgotten)
        return forgotten


def _forget(session: Session, condition: object) -> int:
    told = or_(
        Sighting.emotions.is_not(None),
        Sighting.emotion_timeline.is_not(None),
        Sighting.tiredness.is_not(None),
    )
    result = session.execute(
        update(Sighting)
        .where(condition, told)  # type: ignore[arg-type]  # a comparison of columns
        .values(emotions=None, emotion_timeline=None, tiredness=None)
    )
    return cast("CursorResult[None]", result).rowcount


def _told_sightings(session: Session, person_id: str) -> Sequence[Sighting]:
    query = select(Sighting).where(
        Sighting.person_id == person_id,
        or_(Sighting.emotions.is_not(None), Sighting.tiredness.is_not(None)),
    )
    return session.scalars(query.order_by(Sighting.started_at.desc())).all()


def _bucket_of(starts_at: int, fields: dict[bytes, bytes], *, least: int) -> LooksBucket:
    counts = {name.decode(): int(count) for name, count in fields.items() if int(count) > 0}
    people = sum(counts.values())
    is_told = people >= least
    return LooksBucket(
        starts_at=datetime.fromtimestamp(starts_at, UTC),
        people=people if is_told else None,
        counts=dict(sorted(counts.items())) if is_told else None,
    )


def _day_of(day: str, sightings: Sequence[Sighting]) -> PersonDay:
    weights: dict[str, float] = defaultdict(float)
    for sighting in sightings:
        # A glimpse has hardly any length, and was seen all the same.
        lasted = max((sighting.ended_at - sighting.started_at).total_seconds(), 1.0)
        for label, share in (sighting.emotions or {}).items():
            weights[label] += share * lasted
    total = sum(weights.values())
    return PersonDay(
        day=day,
        sightings=len(sightings),
        tired_sightings=sum(sighting.tiredness == "tired" for sighting in sightings),
        seconds=round(total, 1),
        shares={
            label: round(weights[label] / total, 3)
            for label in (*EMOTION_LABELS, UNCERTAIN)
            if total and weights.get(label)
        },
    )


def _as_csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def _inert(cell: object) -> object:
    """Keep a spreadsheet from taking a camera's name for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t" and cell else cell
