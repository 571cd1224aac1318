"""Turns: every message of a person, stored before it is answered, and its reply with its outcome."""

import sqlite3

from bot.errors import StorageError
from bot.messages import ReplyFacts, Timings, Usage
from bot.storage.answer_repository import begin_answer, finish_answer
from bot.storage.database import Database
from bot.storage.records import Conversation, Totals, Turn
from bot.storage.timestamp import from_ms, now_ms

_INSERT = """
    INSERT INTO turns (conversation_id, message_id, user, sender_name, text, status, persona, created_ms)
    SELECT id, :message_id, coalesce(:user, user), :sender_name, :text, 'pending', :persona, :now
    FROM conversations WHERE id = :conversation_id
    RETURNING *
"""
_FINISH = """
    UPDATE turns SET
        status = 'done', reply = :reply, reasoning = :reasoning, error_code = NULL, finished_ms = :now,
        finish_reason = :finish_reason, prompt_tokens = :prompt_tokens, cached_tokens = :cached_tokens,
        completion_tokens = :completion_tokens, queue_ms = :queue_ms, prefill_ms = :prefill_ms, ttft_ms = :ttft_ms,
        decode_ms = :decode_ms
    WHERE id = :id AND status <> 'discarded'
    RETURNING id
"""
# Where a restarted turn still has its previous reply, that stands again.
_FAIL = """
    UPDATE turns SET
        status = CASE WHEN reply IS NULL THEN 'failed' ELSE 'done' END,
        error_code = CASE WHEN reply IS NULL THEN :error_code END,
        finished_ms = CASE WHEN reply IS NULL THEN :now ELSE finished_ms END
    WHERE id = :id AND status <> 'discarded'
    RETURNING id
"""
_RECOVER = """
    UPDATE turns SET status = CASE WHEN reply IS NULL THEN 'interrupted' ELSE 'done' END
    WHERE status = 'pending'
    RETURNING id
"""
_CHANGE_TEXT = """
    UPDATE turns SET
        text = :text, status = 'pending', reply = NULL, reasoning = '', finished_ms = NULL, finish_reason = NULL,
        prompt_tokens = NULL, cached_tokens = NULL, completion_tokens = NULL, queue_ms = NULL, prefill_ms = NULL,
        ttft_ms = NULL, decode_ms = NULL
    WHERE id = :id AND text <> :text AND status <> 'discarded'
"""
_RESTART = """
    UPDATE turns SET
        status = 'pending', error_code = NULL, persona = coalesce(:persona, persona),
        finished_ms = CASE WHEN reply IS NULL THEN NULL ELSE finished_ms END
    WHERE id = :id AND status <> 'discarded'
    RETURNING *
"""
_TOTALS = """
    SELECT
        count(DISTINCT conversations.id) AS conversations,
        count(turns.id) AS turns,
        coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
        coalesce(sum(cached_tokens), 0) AS cached_tokens,
        coalesce(sum(completion_tokens), 0) AS completion_tokens,
        total(decode_ms) AS decode_ms
    FROM conversations
    LEFT JOIN turns ON turns.conversation_id = conversations.id AND turns.status <> 'discarded'
    WHERE adapter = :adapter AND (conversations.user = :user OR (conversations.user = '' AND turns.user = :user))
"""


class TurnRepository:
    """The table `turns`. Every method raises `StorageError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self,
        conversation_id: int,
        *,
        message_id: str,
        sender_name: str,
        text: str,
        persona: str,
        user: str | None = None,
        answer: int | None = None,
    ) -> Turn:
        """Store a message that is about to be answered by `persona`.

        `user` is the sender, where the conversation is not theirs alone; `answer` the id of the answer that is owed.
        A power cut may undo it: then the message waits as before.
        """
        async with self._database.transaction(synced=answer is None) as transaction:
            rows = await transaction.run(
                _INSERT,
                conversation_id=conversation_id,
                message_id=message_id,
                user=user,
                sender_name=sender_name,
                text=text,
                persona=persona,
                now=now_ms(),
            )
            if not rows:
                raise StorageError(f"conversation {conversation_id} was deleted before its message could be stored")
            if answer is not None:
                await begin_answer(transaction, answer, turn_id=rows[0]["id"])
            return _turn(rows[0])

    async def finish(
        self,
        turn_id: int,
        *,
        reply: str,
        reasoning: str,
        facts: ReplyFacts,
        answer: int | None = None,
        shown: str = "",
    ) -> bool:
        """Store the reply, in place of an earlier one; a continued reply comes here as one joined text.

        `answer` is the answer that is owed, and `shown` what is to be shown for it.
        False where there is nothing to store it in: the turn was discarded or deleted while the reply was written.
        """
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                _FINISH,
                id=turn_id,
                reply=reply,
                reasoning=reasoning,
                now=now_ms(),
                finish_reason=facts.finish_reason,
                prompt_tokens=facts.usage.prompt_tokens,
                cached_tokens=facts.usage.cached_tokens,
                completion_tokens=facts.usage.completion_tokens,
                queue_ms=facts.timings.queue_ms,
                prefill_ms=facts.timings.prefill_ms,
                ttft_ms=facts.timings.ttft_ms,
                decode_ms=facts.timings.decode_ms,
            )
            if rows and answer is not None:
                await finish_answer(transaction, answer, reply=shown, turn_id=turn_id)
        return bool(rows)

    async def fail(self, turn_id: int, *, error_code: str) -> bool:
        """Note that no reply came of the turn. One that has a reply, from before `restart`, is done again with it.

        False where the turn was discarded or deleted meanwhile.
        """
        async with self._database.transaction() as transaction:
            return bool(await transaction.run(_FAIL, id=turn_id, error_code=error_code, now=now_ms()))

    async def restart(self, turn_id: int, *, text: str | None = None, persona: str | None = None) -> Turn:
        """Make the turn pending again, to be answered anew, by `persona` where one is given.

        The previous reply is kept until `finish` replaces it. A `text` that differs replaces the person's message and
        drops the reply at once, as nobody asked for what it answers any more.
        """
        async with self._database.transaction() as transaction:
            if text is not None:
                await transaction.run(_CHANGE_TEXT, id=turn_id, text=text)
            rows = await transaction.run(_RESTART, id=turn_id, persona=persona)
            if not rows:
                raise StorageError(f"turn {turn_id} was discarded or deleted before it could be answered again")
            return _turn(rows[0])

    async def context(self, conversation: Conversation) -> list[Turn]:
        """The exchanges that the model is shown, oldest first."""
        rows = await self._database.fetch(
            "SELECT * FROM turns WHERE conversation_id = :conversation AND id >= :start AND status = 'done' "
            "ORDER BY id",
            conversation=conversation.id,
            start=conversation.context_start,
        )
        return [_turn(row) for row in rows]

    async def answered(self, conversation_id: int, *, after: int, through: int) -> list[Turn]:
        """The exchanges after one turn's id and up to another's, oldest first, shown to the model or not."""
        rows = await self._database.fetch(
            "SELECT * FROM turns WHERE conversation_id = :conversation AND id > :after AND id <= :through "
            "AND status = 'done' ORDER BY id",
            conversation=conversation_id,
            after=after,
            through=through,
        )
        return [_turn(row) for row in rows]

    async def all(self, conversation_id: int) -> list[Turn]:
        """Every turn that was not discarded, oldest first."""
        rows = await self._database.fetch(
            "SELECT * FROM turns WHERE conversation_id = :conversation AND status <> 'discarded' ORDER BY id",
            conversation=conversation_id,
        )
        return [_turn(row) for row in rows]

    async def last(self, conversation_id: int) -> Turn | None:
        """The latest turn that was not discarded."""
        rows = await self._database.fetch(
            "SELECT * FROM turns WHERE conversation_id = :conversation AND status <> 'discarded' "
            "ORDER BY id DESC LIMIT 1",
            conversation=conversation_id,
        )
        return _turn(rows[0]) if rows else None

    async def by_message(self, conversation_id: int, message_id: str) -> Turn | None:
        """The latest turn of the platform's message `message_id` that was not discarded."""
        rows = await self._database.fetch(
            "SELECT * FROM turns WHERE conversation_id = :conversation AND message_id = :message "
            "AND status <> 'discarded' ORDER BY id DESC LIMIT 1",
            conversation=conversation_id,
            message=message_id,
        )
        return _turn(rows[0]) if rows else None

    async def discard_from(self, conversation_id: int, turn_id: int) -> int:
        """Take back `turn_id` and every turn after it; return how many were."""
        async with self._database.transaction() as transaction:
            rows = await transaction.run(
                "UPDATE turns SET status = 'discarded' "
                "WHERE conversation_id = :conversation AND id >= :turn AND status <> 'discarded' RETURNING id",
                conversation=conversation_id,
                turn=turn_id,
            )
        return len(rows)

    async def recover(self) -> int:
        """Settle the turns that a dead process left pending; return how many. For the start of the program.

        They become interrupted, or done with their previous reply. Where they are another living process's, no harm
        is done: its `finish` and `fail` still find them.
        """
        async with self._database.transaction() as transaction:
            return len(await transaction.run(_RECOVER))

    async def totals(self, adapter: str, user: str) -> Totals:
        """What one person has used in all chats."""
        row = (await self._database.fetch(_TOTALS, adapter=adapter, user=user))[0]
        return Totals(**dict(row))


def _turn(row: sqlite3.Row) -> Turn:
    finished_ms: int | None = row["finished_ms"]
    return Turn(
        id=row["id"],
        conversation_id=row["conversation_id"],
        message_id=row["message_id"],
        user=row["user"],
        sender_name=row["sender_name"],
        text=row["text"],
        status=row["status"],
        reply=row["reply"],
        reasoning=row["reasoning"],
        facts=None if row["reply"] is None else _facts(row),
        error_code=row["error_code"],
        persona=row["persona"],
        created_at=from_ms(row["created_ms"]),
        finished_at=None if finished_ms is None else from_ms(finished_ms),
    )


def _facts(row: sqlite3.Row) -> ReplyFacts:
    # float(): SQLite keeps a whole REAL as an integer in the file, and RETURNING hands it out like that.
    return ReplyFacts(
        finish_reason=row["finish_reason"],
        usage=Usage(
            prompt_tokens=row["prompt_tokens"],
            cached_tokens=row["cached_tokens"],
            completion_tokens=row["completion_tokens"],
        ),
        timings=Timings(
            queue_ms=float(row["queue_ms"]),
            prefill_ms=float(row["prefill_ms"]),
            ttft_ms=float(row["ttft_ms"]),
            decode_ms=float(row["decode_ms"]),
        ),
    )
