"""Old messages go for good; what is younger stays as it is."""

from datetime import UTC, datetime, timedelta

from bot.messages import ConversationKey, ReplyFacts
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.records import Conversation, Turn
from bot.storage.retention import Retention
from bot.storage.summary_repository import SummaryRepository
from bot.storage.timestamp import to_ms
from bot.storage.turn_repository import TurnRepository

NOW = datetime.now(UTC)
MONTH = timedelta(days=30)


async def say(database: Database, conversation: Conversation, text: str, *, ago: timedelta, facts: ReplyFacts) -> Turn:
    """An answered message from so long ago."""
    turns = TurnRepository(database)
    turn = await turns.begin(conversation.id, message_id=text, sender_name="Ann", text=text, persona="hearth")
    await turns.finish(turn.id, reply="yes", reasoning="", facts=facts)
    async with database.transaction() as transaction:
        at = to_ms(NOW - ago)
        await transaction.run("UPDATE turns SET created_ms = :at WHERE id = :id", at=at, id=turn.id)
        await transaction.run(
            "UPDATE conversations SET created_ms = min(created_ms, :at) WHERE id = :id", at=at, id=conversation.id
        )
    return turn


async def test_only_what_is_older_is_deleted(
    database: Database, turns: TurnRepository, conversation: Conversation, facts: ReplyFacts
) -> None:
    """Down to the bytes in the file; whose it was is told, for the engine to forget it too."""
    await say(database, conversation, "an old secret", ago=2 * MONTH, facts=facts)
    await say(database, conversation, "young", ago=timedelta(days=1), facts=facts)
    assert await Retention(database).apply(NOW - MONTH) == {conversation.key}
    assert [turn.text for turn in await turns.all(conversation.id)] == ["young"]
    path = database._path
    assert all(b"an old secret" not in file.read_bytes() for file in path.parent.iterdir())


async def test_a_conversation_goes_with_its_last_message(
    database: Database, conversations: ConversationRepository, conversation: Conversation, facts: ReplyFacts
) -> None:
    """One that was begun lately and has no message yet stays."""
    await say(database, conversation, "old", ago=2 * MONTH, facts=facts)
    key = ConversationKey(adapter="test", chat="new", thread="", user="new")
    begun = await conversations.start_new(key, persona="hearth")
    await Retention(database).apply(NOW - MONTH)
    assert [each.id for each in await conversations.all()] == [begun.id]


async def test_a_summary_of_what_was_deleted_goes_with_it(
    database: Database, summaries: SummaryRepository, conversation: Conversation, facts: ReplyFacts
) -> None:
    """It would tell what must be forgotten."""
    old = await say(database, conversation, "old", ago=2 * MONTH, facts=facts)
    await say(database, conversation, "young", ago=timedelta(0), facts=facts)
    await summaries.put(conversation.id, through_turn=old.id, text="They spoke of something old.")
    await Retention(database).apply(NOW - MONTH)
    assert await summaries.of(conversation.id) == []


async def test_where_nothing_is_old_nothing_is_written(database: Database, conversation: Conversation) -> None:
    """The file is not written anew four times a day for nothing."""
    before = database._path.stat().st_mtime_ns
    assert await Retention(database).apply(NOW - MONTH) == set()
    assert conversation.key.adapter
    assert database._path.stat().st_mtime_ns == before


async def test_a_message_that_is_being_answered_stays(
    database: Database, turns: TurnRepository, conversation: Conversation
) -> None:
    """However old it is: a turn from before a long outage is answered first."""
    turn = await turns.begin(conversation.id, message_id="1", sender_name="", text="hi", persona="hearth")
    async with database.transaction() as transaction:
        await transaction.run("UPDATE turns SET created_ms = 0")
    assert await Retention(database).apply(NOW) == set()
    assert [each.id for each in await turns.all(conversation.id)] == [turn.id]
