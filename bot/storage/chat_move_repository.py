"""Chats whose platform gave them another id."""

from bot.storage.database import Database


class ChatMoveRepository:
    """Knows under which ids a chat was known before. `ConversationRepository.move_chat` writes it down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def former_ids(self, adapter: str, chat: str) -> list[str]:
        """Every id that this chat had. Raises `StorageError`."""
        rows = await self._database.fetch(
            "SELECT former FROM chat_moves WHERE adapter = :adapter AND chat = :chat ORDER BY former",
            adapter=adapter,
            chat=chat,
        )
        return [row["former"] for row in rows]
