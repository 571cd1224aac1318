"""Deletes what is older than it may become."""

from datetime import datetime

from bot.messages import ConversationKey
from bot.storage.database import Database
from bot.storage.timestamp import to_ms
from bot.storage.unbroken import unbroken

_OLD = "created_ms < :before AND status <> 'pending'"


class Retention:
    """Over the tables `turns`, `summaries` and `conversations`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def apply(self, before: datetime) -> set[ConversationKey]:
        """Delete every message from before that time with its reply, down to the bytes in the file.

        Returns the conversations that they were in. A summary goes with the first message that it covers, and a
        conversation with its last. Records of `/extract` are kept: somebody works with them. A cancel does not stop it
        half way.
        """
        return await unbroken(self._apply(before))

    async def _apply(self, before: datetime) -> set[ConversationKey]:
        limit = to_ms(before)
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "SELECT DISTINCT adapter, chat, thread, user FROM conversations WHERE id IN "  # noqa: S608 - a literal above
                f"(SELECT conversation_id FROM turns WHERE {_OLD})",
                before=limit,
            )
            if not rows:
                return set()
            await transaction.run(
                "DELETE FROM summaries WHERE conversation_id IN "  # noqa: S608 - a literal above
                f"(SELECT conversation_id FROM turns WHERE {_OLD})",
                before=limit,
            )
            await transaction.run(f"DELETE FROM turns WHERE {_OLD}", before=limit)  # noqa: S608 - a literal above
            await transaction.run(
                "DELETE FROM conversations WHERE created_ms < :before AND id NOT IN "
                "(SELECT conversation_id FROM turns)",
                before=limit,
            )
        await self._database.erase_deleted()
        return {ConversationKey(**dict(row)) for row in rows}
