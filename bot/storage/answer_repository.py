"""Answers that people wait for: the line and the outbox, so that neither is lost with the process."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import timedelta

from bot.messages import IncomingMessage
from bot.storage.database import Database
from bot.storage.owed_answer import OwedAnswer, SentPart
from bot.storage.timestamp import from_ms, now_ms
from bot.storage.transaction import Transaction

_RECEIVE = """
    INSERT INTO answers (
        adapter, chat, thread, user, direct, scope, message_id, pressed, text, sender_name, edited, unread, received_ms
    )
    SELECT
        :adapter, :chat, :thread, :user, :direct, :scope, :message_id, :pressed, :text, :sender_name, :edited, :unread,
        :now
    WHERE :edited OR NOT EXISTS (
        SELECT 1 FROM answers WHERE adapter = :adapter AND chat = :chat AND message_id = :message_id
    )
    RETURNING id
"""
# The text is in its turn, and the reply too: what is kept here is only for telling a copy, and whose a button is.
_CLOSE = """
    UPDATE answers SET state = :state, text = '', reply = NULL, unread = '[]', button_id = :button WHERE id = :id
"""
_FINISH = """
    UPDATE answers SET
        state = 'finished', reply = :reply, error = :error, turn_id = coalesce(:turn_id, turn_id), finished_ms = :now
    WHERE id = :id
"""
_LATEST_WITH = """
    SELECT * FROM answers AS this
    WHERE adapter = :adapter AND chat = :chat AND button_id = :message_id AND NOT EXISTS (
        SELECT 1 FROM answers AS later WHERE later.turn_id = this.turn_id AND later.id > this.id
    )
    ORDER BY id DESC LIMIT 1
"""
_KEPT = timedelta(hours=48)
"""Longer than any platform hands out a message again (Telegram: 24 h)."""


class AnswerRepository:
    """The table `answers`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.delivered = self.dropped = 0
        """Answers that ended so in this process."""

    async def receive(self, message: IncomingMessage, *, synced: bool = True) -> int | None:
        """Store a message that was accepted, and return the id of its answer; None for one that was stored before.

        `synced` waits until a power cut does not undo that, as `sync` does.
        """
        rows = await self._database.write(
            _RECEIVE,
            synced=synced,
            adapter=message.adapter,
            chat=message.chat,
            thread=message.thread,
            user=message.user,
            direct=message.direct,
            scope=message.scope,
            message_id=message.message_id,
            pressed=message.pressed,
            text=message.text,
            sender_name=message.sender_name,
            edited=message.edited,
            unread=json.dumps([attachment.name for attachment in message.attachments]),
            now=now_ms(),
        )
        return rows[0]["id"] if rows else None

    async def sync(self) -> None:
        """Return when a power cut does not undo what was stored before."""
        await self._database.sync()

    async def change(self, answer_id: int, text: str) -> None:
        """The message has become another while it waited: edited, joined, or with its attachments read."""
        await self._database.write(
            "UPDATE answers SET text = :text, unread = '[]' WHERE id = :id", id=answer_id, text=text
        )

    async def finish(self, answer_id: int, *, reply: str, error: str | None = None) -> None:
        """Store what is to be shown."""
        async with self._database.transaction() as transaction:
            await finish_answer(transaction, answer_id, reply=reply, error=error)

    async def note_sent(self, answer_id: int, sent: Sequence[SentPart], *, unsure: bool) -> None:
        """Store what is on the platform. `unsure` before a message is sent, until it is known to be there."""
        await self._database.write(
            "UPDATE answers SET sent = :sent, unsure = :unsure WHERE id = :id",
            synced=unsure,  # where the doubt is on the disk, a power cut before the rest is leaves a mark
            id=answer_id,
            sent=json.dumps([[part.message_id, part.start] for part in sent]),
            unsure=unsure,
        )

    async def close(self, answer_id: int, *, delivered: bool, button_id: str | None = None) -> None:
        """There is nothing more to do. `button_id` is the message with the buttons."""
        await self._database.write(
            _CLOSE, synced=False, id=answer_id, state="delivered" if delivered else "dropped", button=button_id
        )
        self.delivered, self.dropped = self.delivered + delivered, self.dropped + (not delivered)

    async def drop_chat(self, adapter: str, chat: str, thread: str = "") -> int:
        """Nothing can be delivered in this chat, or in one thread of it, any more; return how many answers that is."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "UPDATE answers SET state = 'dropped', text = '', reply = NULL "
                "WHERE adapter = :adapter AND chat = :chat AND :thread IN ('', thread) "
                "AND state NOT IN ('delivered', 'dropped') RETURNING id",
                adapter=adapter,
                chat=chat,
                thread=thread,
            )
        self.dropped += len(rows)
        return len(rows)

    async def owed(self, adapter: str) -> list[OwedAnswer]:
        """What is not done yet on one platform, oldest first."""
        rows = await self._database.fetch(
            "SELECT * FROM answers WHERE adapter = :adapter AND state NOT IN ('delivered', 'dropped') ORDER BY id",
            adapter=adapter,
        )
        return [_answer(row) for row in rows]

    async def get(self, answer_id: int) -> OwedAnswer | None:
        """One of them; None where it was deleted."""
        rows = await self._database.fetch("SELECT * FROM answers WHERE id = :id", id=answer_id)
        return _answer(rows[0]) if rows else None

    async def under(self, adapter: str, chat: str, message_id: str) -> OwedAnswer | None:
        """The answer whose buttons are under this message; None where its turn has been answered again since."""
        rows = await self._database.fetch(_LATEST_WITH, adapter=adapter, chat=chat, message_id=message_id)
        return _answer(rows[0]) if rows else None

    async def prune(self) -> None:
        """Delete what was done long ago, except the last of each turn, whose buttons may still be pressed."""
        async with self._database.transaction() as transaction:
            await transaction.run(
                "DELETE FROM answers WHERE received_ms < :before AND state IN ('delivered', 'dropped') "
                "AND (button_id IS NULL OR id NOT IN (SELECT max(id) FROM answers WHERE button_id IS NOT NULL "
                "GROUP BY adapter, chat, thread))",
                before=now_ms() - _KEPT // timedelta(milliseconds=1),
            )


async def finish_answer(
    transaction: Transaction, answer_id: int, *, reply: str, error: str | None = None, turn_id: int | None = None
) -> None:
    """Store what is to be shown, in the transaction that stores the reply itself."""
    await transaction.run(_FINISH, id=answer_id, reply=reply, error=error, turn_id=turn_id, now=now_ms())


async def begin_answer(transaction: Transaction, answer_id: int, *, turn_id: int) -> None:
    """Note which turn it is, in the transaction that begins it."""
    await transaction.run(
        "UPDATE answers SET state = 'writing', turn_id = :turn_id WHERE id = :id", id=answer_id, turn_id=turn_id
    )


def _answer(row: sqlite3.Row) -> OwedAnswer:
    finished_ms: int | None = row["finished_ms"]
    return OwedAnswer(
        id=row["id"],
        message=IncomingMessage(
            adapter=row["adapter"],
            chat=row["chat"],
            thread=row["thread"],
            user=row["user"],
            direct=bool(row["direct"]),
            scope=row["scope"],
            message_id=row["message_id"],
            pressed=row["pressed"],
            text=row["text"],
            sender_name=row["sender_name"],
            edited=bool(row["edited"]),
        ),
        unread=tuple(json.loads(row["unread"])),
        state=row["state"],
        turn_id=row["turn_id"],
        reply=row["reply"],
        error=row["error"],
        sent=tuple(SentPart(message_id=message_id, start=start) for message_id, start in json.loads(row["sent"])),
        unsure=bool(row["unsure"]),
        received_at=from_ms(row["received_ms"]),
        finished_at=None if finished_ms is None else from_ms(finished_ms),
    )
