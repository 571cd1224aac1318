"""Conversations as a list to choose from."""

import sqlite3
from collections.abc import Sequence

from bot.storage.database import Database
from bot.storage.records import ListedConversation
from bot.storage.timestamp import from_ms

_LIST = """
    SELECT this.chat, this.thread, this.title, this.persona, max(turns.created_ms) AS changed_ms, (
        SELECT text FROM turns WHERE conversation_id = this.id AND status <> 'discarded' ORDER BY id LIMIT 1
    ) AS first_text
    FROM conversations AS this
    JOIN turns ON turns.conversation_id = this.id AND turns.status <> 'discarded'
    WHERE this.adapter = :adapter AND this.user = :user
        AND NOT EXISTS (
            SELECT 1 FROM conversations AS later
            WHERE later.adapter = this.adapter AND later.user = this.user AND later.chat = this.chat
                AND later.thread = this.thread AND later.id > this.id
        )
        AND (
            :search = ''
            OR instr(casefold(this.title), :search)
            OR EXISTS (
                SELECT 1 FROM turns AS said WHERE said.conversation_id = this.id AND said.status <> 'discarded'
                    AND (instr(casefold(said.text), :search) OR instr(casefold(coalesce(said.reply, '')), :search))
            )
        )
    GROUP BY this.id
    ORDER BY max(turns.id) DESC
    LIMIT :limit
"""


class HeadingRepository:
    """Reads `conversations` with their turns. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, adapter: str, user: str, *, search: str, limit: int) -> Sequence[ListedConversation]:
        """The current conversations that have a turn, latest first; with `search`, those that hold this text.

        The case of letters makes no difference.
        """
        rows = await self._database.fetch(_LIST, adapter=adapter, user=user, search=search.casefold(), limit=limit)
        return [_listed(row) for row in rows]


def _listed(row: sqlite3.Row) -> ListedConversation:
    return ListedConversation(
        chat=row["chat"],
        thread=row["thread"],
        title=row["title"],
        first_text=row["first_text"],
        persona=row["persona"],
        changed_at=from_ms(row["changed_ms"]),
    )
