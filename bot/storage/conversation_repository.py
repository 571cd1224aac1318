"""Conversations: which one a person is in, and how all of a person's are forgotten."""

import sqlite3

from bot.errors import StorageError
from bot.messages import ConversationKey
from bot.storage.database import Database
from bot.storage.records import Conversation
from bot.storage.timestamp import from_ms, now_ms
from bot.storage.transaction import Transaction
from bot.storage.unbroken import unbroken

_CURRENT = """
    SELECT * FROM conversations
    WHERE adapter = :adapter AND chat = :chat AND thread = :thread AND user = :user
    ORDER BY id DESC LIMIT 1
"""
_INSERT = """
    INSERT INTO conversations (adapter, chat, thread, user, persona, created_ms)
    VALUES (:adapter, :chat, :thread, :user, :persona, :now)
    RETURNING *
"""

_SHARED = """
    SELECT * FROM conversations WHERE adapter = :adapter AND user = '' AND id IN (
        SELECT conversation_id FROM turns WHERE user = :user
    )
    ORDER BY id
"""
# In summaries nobody can tell any more who said what, so they go as a whole.
_DELETE_ANSWERS = "DELETE FROM answers WHERE adapter = :adapter AND user = :user AND chat = :chat AND thread = :thread"
_FORGET = (
    "DELETE FROM answers WHERE adapter = :adapter AND user = :user",
    """
    DELETE FROM summaries WHERE conversation_id IN (
        SELECT conversations.id FROM conversations JOIN turns ON conversation_id = conversations.id
        WHERE adapter = :adapter AND conversations.user = '' AND turns.user = :user
    )
    """,
    """
    DELETE FROM turns WHERE user = :user AND conversation_id IN (
        SELECT id FROM conversations WHERE adapter = :adapter AND user = ''
    )
    """,
)
_STILL_CURRENT = """
    SELECT * FROM conversations AS this WHERE id = :id AND NOT EXISTS (
        SELECT 1 FROM conversations AS later
        WHERE later.adapter = this.adapter AND later.user = this.user AND later.chat = this.chat
            AND later.thread = this.thread AND later.id > this.id
    )
"""
# The turns and summaries go with their conversations: ON DELETE CASCADE.
_DELETE_RECORDS = (
    "DELETE FROM extractions WHERE adapter = :adapter AND user = :user",
    "DELETE FROM extraction_schemas WHERE adapter = :adapter AND user = :user",
)
_DELETE_USER = "DELETE FROM conversations WHERE adapter = :adapter AND user = :user RETURNING id"
_DELETE_KEY = """
    DELETE FROM conversations
    WHERE adapter = :adapter AND user = :user AND chat = :chat AND thread = :thread
    RETURNING id
"""
_KEEP_ONE_SUMMARY = """
    DELETE FROM summaries WHERE conversation_id = :conversation AND id <> coalesce(
        :summary,
        (SELECT id FROM summaries WHERE conversation_id = :conversation ORDER BY through_turn DESC, id DESC LIMIT 1)
    )
"""


class ConversationRepository:
    """The table `conversations`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, key: ConversationKey, *, default_persona: str) -> Conversation:
        """The latest conversation of `key`; a new one with `default_persona` where there is none."""
        found = await self.find(key)
        if found is not None:
            return found
        # An empty one need not outlive a power cut: it is begun again.
        async with self._database.transaction(synced=False) as transaction:
            # Looked up again: another message of the same person may have come in between.
            rows = await transaction.run(_CURRENT, adapter=key.adapter, chat=key.chat, thread=key.thread, user=key.user)
            return _conversation(rows[0]) if rows else await _insert(transaction, key, default_persona)

    async def still_current(self, conversation_id: int) -> Conversation | None:
        """The conversation as it is now; None where it was deleted or another has taken its place."""
        rows = await self._database.fetch(_STILL_CURRENT, id=conversation_id)
        return _conversation(rows[0]) if rows else None

    async def find(self, key: ConversationKey) -> Conversation | None:
        """The latest conversation of `key`; none is begun."""
        rows = await self._database.fetch(
            _CURRENT, adapter=key.adapter, chat=key.chat, thread=key.thread, user=key.user
        )
        return _conversation(rows[0]) if rows else None

    async def start_new(self, key: ConversationKey, *, persona: str) -> Conversation:
        """An empty conversation that is the current one of `key` from now on."""
        async with self._database.transaction() as transaction:
            return await _insert(transaction, key, persona)

    async def set_persona(self, conversation_id: int, persona: str) -> None:
        """From the next turn on, `persona` answers."""
        async with self._database.transaction() as transaction:
            await _set(transaction, "persona", conversation_id, persona)

    async def set_title(self, conversation_id: int, title: str) -> None:
        """What the person calls it; empty for nothing."""
        async with self._database.transaction() as transaction:
            await _set(transaction, "title", conversation_id, title)

    async def set_context_start(self, conversation_id: int, turn_id: int, *, summary_id: int | None = None) -> None:
        """From now on the model is shown the turns from `turn_id` on and, before them, the summary, if there is one.

        A summary that is shown no more waits for the next cut, unless a later one does.
        """
        async with self._database.transaction() as transaction:
            await _set(transaction, "context_start", conversation_id, turn_id)
            # Two steps, because of the unique index: first one summary is left, then it is marked.
            await transaction.run(_KEEP_ONE_SUMMARY, conversation=conversation_id, summary=summary_id)
            await transaction.run(
                "UPDATE summaries SET shown = :shown WHERE conversation_id = :conversation",
                shown=summary_id is not None,
                conversation=conversation_id,
            )

    async def of_user(self, adapter: str, user: str) -> list[Conversation]:
        """Every conversation of one person in all chats, oldest first."""
        rows = await self._database.fetch(
            "SELECT * FROM conversations WHERE adapter = :adapter AND user = :user ORDER BY id",
            adapter=adapter,
            user=user,
        )
        return [_conversation(row) for row in rows]

    async def shared_with(self, adapter: str, user: str) -> list[Conversation]:
        """Conversations of several people in which this one has said something, oldest first."""
        rows = await self._database.fetch(_SHARED, adapter=adapter, user=user)
        return [_conversation(row) for row in rows]

    async def move_chat(self, adapter: str, old: str, new: str) -> None:
        """The chat goes on under another id, and is known to have had the old one."""
        async with self._database.transaction() as transaction:
            for table in ("conversations", "answers", "chat_moves"):
                await transaction.run(
                    f"UPDATE {table} SET chat = :new WHERE adapter = :adapter AND chat = :old",  # noqa: S608 - literals
                    adapter=adapter,
                    old=old,
                    new=new,
                )
            await transaction.run(
                "INSERT OR REPLACE INTO chat_moves (adapter, former, chat) VALUES (:adapter, :old, :new)",
                adapter=adapter,
                old=old,
                new=new,
            )

    async def all(self) -> list[Conversation]:
        """Every conversation of everybody, oldest first."""
        return [_conversation(row) for row in await self._database.fetch("SELECT * FROM conversations ORDER BY id")]

    async def forget_user(self, adapter: str, user: str) -> int:
        """Delete everything one person has in all chats, down to the bytes in the files; return how many conversations.

        Of a conversation that several people share, what this one has said goes, with the replies to it.
        Takes a while in a large database, and others wait for it. A cancel does not stop it half way.
        """
        return await unbroken(self._delete(*_FORGET, *_DELETE_RECORDS, _DELETE_USER, adapter=adapter, user=user))

    async def delete(self, key: ConversationKey) -> int:
        """Delete every conversation of `key`, as `forget_user` does; return how many there were."""
        values = {"adapter": key.adapter, "user": key.user, "chat": key.chat, "thread": key.thread}
        return await unbroken(self._delete(_DELETE_ANSWERS, _DELETE_KEY, **values))

    async def _delete(self, *statements: str, **values: str) -> int:
        """Run them; the last one returns the conversations."""
        rows: list[sqlite3.Row] = []
        async with self._database.transaction() as transaction:
            for statement in statements:
                rows = await transaction.run(statement, **values)
        await self._database.erase_deleted()
        return len(rows)


async def _set(transaction: Transaction, column: str, conversation_id: int, value: str | int) -> None:
    rows = await transaction.run(
        f"UPDATE conversations SET {column} = :value WHERE id = :id RETURNING id",  # noqa: S608 - a literal above
        value=value,
        id=conversation_id,
    )
    if not rows:
        raise StorageError(f"conversation {conversation_id} was deleted meanwhile")


async def _insert(transaction: Transaction, key: ConversationKey, persona: str) -> Conversation:
    rows = await transaction.run(
        _INSERT,
        adapter=key.adapter,
        chat=key.chat,
        thread=key.thread,
        user=key.user,
        persona=persona,
        now=now_ms(),
    )
    return _conversation(rows[0])


def _conversation(row: sqlite3.Row) -> Conversation:
    return Conversation(
        id=row["id"],
        key=ConversationKey(adapter=row["adapter"], chat=row["chat"], thread=row["thread"], user=row["user"]),
        persona=row["persona"],
        context_start=row["context_start"],
        created_at=from_ms(row["created_ms"]),
        title=row["title"],
    )
