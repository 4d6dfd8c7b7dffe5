"""Names of the people who may be recognized, in memory; every gateway hears at once of a change."""

import asyncio
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from mien.errors import TransientError
from services.gateway.database import Database, Person

log = structlog.get_logger()

PEOPLE_CHANGED_CHANNEL: Final = "mien:gateway:people-changed"
_REFRESH_SECONDS: Final = 30.0


class Names:
    """Names by person id; people who are switched off are not in it."""

    def __init__(self, database: Database, redis: Redis) -> None:
        self._database = database
        self._redis = redis
        self._names: Mapping[str, str] = MappingProxyType({})
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    @property
    def known(self) -> Mapping[str, str]:
        """The names as last read; never waits."""
        return self._names

    async def read(self) -> Mapping[str, str]:
        """Return the names, from the database when they are old.

        Raises:
            TransientError: The database does not answer.
        """
        async with self._lock:
            if time.monotonic() - self._read_at > _REFRESH_SECONDS:
                began = time.monotonic()
                self._names = MappingProxyType(await self._database.run(_read_names))
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


def _read_names(session: Session) -> dict[str, str]:
    rows = session.execute(select(Person.person_id, Person.name).where(Person.active))
    return {row.person_id: row.name for row in rows}
