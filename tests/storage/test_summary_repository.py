"""At most one summary is shown and one waits, whatever happens to the conversation."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.errors import StorageError
from bot.messages import ReplyFacts
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.records import Conversation
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository

OpenDatabase = Callable[..., Awaitable[Database]]


async def test_a_summary_is_there_after_a_restart(
    database: Database,
    open_database: OpenDatabase,
    conversations: ConversationRepository,
    summaries: SummaryRepository,
    conversation: Conversation,
) -> None:
    """Its text, how far it goes, and whether it is shown."""
    made = await summaries.put(conversation.id, through_turn=7, text="They met.")
    assert (made.through_turn, made.text, made.shown) == (7, "They met.", False)
    await conversations.set_context_start(conversation.id, 8, summary_id=made.id)
    await database.aclose()
    later = await open_database()
    assert await SummaryRepository(later).of(conversation.id) == [replace(made, shown=True)]
    found = await ConversationRepository(later).current(conversation.key, default_persona="")
    assert found.context_start == 8


async def test_a_newer_summary_waits_beside_the_one_that_is_shown(
    conversations: ConversationRepository, summaries: SummaryRepository, conversation: Conversation
) -> None:
    """One that waits is replaced under its id, and takes the shown one's place at the cut."""
    first = await summaries.put(conversation.id, through_turn=7, text="one")
    await conversations.set_context_start(conversation.id, 8, summary_id=first.id)
    second = await summaries.put(conversation.id, through_turn=12, text="two")
    third = await summaries.put(conversation.id, through_turn=14, text="three")
    assert third.id == second.id
    assert await summaries.of(conversation.id) == [replace(first, shown=True), third]
    await conversations.set_context_start(conversation.id, 15, summary_id=second.id)
    assert await summaries.of(conversation.id) == [replace(third, shown=True)]


async def test_a_context_without_a_summary_leaves_the_latest_waiting(
    conversations: ConversationRepository, summaries: SummaryRepository, conversation: Conversation
) -> None:
    """What was shown may be shown again, unless a later one waits already."""
    first = await summaries.put(conversation.id, through_turn=7, text="one")
    await conversations.set_context_start(conversation.id, 8, summary_id=first.id)
    await conversations.set_context_start(conversation.id, 0)
    assert await summaries.of(conversation.id) == [first]
    await conversations.set_context_start(conversation.id, 8, summary_id=first.id)
    second = await summaries.put(conversation.id, through_turn=9, text="two")
    await conversations.set_context_start(conversation.id, 0)
    assert await summaries.of(conversation.id) == [second]


async def test_summaries_that_cover_a_turn_can_be_dropped(
    conversations: ConversationRepository, summaries: SummaryRepository, conversation: Conversation
) -> None:
    """Those that end before it stay, and so do other conversations' summaries."""
    other = await conversations.start_new(conversation.key, persona="hearth")
    kept = await summaries.put(other.id, through_turn=9, text="other")
    first = await summaries.put(conversation.id, through_turn=7, text="one")
    await conversations.set_context_start(conversation.id, 8, summary_id=first.id)
    await summaries.put(conversation.id, through_turn=12, text="two")
    assert await summaries.drop_from(conversation.id, 13) == 0
    assert await summaries.drop_from(conversation.id, 12) == 1
    assert await summaries.of(conversation.id) == [replace(first, shown=True)]
    assert await summaries.drop_from(conversation.id, 3) == 1
    assert await summaries.of(conversation.id) == []
    assert await summaries.of(other.id) == [kept]


async def test_a_forgotten_conversation_gets_no_summary(
    conversations: ConversationRepository, summaries: SummaryRepository, conversation: Conversation
) -> None:
    """One that was being written when its person was forgotten is not stored."""
    await summaries.put(conversation.id, through_turn=7, text="one")
    await conversations.forget_user("telegram", "42")
    assert await summaries.of(conversation.id) == []
    with pytest.raises(StorageError, match=rf"conversation {conversation.id} was deleted"):
        await summaries.put(conversation.id, through_turn=7, text="late")


async def test_answered_turns_are_found_by_their_place(
    turns: TurnRepository, summaries: SummaryRepository, conversation: Conversation, facts: ReplyFacts
) -> None:
    """Those between two places, without what was not answered or was taken back."""
    made = [
        await turns.begin(conversation.id, message_id=str(number), sender_name="", text=str(number), persona="hearth")
        for number in range(6)
    ]
    for turn in (*made[:3], made[4]):
        await turns.finish(turn.id, reply="ok", reasoning="", facts=facts)
    found = await turns.answered(conversation.id, after=made[0].id, through=made[4].id)
    assert [turn.text for turn in found] == ["1", "2", "4"]
    await turns.discard_from(conversation.id, made[4].id)
    assert [turn.text for turn in await turns.answered(conversation.id, after=0, through=made[4].id)] == ["0", "1", "2"]
