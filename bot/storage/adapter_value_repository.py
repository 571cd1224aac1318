"""What adapters must still know after a restart."""

from collections.abc import Mapping
from datetime import datetime

from bot.storage.database import Database
from bot.storage.timestamp import now_ms, to_ms

_GET = """
    SELECT text FROM adapter_values
    WHERE adapter = :adapter AND name = :name AND (until_ms IS NULL OR until_ms > :now)
"""
_ALL = """
    SELECT name, text FROM adapter_values
    WHERE adapter = :adapter AND substr(name, 1, length(:prefix)) = :prefix AND (until_ms IS NULL OR until_ms > :now)
    ORDER BY name
"""
_PUT = """
    INSERT INTO adapter_values (adapter, name, text, until_ms) VALUES (:adapter, :name, :text, :until)
    ON CONFLICT (adapter, name) DO UPDATE SET text = excluded.text, until_ms = excluded.until_ms
"""


class AdapterValueRepository:
    """The table `adapter_values`. An `AdapterStore`; every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, adapter: str, name: str) -> str | None:
        """The text; None where there is none, or its time is over."""
        rows = await self._database.fetch(_GET, adapter=adapter, name=name, now=now_ms())
        return rows[0]["text"] if rows else None

    async def all(self, adapter: str, prefix: str) -> Mapping[str, str]:
        """Every text whose name starts with `prefix`, by name."""
        rows = await self._database.fetch(_ALL, adapter=adapter, prefix=prefix, now=now_ms())
        return {row["name"]: row["text"] for row in rows}

    async def put(self, adapter: str, name: str, text: str, *, until: datetime | None = None) -> None:
        """Keep a text, in place of another of the same name. What is over is cleared away at the same time."""
        async with self._database.transaction() as transaction:
            await transaction.run("DELETE FROM adapter_values WHERE until_ms <= :now", now=now_ms())
            await transaction.run(
                _PUT, adapter=adapter, name=name, text=text, until=None if until is None else to_ms(until)
            )

    async def take(self, adapter: str, name: str) -> str | None:
        """As `get`, and it is gone then: of two who ask, one gets it."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "DELETE FROM adapter_values WHERE adapter = :adapter AND name = :name RETURNING text, until_ms",
                adapter=adapter,
                name=name,
            )
        living = [row for row in rows if row["until_ms"] is None or row["until_ms"] > now_ms()]
        return living[0]["text"] if living else None
