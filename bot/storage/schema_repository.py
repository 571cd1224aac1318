"""Schemas that people have saved for themselves."""

import sqlite3

from bot.storage.database import Database
from bot.storage.records import SavedSchema
from bot.storage.timestamp import from_ms, now_ms

_PUT = """
    INSERT INTO extraction_schemas (adapter, user, name, definition, created_ms)
    VALUES (:adapter, :user, :name, :definition, :now)
    ON CONFLICT (adapter, user, name) DO UPDATE SET
        name = excluded.name, definition = excluded.definition, created_ms = excluded.created_ms
    RETURNING *
"""


class SchemaRepository:
    """The table `extraction_schemas`. Names differ by more than case. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, *, adapter: str, user: str, name: str, definition: str) -> SavedSchema:
        """Save a schema in the short language, in place of one of that name."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                _PUT, adapter=adapter, user=user, name=name, definition=definition, now=now_ms()
            )
            return _saved(rows[0])

    async def of(self, adapter: str, user: str) -> list[SavedSchema]:
        """All that a person has saved, by name."""
        rows = await self._database.fetch(
            "SELECT * FROM extraction_schemas WHERE adapter = :adapter AND user = :user ORDER BY name",
            adapter=adapter,
            user=user,
        )
        return [_saved(row) for row in rows]

    async def delete(self, *, adapter: str, user: str, name: str) -> bool:
        """Whether there was one of that name."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "DELETE FROM extraction_schemas "
                "WHERE adapter = :adapter AND user = :user AND name = :name RETURNING id",
                adapter=adapter,
                user=user,
                name=name,
            )
        return bool(rows)


def _saved(row: sqlite3.Row) -> SavedSchema:
    return SavedSchema(name=row["name"], definition=row["definition"], created_at=from_ms(row["created_ms"]))
