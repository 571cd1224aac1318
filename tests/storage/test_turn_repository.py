"""A turn's life: stored, answered or not, answered again, taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import StorageError
from bot.messages import FinishReason, ReplyFacts
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.records import Conversation, Totals, Turn
from bot.storage.turn_repository import TurnRepository

OpenDatabase = Callable[..., Awaitable[Database]]


@pytest.fixture
def begin(turns: TurnRepository, conversation: Conversation) -> Callable[..., Awaitable[Turn]]:
    """Begins a turn whose text and message id are given as one string."""

    async def begin_one(text: str) -> Turn:
        return await turns.begin(
            conversation.id, message_id=f"id of {text}", sender_name="Ada", text=text, persona="hearth"
        )

    return begin_one


Begin = Callable[..., Awaitable[Turn]]


async def stored(turns: TurnRepository, turn: Turn) -> Turn:
    """The turn as the database has it now."""
    return next(found for found in await turns.all(turn.conversation_id) if found.id == turn.id)


async def test_message_is_stored_before_it_is_answered(
    turns: TurnRepository, conversation: Conversation, begin: Begin
) -> None:
    """A new turn is pending, has everything of the message, and is not in the context yet."""
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    turn = await begin("hello")
    assert turn == Turn(
        id=turn.id,
        conversation_id=conversation.id,
        message_id="id of hello",
        user="42",
        sender_name="Ada",
        text="hello",
        status="pending",
        reply=None,
        reasoning="",
        facts=None,
        error_code=None,
        persona="hearth",
        created_at=turn.created_at,
        finished_at=None,
    )
    assert before <= turn.created_at <= datetime.now(UTC)
    assert await turns.last(conversation.id) == turn
    assert await turns.context(conversation) == []


@pytest.mark.parametrize("reason", ["stop", "length", "cancelled"])
async def test_reply_is_stored_with_its_outcome(
    reason: FinishReason, turns: TurnRepository, conversation: Conversation, begin: Begin, facts: ReplyFacts
) -> None:
    """Reply, thoughts and every figure come back as they were given, however the reply ended."""
    turn = await begin("hello")
    outcome = replace(facts, finish_reason=reason)
    assert await turns.finish(turn.id, reply="Good day.", reasoning="A greeting.", facts=outcome)
    found = await stored(turns, turn)
    assert found == replace(
        turn,
        status="done",
        reply="Good day.",
        reasoning="A greeting.",
        facts=outcome,
        finished_at=found.finished_at,
    )
    assert found.finished_at is not None
    assert turn.created_at <= found.finished_at <= datetime.now(UTC)
    assert await turns.context(conversation) == [found]


async def test_failed_turn_stays_out_of_the_context(
    turns: TurnRepository, conversation: Conversation, begin: Begin
) -> None:
    """A failed turn is in the history with its code, and leaves no half exchange in the context."""
    turn = await begin("hello")
    assert await turns.fail(turn.id, error_code="queue_full")
    found = await stored(turns, turn)
    assert (found.status, found.error_code, found.reply) == ("failed", "queue_full", None)
    assert found.finished_at is not None
    assert await turns.context(conversation) == []


async def test_retry_replaces_the_reply(
    turns: TurnRepository, conversation: Conversation, begin: Begin, facts: ReplyFacts
) -> None:
    """While a turn is answered anew it keeps its reply but is not in the context; then it has only the new one."""
    turn = await begin("hello")
    await turns.finish(turn.id, reply="old", reasoning="old thought", facts=facts)
    pending = await turns.restart(turn.id, persona="pirate")
    assert (pending.status, pending.reply, pending.facts, pending.persona) == ("pending", "old", facts, "pirate")
    assert await turns.context(conversation) == []
    await turns.finish(turn.id, reply="new", reasoning="", facts=replace(facts, finish_reason="length"))
    found = await stored(turns, turn)
    assert (found.status, found.reply, found.reasoning) == ("done", "new", "")
    assert found.facts == replace(facts, finish_reason="length")


async def test_failed_retry_keeps_the_reply(turns: TurnRepository, begin: Begin, facts: ReplyFacts) -> None:
    """When no new reply comes, the turn is exactly what it was before."""
    turn = await begin("hello")
    await turns.finish(turn.id, reply="old", reasoning="old thought", facts=facts)
    before = await stored(turns, turn)
    await turns.restart(turn.id)
    await turns.fail(turn.id, error_code="engine_lost")
    assert await stored(turns, turn) == before


async def test_retry_of_a_failed_turn_starts_afresh(turns: TurnRepository, begin: Begin) -> None:
    """The error of the first attempt does not stick to the second."""
    turn = await begin("hello")
    await turns.fail(turn.id, error_code="queue_full")
    assert await turns.restart(turn.id) == turn


async def test_edited_message_drops_its_reply(turns: TurnRepository, begin: Begin, facts: ReplyFacts) -> None:
    """The reply to a text that was changed is gone at once, so a failure afterwards pairs nothing that does not fit."""
    turn = await begin("hello")
    await turns.finish(turn.id, reply="old", reasoning="old thought", facts=facts)
    assert await turns.restart(turn.id, text="goodbye") == replace(turn, text="goodbye")
    await turns.fail(turn.id, error_code="queue_full")
    found = await stored(turns, turn)
    assert (found.text, found.status, found.reply, found.reasoning, found.facts) == (
        "goodbye",
        "failed",
        None,
        "",
        None,
    )


async def test_edit_without_a_change_keeps_the_reply(turns: TurnRepository, begin: Begin, facts: ReplyFacts) -> None:
    """Platforms report an edit when only a link preview came; that is a plain retry."""
    turn = await begin("hello")
    await turns.finish(turn.id, reply="old", reasoning="", facts=facts)
    assert (await turns.restart(turn.id, text="hello")).reply == "old"


async def test_continued_reply_is_one_text(turns: TurnRepository, begin: Begin, facts: ReplyFacts) -> None:
    """A reply that is written on replaces the shorter one without being pending in between."""
    turn = await begin("hello")
    await turns.finish(turn.id, reply="Once upon", reasoning="", facts=replace(facts, finish_reason="length"))
    assert await turns.finish(turn.id, reply="Once upon a time.", reasoning="", facts=facts)
    assert (await stored(turns, turn)).reply == "Once upon a time."


async def test_context_begins_where_it_is_told(
    conversations: ConversationRepository,
    turns: TurnRepository,
    conversation: Conversation,
    begin: Begin,
    facts: ReplyFacts,
) -> None:
    """Turns before the start are left out of the context and stay in the history, both oldest first."""
    made = [await begin(str(number)) for number in range(4)]
    for turn in made:
        await turns.finish(turn.id, reply="yes", reasoning="", facts=facts)
    await conversations.set_context_start(conversation.id, made[2].id)
    current = await conversations.current(conversation.key, default_persona="hearth")
    assert [turn.text for turn in await turns.context(current)] == ["2", "3"]
    assert [turn.text for turn in await turns.all(conversation.id)] == ["0", "1", "2", "3"]


async def test_conversations_do_not_mix(
    conversations: ConversationRepository,
    turns: TurnRepository,
    conversation: Conversation,
    begin: Begin,
    facts: ReplyFacts,
) -> None:
    """What is in one conversation is in no list of another, with the same message id and after taking back."""
    turn = await begin("hello")
    await turns.finish(turn.id, reply="yes", reasoning="", facts=facts)
    other = await conversations.start_new(conversation.key, persona="hearth")
    assert (await turns.context(other), await turns.all(other.id)) == ([], [])
    assert (await turns.last(other.id), await turns.by_message(other.id, turn.message_id)) == (None, None)
    assert await turns.discard_from(other.id, turn.id) == 0
    assert await turns.last(conversation.id) is not None


async def test_taken_back_turns_are_out_of_sight(
    turns: TurnRepository, conversation: Conversation, begin: Begin, facts: ReplyFacts
) -> None:
    """From the given turn on nothing is listed any more; what came before is the last turn again."""
    made = [await begin(str(number)) for number in range(4)]
    for turn in made[:3]:
        await turns.finish(turn.id, reply="yes", reasoning="", facts=facts)
    assert await turns.discard_from(conversation.id, made[1].id) == 3
    assert await turns.discard_from(conversation.id, made[1].id) == 0
    assert [turn.text for turn in await turns.all(conversation.id)] == ["0"]
    assert [turn.text for turn in await turns.context(conversation)] == ["0"]
    last = await turns.last(conversation.id)
    assert last is not None
    assert last.id == made[0].id
    assert await turns.by_message(conversation.id, made[1].message_id) is None


async def test_late_reply_does_not_bring_a_turn_back(
    conversations: ConversationRepository,
    turns: TurnRepository,
    conversation: Conversation,
    begin: Begin,
    facts: ReplyFacts,
) -> None:
    """A reply or failure that comes after its turn was taken back or deleted is dropped, and the caller is told."""
    taken_back, deleted = await begin("taken back"), await begin("deleted")
    await turns.discard_from(conversation.id, taken_back.id)
    for turn in (taken_back, deleted):
        assert not await turns.finish(turn.id, reply="late", reasoning="", facts=facts)
        assert not await turns.fail(turn.id, error_code="queue_full")
        with pytest.raises(StorageError, match=f"turn {turn.id} was discarded or deleted"):
            await turns.restart(turn.id, text="again")
        await conversations.forget_user("telegram", "42")


async def test_ids_are_never_given_again(
    conversations: ConversationRepository, turns: TurnRepository, conversation: Conversation, begin: Begin
) -> None:
    """After everything was deleted, the next turn has a new id: a late reply cannot land in a stranger's turn."""
    turn = await begin("hello")
    await conversations.forget_user("telegram", "42")
    fresh = await conversations.current(conversation.key, default_persona="hearth")
    following = await turns.begin(fresh.id, message_id="1", sender_name="", text="", persona="hearth")
    assert fresh.id > conversation.id
    assert following.id > turn.id


async def test_message_is_found_by_its_id(turns: TurnRepository, conversation: Conversation, begin: Begin) -> None:
    """An edited message finds its turn; where it was answered anew in a new turn, that one."""
    first = await begin("hello")
    await begin("something else")
    assert await turns.by_message(conversation.id, "id of hello") == first
    await turns.discard_from(conversation.id, first.id)
    again = await begin("hello")
    assert await turns.by_message(conversation.id, "id of hello") == again
    assert await turns.by_message(conversation.id, "unknown") is None


async def test_restart_settles_what_was_pending(turns: TurnRepository, begin: Begin, facts: ReplyFacts) -> None:
    """After a crash, unanswered turns are interrupted, and a turn that was being answered again has its old reply."""
    done, waiting, retried = await begin("done"), await begin("waiting"), await begin("retried")
    for turn in (done, retried):
        await turns.finish(turn.id, reply="old", reasoning="", facts=facts)
    before = await stored(turns, retried)
    await turns.restart(retried.id)
    assert await turns.recover() == 2
    assert (await stored(turns, waiting)).status == "interrupted"
    assert await stored(turns, retried) == before
    assert await turns.recover() == 0


async def test_reply_of_a_living_process_survives_anothers_start(
    open_database: OpenDatabase, turns: TurnRepository, begin: Begin, facts: ReplyFacts
) -> None:
    """A second program that starts on the same file does not cost the first one the reply it is writing."""
    answered, failed = await begin("answered"), await begin("failed")
    second = TurnRepository(await open_database())
    assert await second.recover() == 2
    assert await turns.finish(answered.id, reply="yes", reasoning="", facts=facts)
    assert await turns.fail(failed.id, error_code="cancelled")
    assert [(turn.status, turn.reply) for turn in await second.all(answered.conversation_id)] == [
        ("done", "yes"),
        ("failed", None),
    ]


async def test_totals_add_up_over_chats(
    conversations: ConversationRepository,
    turns: TurnRepository,
    conversation: Conversation,
    begin: Begin,
    facts: ReplyFacts,
) -> None:
    """All chats of one person count, with turns that got no reply; turns taken back and other people do not."""
    await turns.finish((await begin("one")).id, reply="yes", reasoning="", facts=facts)
    await begin("unanswered")
    gone = await begin("taken back")
    await turns.finish(gone.id, reply="yes", reasoning="", facts=facts)
    await turns.discard_from(conversation.id, gone.id)
    for key in (replace(conversation.key, chat="2"), replace(conversation.key, user="other")):
        place = await conversations.current(key, default_persona="hearth")
        turn = await turns.begin(place.id, message_id="1", sender_name="", text="", persona="hearth")
        await turns.finish(turn.id, reply="yes", reasoning="", facts=facts)
    await conversations.start_new(conversation.key, persona="hearth")
    assert await turns.totals("telegram", "42") == Totals(
        conversations=3, turns=3, prompt_tokens=240, cached_tokens=200, completion_tokens=60, decode_ms=800.0
    )
    assert await turns.totals("telegram", "stranger") == Totals(
        conversations=0, turns=0, prompt_tokens=0, cached_tokens=0, completion_tokens=0, decode_ms=0.0
    )


async def test_fifty_people_at_once(
    conversations: ConversationRepository, turns: TurnRepository, conversation: Conversation, facts: ReplyFacts
) -> None:
    """Everybody finds exactly their own exchanges, in order, when all talk at the same time."""

    async def talk(person: int) -> None:
        key = replace(conversation.key, user=f"person {person}")
        for number in range(3):
            place = await conversations.current(key, default_persona="hearth")
            turn = await turns.begin(
                place.id, message_id=str(number), sender_name="", text=f"{person} {number}", persona="hearth"
            )
            await turns.finish(turn.id, reply=f"re: {person} {number}", reasoning="", facts=facts)

    await asyncio.gather(*(talk(person) for person in range(50)))
    for person in range(50):
        (place,) = await conversations.of_user("telegram", f"person {person}")
        assert [(turn.text, turn.reply) for turn in await turns.context(place)] == [
            (f"{person} {number}", f"re: {person} {number}") for number in range(3)
        ]


class Effort:
    """Counts the virtual machine's instructions, by tens, which is work that no busy machine can blur."""

    def __init__(self) -> None:
        self.tens = 0

    def count(self) -> int:
        """Called by SQLite after every ten instructions."""
        self.tens += 1
        return 0


async def test_long_conversation_costs_no_more(
    database: Database, turns: TurnRepository, conversation: Conversation, begin: Begin
) -> None:
    """What every message needs takes as many steps in SQLite after ten thousand turns as after a hundred."""
    effort = Effort()
    await database._connection.set_progress_handler(effort.count, 10)

    async def grow(first: int, last: int) -> None:
        async with database.transaction() as transaction:
            await transaction.run(
                "WITH RECURSIVE n (i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last) "
                "INSERT INTO turns (id, conversation_id, message_id, sender_name, text, status, persona, created_ms,"
                " reply, finish_reason, prompt_tokens, cached_tokens, completion_tokens, queue_ms, prefill_ms,"
                " ttft_ms, decode_ms) "
                "SELECT i, :conversation, 'm' || i, '', 'text', 'done', '', 0, 'reply', 'stop', 1, 0, 1, 0, 0, 0, 0 "
                "FROM n",
                first=first,
                last=last,
                conversation=conversation.id,
            )

    async def efforts(newest: int) -> list[int]:
        spent = []
        for use in (
            turns.context(replace(conversation, context_start=newest - 20)),
            turns.last(conversation.id),
            turns.by_message(conversation.id, f"m{newest - 50}"),
            begin("hello"),
            turns.recover(),
            turns.discard_from(conversation.id, newest),
        ):
            effort.tens = 0
            await use
            spent.append(effort.tens)
        return spent

    await grow(1, 100)
    short = await efforts(100)
    await grow(1_000, 11_000)
    long = await efforts(11_000)
    # A last page more or less in a tree may add an instruction or two.
    assert all(after <= before + 3 for before, after in zip(short, long, strict=True)), (short, long)
    assert len(await turns.all(conversation.id)) > 10_000
