"""Records that were read out of texts."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from bot.storage.database import Database
from bot.storage.records import Record
from bot.storage.timestamp import from_ms, now_ms

_INSERT = """
    INSERT INTO extractions (
        adapter, user, schema, version, source, source_hash, text, value, grounding, model, created_ms
    )
    VALUES (:adapter, :user, :schema, :version, :source, :source_hash, :text, :value, :grounding, :model, :now)
    RETURNING *
"""
_OF_USER = """
    SELECT * FROM extractions
    WHERE (:adapter IS NULL OR adapter = :adapter) AND (:user IS NULL OR user = :user)
        AND (:schema IS NULL OR schema = :schema COLLATE NOCASE)
    ORDER BY id
"""


class RecordRepository:
    """The table `extractions`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(
        self,
        *,
        adapter: str,
        user: str,
        schema: str,
        version: str,
        source: str,
        source_hash: str,
        text: str,
        value: Any,
        grounding: Sequence[Any],
        model: str,
    ) -> Record:
        """Keep what was read out of a text. `source` is where the text came from, for people."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                _INSERT,
                adapter=adapter,
                user=user,
                schema=schema,
                version=version,
                source=source,
                source_hash=source_hash,
                text=text,
                value=json.dumps(value, ensure_ascii=False),
                grounding=json.dumps(grounding, ensure_ascii=False),
                model=model,
                now=now_ms(),
            )
            return _record(rows[0])

    async def of(
        self, *, adapter: str | None = None, user: str | None = None, schema: str | None = None
    ) -> list[Record]:
        """The records of one person, or of everybody, oldest first; of one schema, or of all."""
        rows = await self._database.fetch(_OF_USER, adapter=adapter, user=user, schema=schema)
        return [_record(row) for row in rows]

    async def same(self, *, adapter: str, user: str, version: str, source_hash: str, model: str) -> Record | None:
        """What was read out of the very same text before, by the same schema and model."""
        rows = await self._database.fetch(
            "SELECT * FROM extractions WHERE adapter = :adapter AND user = :user AND version = :version "
            "AND source_hash = :source_hash AND model = :model ORDER BY id DESC LIMIT 1",
            adapter=adapter,
            user=user,
            version=version,
            source_hash=source_hash,
            model=model,
        )
        return _record(rows[0]) if rows else None


def _record(row: sqlite3.Row) -> Record:
    return Record(
        id=row["id"],
        adapter=row["adapter"],
        user=row["user"],
        schema=row["schema"],
        version=row["version"],
        source=row["source"],
        text=row["text"],
        value=json.loads(row["value"]),
        grounding=json.loads(row["grounding"]),
        model=row["model"],
        created_at=from_ms(row["created_ms"]),
    )
