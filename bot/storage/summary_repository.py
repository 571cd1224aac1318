"""Summaries of the turns that a conversation has outgrown."""

import sqlite3

from bot.errors import StorageError
from bot.storage.database import Database
from bot.storage.records import Summary
from bot.storage.timestamp import from_ms, now_ms

_INSERT = """
    INSERT INTO summaries (conversation_id, through_turn, text, created_ms)
    SELECT id, :through_turn, :text, :now FROM conversations WHERE id = :conversation
    ON CONFLICT (conversation_id, shown) DO UPDATE SET
        through_turn = excluded.through_turn, text = excluded.text, created_ms = excluded.created_ms
    RETURNING *
"""


class SummaryRepository:
    """The table `summaries`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, conversation_id: int) -> list[Summary]:
        """The one that is shown and the one that waits, as far as there are any; what covers most is the last."""
        rows = await self._database.fetch(
            "SELECT * FROM summaries WHERE conversation_id = :conversation ORDER BY through_turn, id",
            conversation=conversation_id,
        )
        return [_summary(row) for row in rows]

    async def put(self, conversation_id: int, *, through_turn: int, text: str) -> Summary:
        """Store a summary of all turns up to `through_turn`.

        One that waits is changed and keeps its id: whoever is about to show it shows the new one from the next turn on.
        """
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                _INSERT, conversation=conversation_id, through_turn=through_turn, text=text, now=now_ms()
            )
            if not rows:
                raise StorageError(f"conversation {conversation_id} was deleted before its summary could be stored")
            return _summary(rows[0])

    async def drop_from(self, conversation_id: int, turn_id: int) -> int:
        """Delete the summaries that cover this turn or one after it; return how many there were."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "DELETE FROM summaries WHERE conversation_id = :conversation AND through_turn >= :turn RETURNING id",
                conversation=conversation_id,
                turn=turn_id,
            )
        return len(rows)


def _summary(row: sqlite3.Row) -> Summary:
    return Summary(
        id=row["id"],
        conversation_id=row["conversation_id"],
        through_turn=row["through_turn"],
        text=row["text"],
        shown=bool(row["shown"]),
        created_at=from_ms(row["created_ms"]),
    )
