"""The gateway's SQL database, SQLite by default: transactions, and tables made where they are missing."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.schema import CreateColumn

from mien.errors import TransientError
from services.gateway.tables import AuditEntry, Base

ResultT = TypeVar("ResultT")

# People's pictures are overwritten when they are deleted, not only unlinked (secure_delete).
_SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "busy_timeout=10000",
)


class Database:
    """Runs transactions in threads, so that the event loop never waits for a disk."""

    def __init__(self, url: str) -> None:
        self._engine = _open_engine(url)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)

    async def create_tables(self) -> None:
        """Create the tables and columns that aren't there yet."""
        await asyncio.to_thread(_create_missing, self._engine)

    async def run(self, work: Callable[[Session], ResultT]) -> ResultT:
        """Run *work* in one transaction, in a thread, and return its result.

        Raises:
            TransientError: The database is locked, full or away; nothing was changed.
        """
        try:
            return await asyncio.to_thread(self._transact, work)
        except OperationalError as error:
            raise TransientError(f"the database refused: {error.orig}") from error

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self._engine.dispose)

    def _transact(self, work: Callable[[Session], ResultT]) -> ResultT:
        with self._sessions.begin() as session:
            return work(session)


def _create_missing(engine: Engine) -> None:
    """Create missing tables, and missing columns in those that an earlier release has made.

    A later release only adds columns that may be empty or have a default, so the data stays where it is.
    """
    Base.metadata.create_all(engine)
    inspector = inspect(engine)
    with engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            present = {column["name"] for column in inspector.get_columns(table.name)}
            for column in table.columns:
                if column.name not in present:
                    wanted = CreateColumn(column).compile(engine)
                    connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {wanted}"))
                    for index in table.indexes:
                        if list(index.columns) == [column]:
                            index.create(connection)


def _open_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed)

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def audit(session: Session, *, actor: str, address: str, action: str, subject: str = "") -> None:
    """Note, in the transaction at hand, who did what."""
    session.add(AuditEntry(actor=actor, address=address, action=action, subject=subject[:200]))
