"""Whose conversation it is, and what is left after it was forgotten."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.messages import ConversationKey, ReplyFacts
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.records import Conversation
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository

OpenDatabase = Callable[..., Awaitable[Database]]


async def test_first_message_makes_a_conversation(conversations: ConversationRepository, key: ConversationKey) -> None:
    """A new person gets an empty conversation with the default persona, and the same one from then on."""
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    made = await conversations.current(key, default_persona="hearth")
    assert made == Conversation(id=made.id, key=key, persona="hearth", context_start=0, created_at=made.created_at)
    assert before <= made.created_at <= datetime.now(UTC)
    assert await conversations.current(key, default_persona="pirate") == made


@pytest.mark.parametrize("part", ["adapter", "chat", "thread", "user"])
async def test_every_part_of_the_key_counts(
    part: str, conversations: ConversationRepository, conversation: Conversation
) -> None:
    """Another adapter, chat, topic or person is another conversation."""
    other = await conversations.current(replace(conversation.key, **{part: "other"}), default_persona="hearth")
    assert other.id != conversation.id


async def test_two_first_messages_share_a_conversation(
    conversations: ConversationRepository, key: ConversationKey
) -> None:
    """Messages that come in at the same moment do not make two."""
    found = await asyncio.gather(*(conversations.current(key, default_persona="hearth") for _ in range(10)))
    assert len({conversation.id for conversation in found}) == 1


async def test_new_conversation_takes_over(conversations: ConversationRepository, conversation: Conversation) -> None:
    """After a new start the old conversation is kept, and the new one is the current one."""
    new = await conversations.start_new(conversation.key, persona="pirate")
    assert await conversations.current(conversation.key, default_persona="hearth") == new
    assert await conversations.of_user("telegram", "42") == [conversation, new]


async def test_settings_of_a_conversation_last(
    path: Path,
    database: Database,
    open_database: OpenDatabase,
    conversations: ConversationRepository,
    conversation: Conversation,
) -> None:
    """Persona and start of the context are there after a restart."""
    await conversations.set_persona(conversation.id, "pirate")
    await conversations.set_context_start(conversation.id, 17)
    await database.aclose()
    later = ConversationRepository(await open_database())
    assert await later.current(conversation.key, default_persona="hearth") == replace(
        conversation, persona="pirate", context_start=17
    )


async def test_only_the_latest_conversation_of_a_key_is_current(
    conversations: ConversationRepository, conversation: Conversation
) -> None:
    """One that another has taken the place of is not, nor one that is deleted; other chats make no difference."""
    elsewhere = await conversations.current(replace(conversation.key, chat="9"), default_persona="hearth")
    await conversations.set_persona(conversation.id, "pirate")
    assert await conversations.still_current(conversation.id) == replace(conversation, persona="pirate")
    new = await conversations.start_new(conversation.key, persona="hearth")
    assert await conversations.still_current(conversation.id) is None
    assert await conversations.still_current(new.id) == new
    assert await conversations.still_current(elsewhere.id) == elsewhere
    await conversations.forget_user("telegram", "42")
    assert await conversations.still_current(new.id) is None


async def test_conversations_of_a_user_come_from_all_chats(
    conversations: ConversationRepository, conversation: Conversation
) -> None:
    """The list goes over chats and topics, and stops at the adapter: the same id elsewhere is another person."""
    elsewhere = await conversations.current(replace(conversation.key, chat="9", thread=""), default_persona="hearth")
    await conversations.current(replace(conversation.key, adapter="discord"), default_persona="hearth")
    await conversations.current(replace(conversation.key, user="43"), default_persona="hearth")
    assert await conversations.of_user("telegram", "42") == [conversation, elsewhere]


async def test_deleted_conversation_cannot_be_changed(
    conversations: ConversationRepository, turns: TurnRepository, conversation: Conversation
) -> None:
    """Whoever still holds a conversation that was forgotten gets an error instead of silence."""
    await conversations.forget_user("telegram", "42")
    for use in (
        conversations.set_persona(conversation.id, "pirate"),
        conversations.set_context_start(conversation.id, 1),
        turns.begin(conversation.id, message_id="1", sender_name="", text="", persona="hearth"),
    ):
        with pytest.raises(StorageError, match=rf"conversation {conversation.id} was deleted"):
            await use


async def test_key_of_odd_bytes_is_found_again(conversations: ConversationRepository, key: ConversationKey) -> None:
    """An id that no encoding can hold, as a shell may pass one, belongs to one conversation all the same."""
    odd = replace(key, user="j\udcfcrgen")
    first = await conversations.current(odd, default_persona="hearth")
    assert (await conversations.current(odd, default_persona="hearth")).id == first.id


SECRETS = {
    "id of the person": "user-7f3a91",
    "id of the chat": "chat-52cc0e",
    "name": "Ottoline Quibble",
    "message": "the key is under the third flowerpot",
    "reply": "I will remember the flowerpot",
    "thought": "flowerpots are a weak hiding place",
    "summary": "we spoke about where the key lies",
    "id of the message": "message-e08b77",
}
KEPT = "somebody else's shopping list"


async def remember(database: Database, facts: ReplyFacts) -> None:
    """Store much of one person, in several states and places, and a little of another."""
    conversations, turns = ConversationRepository(database), TurnRepository(database)
    person = ConversationKey(
        adapter="telegram", chat=SECRETS["id of the chat"], thread="", user=SECRETS["id of the person"]
    )
    other = replace(person, chat="other", user="other")
    for key, text in ((person, SECRETS["message"]), (other, KEPT), (replace(person, thread="2"), SECRETS["message"])):
        conversation = await conversations.current(key, default_persona="hearth")
        for number in range(30):
            turn = await turns.begin(
                conversation.id,
                message_id=SECRETS["id of the message"] if key.user == person.user else "1",
                sender_name=SECRETS["name"] if key.user == person.user else "Other",
                # Long ones fill overflow pages, which are freed as a whole.
                text=f"{text} " * (1 + 400 * (number % 3)),
                persona="hearth",
            )
            if key.user == person.user and number % 5:
                await turns.finish(turn.id, reply=SECRETS["reply"], reasoning=SECRETS["thought"], facts=facts)
        if key.user == person.user:
            last = await turns.last(conversation.id)
            assert last is not None
            await turns.restart(last.id, text="a changed message")
            await SummaryRepository(database).put(conversation.id, through_turn=last.id, text=SECRETS["summary"])
            await turns.discard_from(conversation.id, last.id - 5)


def found_in(folder: Path) -> set[str]:
    """Which of the secrets are in the bytes of any file in `folder`."""
    content = b"".join(file.read_bytes() for file in folder.iterdir())
    return {what for what, text in SECRETS.items() if text.encode() in content}


async def test_forgotten_means_gone_from_the_files(
    path: Path, database: Database, conversations: ConversationRepository, facts: ReplyFacts
) -> None:
    """With the database still open, no byte of the person is in any of its files, and others have lost nothing."""
    await remember(database, facts)
    assert found_in(path.parent) == set(SECRETS)
    assert await conversations.forget_user("telegram", SECRETS["id of the person"]) == 2
    assert found_in(path.parent) == set()
    assert (await database.fetch("PRAGMA freelist_count"))[0][0] == 0
    kept = await conversations.of_user("telegram", "other")
    assert len(await TurnRepository(database).all(kept[0].id)) == 30
    assert await database.integrity() == ()
    assert await conversations.forget_user("telegram", SECRETS["id of the person"]) == 0


async def test_forgetting_is_finished_when_cancelled(
    path: Path, database: Database, conversations: ConversationRepository, facts: ReplyFacts
) -> None:
    """A cancel, however early, leaves no trace behind that the person was promised the deletion of."""
    await remember(database, facts)
    task = asyncio.create_task(conversations.forget_user("telegram", SECRETS["id of the person"]))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert found_in(path.parent) == set()


async def test_reader_in_the_way_is_reported(path: Path, open_database: OpenDatabase, facts: ReplyFacts) -> None:
    """While another process reads on, the promise cannot be kept: it is said so, and forgetting again completes it."""
    database = await open_database(busy_timeout_s=0.05)
    conversations = ConversationRepository(database)
    await remember(database, facts)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM turns").fetchone()
        with pytest.raises(StorageError, match=r"traces are left in the -wal file .* repeat the deletion"):
            await conversations.forget_user("telegram", SECRETS["id of the person"])
        assert await conversations.of_user("telegram", SECRETS["id of the person"]) == []
    assert await conversations.forget_user("telegram", SECRETS["id of the person"]) == 0
    assert found_in(path.parent) == set()


async def test_next_start_completes_the_erasing(path: Path, open_database: OpenDatabase, facts: ReplyFacts) -> None:
    """Where the process ended between deleting and erasing, opening the file again erases."""
    first = await open_database()
    await remember(first, facts)
    async with first.transaction() as transaction:
        await transaction.run("DELETE FROM conversations WHERE user = :user", user=SECRETS["id of the person"])
    assert found_in(path.parent) == set(SECRETS)
    await open_database()
    assert found_in(path.parent) == set()
