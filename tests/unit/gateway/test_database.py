"""A database of an earlier release is brought up to date without losing anything."""

from pathlib import Path

from sqlalchemy import create_engine, text

from services.gateway.database import Database
from services.gateway.tables import Person


async def test_missing_columns_are_added_with_their_defaults(tmp_path: Path) -> None:
    """People of before are neither ignored nor lost."""
    url = f"sqlite:///{tmp_path}/old.sqlite"
    with create_engine(url).begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE people (person_id VARCHAR(40) PRIMARY KEY, name VARCHAR(200), notes VARCHAR,"
                " consent_note VARCHAR, demo_note VARCHAR, active BOOLEAN, created_at DATETIME)"
            )
        )
        connection.execute(
            text("INSERT INTO people VALUES ('p1', 'Ada', '', '', NULL, 1, '2026-01-01 00:00:00.000000')")
        )
    database = Database(url)
    await database.create_tables()
    await database.create_tables()
    ada = await database.run(lambda session: session.get(Person, "p1"))
    await database.close()
    assert ada is not None
    assert (ada.name, ada.active, ada.ignored, ada.from_stranger_id) == ("Ada", True, False, None)
