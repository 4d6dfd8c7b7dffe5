"""How cameras were: a row for each change of state, and what it adds up to."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mien.contracts.cameras import CameraState
from mien.contracts.events import CameraStateChanged, derive_event_id
from mien.contracts.shared_state import CAMERA_STATUS_TTL_SECONDS, camera_status_key
from mien.errors import TransientError
from mien.runtime.cameras import CameraDirectory
from mien.runtime.event_loop import Received
from mien.runtime.service import Service
from services.gateway.camera_schemas import CameraHistory, CameraPeriod
from services.gateway.database import Database
from services.gateway.tables import CameraStateEntry

log = structlog.get_logger()

DELIVERING: Final[frozenset[CameraState]] = frozenset({"streaming", "frozen", "slow"})
_CLOSED: Final[frozenset[CameraState]] = frozenset({"stopped"})
_CHECK_SECONDS: Final = 10.0
_FORGET_EVERY: Final = 360


class CameraStateBook:
    """Writes down what ingest says of cameras, and that nobody says anything any more."""

    def __init__(
        self, database: Database, redis: Redis, *, directory: CameraDirectory, keep_days: float
    ) -> None:
        self._database = database
        self._redis = redis
        self._directory = directory
        self._keep = timedelta(days=keep_days)
        self._unheard: set[str] = set()

    async def note(self, received: Sequence[Received[CameraStateChanged]]) -> None:
        """Write down changes of state; one that is written already, or changes nothing, is left out.

        Raises:
            TransientError: The database is away.
        """
        await self._database.run(lambda session: write_changes(session, [one.event for one in received]))

    async def run(self, service: Service) -> None:
        """Notice cameras that no ingest process speaks of, and forget what is old, until cancelled."""
        rounds = 0
        while not service.stop.is_set():
            await asyncio.sleep(_CHECK_SECONDS)
            try:
                await self._note_silence()
                if rounds % _FORGET_EVERY == 0:
                    await self._forget()
                rounds += 1
                service.health.resolve("camera history")
            except (RedisError, OSError) as error:
                log.warning("camera_history.redis_away", error=type(error).__name__)
            except TransientError as error:
                service.health.report("camera history", str(error))

    async def _note_silence(self) -> None:
        camera_ids = [camera.camera_id for camera in self._directory.all() if camera.source != "browser"]
        if not camera_ids:
            return
        statuses = await self._redis.mget(map(camera_status_key, camera_ids))
        silent = {id_ for id_, status in zip(camera_ids, statuses, strict=True) if status is None}
        # Twice in a row: between two owners of a camera there may be a moment without any.
        lost, self._unheard = silent & self._unheard, silent
        if lost:
            at = datetime.now(UTC) - timedelta(seconds=CAMERA_STATUS_TTL_SECONDS)
            await self._database.run(lambda session: write_silence(session, sorted(lost), at))

    async def _forget(self) -> None:
        before = datetime.now(UTC) - self._keep
        await self._database.run(lambda session: forget_before(session, before))


def write_changes(session: Session, events: Iterable[CameraStateChanged]) -> None:
    """Add a row for each event that changes something."""
    for event in sorted(events, key=lambda event: event.captured_at_ns):
        if session.get(CameraStateEntry, event.event_id) is not None:
            continue
        at = datetime.fromtimestamp(event.captured_at_ns / 1e9, UTC)
        last = _last(session, event.camera_id, before=at)
        if last is None or (last.state, last.reason) != (event.state, event.reason):
            session.add(
                CameraStateEntry(
                    event_id=event.event_id,
                    camera_id=event.camera_id,
                    state=event.state,
                    reason=event.reason[:500],
                    started_at=at,
                )
            )
            session.flush()


def write_silence(session: Session, camera_ids: Iterable[str], at: datetime) -> None:
    """Add a row that says that nobody looks after these cameras, where the last one says otherwise.

    Its id is derived from the row before, so that two gateways write one.
    """
    for camera_id in camera_ids:
        last = _last(session, camera_id)
        if last is not None and last.state != "unassigned":
            session.add(
                CameraStateEntry(
                    event_id=derive_event_id("camera-silent", last.event_id),
                    camera_id=camera_id,
                    state="unassigned",
                    reason="no ingest process looks after it",
                    started_at=max(at, last.started_at),
                )
            )


def forget_before(session: Session, before: datetime) -> None:
    """Remove rows that ended before a time; the state of then stays, to know how each camera was."""
    newest = (
        select(func.max(CameraStateEntry.started_at))
        .where(CameraStateEntry.started_at <= before)
        .group_by(CameraStateEntry.camera_id)
    )
    session.execute(
        delete(CameraStateEntry).where(
            CameraStateEntry.started_at < before, CameraStateEntry.started_at.not_in(newest)
        )
    )


def read_history(
    session: Session, camera_id: str, *, since: datetime, now: datetime, limit: int
) -> CameraHistory:
    """Return how a camera was from a time until now: all of it in sums, its newest periods each."""
    before = _last(session, camera_id, before=since)
    later = session.scalars(
        select(CameraStateEntry)
        .where(CameraStateEntry.camera_id == camera_id, CameraStateEntry.started_at > since)
        .order_by(CameraStateEntry.started_at)
    ).all()
    return sum_up([*([before] if before else []), *later], since=since, now=now, limit=limit)


def sum_up(
    entries: Sequence[CameraStateEntry], *, since: datetime, now: datetime, limit: int
) -> CameraHistory:
    """Make periods of rows in the order of time, and say for which share of them pictures came.

    Time in which a camera was closed on purpose doesn't count.
    """
    ends = [*(entry.started_at for entry in entries[1:]), None]
    periods = [
        CameraPeriod.model_validate(
            {"state": entry.state, "reason": entry.reason, "started_at": entry.started_at, "ended_at": end}
        )
        for entry, end in zip(entries, ends, strict=False)
    ]
    up = due = 0.0
    for period in periods:
        seconds = ((period.ended_at or now) - max(period.started_at, since)).total_seconds()
        up += seconds if period.state in DELIVERING else 0.0
        due += 0.0 if period.state in _CLOSED else seconds
    losses = sum(
        earlier.state in DELIVERING and later.state not in DELIVERING | _CLOSED
        for earlier, later in pairwise(periods)
    )
    return CameraHistory(
        since=since,
        uptime=round(up / due, 5) if due > 0 else None,
        losses=losses,
        periods=periods[::-1][:limit],
    )


def _last(session: Session, camera_id: str, *, before: datetime | None = None) -> CameraStateEntry | None:
    query = select(CameraStateEntry).where(CameraStateEntry.camera_id == camera_id)
    if before is not None:
        query = query.where(CameraStateEntry.started_at <= before)
    return session.scalars(query.order_by(CameraStateEntry.started_at.desc()).limit(1)).first()
