"""Who is called what, in memory; every gateway hears at once of a change."""

import asyncio
import time
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from mien.contracts.recognition import Rules
from mien.errors import TransientError
from mien.runtime.rules import RuleStore
from services.gateway.database import Database
from services.gateway.tables import Person, Stranger
from services.gateway.who import StrangerRow, WhoIsWho, name_strangers

log = structlog.get_logger()

PEOPLE_CHANGED_CHANNEL: Final = "mien:gateway:people-changed"
_REFRESH_SECONDS: Final = 30.0


class Names:
    """People and strangers by what they are called now, from the database and the rules."""

    def __init__(self, database: Database, redis: Redis, rules: RuleStore) -> None:
        self._database = database
        self._redis = redis
        self._rules = rules
        self._names = WhoIsWho()
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def known(self) -> WhoIsWho:
        """The names as last read; never waits."""
        return self._names

    async def read(self) -> WhoIsWho:
        """Return the names, from the database when they are old.

        Raises:
            TransientError: The database does not answer.
        """
        async with self._lock:
            if time.monotonic() - self._read_at > _REFRESH_SECONDS:
                began = time.monotonic()
                rules = self._rules.known
                self._names = await self._database.run(lambda session: _read_names(session, rules))
                self._read_at = began
        return self._names

    async def refresh(self) -> None:
        """Read the names again, for somebody has changed them; on failure the old ones serve."""
        self._read_at = float("-inf")
        try:
            await self.read()
        except TransientError as error:
            log.warning("names.refresh_failed", error=str(error))

    async def announce_change(self) -> None:
        """Show a change here and tell the other gateways; without Redis they notice by themselves later."""
        await self.refresh()
        try:
            await self._redis.publish(PEOPLE_CHANGED_CHANNEL, b"")
        except (RedisError, OSError) as error:
            log.warning("names.announce_failed", error=type(error).__name__)


def _read_names(session: Session, rules: Rules) -> WhoIsWho:
    people = session.execute(select(Person.person_id, Person.name, Person.ignored).where(Person.active)).all()
    strangers = session.execute(
        select(Stranger.stranger_id, Stranger.number, Stranger.person_id, Stranger.ignored).order_by(
            Stranger.number
        )
    )
    return WhoIsWho(
        people={row.person_id: row.name for row in people},
        ignored_people=frozenset(row.person_id for row in people if row.ignored),
        strangers=name_strangers([StrangerRow(*row) for row in strangers], rules),
        denials={denial.track_id: denial.person_id for denial in rules.denials},
    )
