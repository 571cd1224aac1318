"""Every way to say something, and every way in which it can fail."""

from collections.abc import AsyncIterator

import pytest

from adapters.telegram import TelegramAdapter
from bot.adapter import ReplyTarget
from bot.errors import (
    ChatGoneError,
    ChatMovedError,
    DeliveryError,
    FormatRefusedError,
    MessageGoneError,
    NotSentError,
    RateLimitedError,
)
from bot.messages import Button, ChatAddress, OutgoingMessage
from tests.adapters.telegram.conftest import OpenAdapter
from tests.support.bot_api import ApiError, BotApiServer, FakeChat
from tests.support.fake_clock import FakeClock
from tests.support.scripted_core import ScriptedCore


@pytest.fixture
async def adapter(server: BotApiServer, open_adapter: OpenAdapter) -> AsyncIterator[TelegramAdapter]:
    """An adapter that is up."""
    async with open_adapter(ScriptedCore()) as up:
        server.calls.clear()
        yield up


def to(adapter: TelegramAdapter, chat: FakeChat, *, thread: int | None = None) -> ReplyTarget:
    """A target without a message at hand, as after a restart."""
    return adapter.target(
        ChatAddress(
            adapter="telegram",
            chat=str(chat.id),
            thread="" if thread is None else str(thread),
            direct=not chat.is_group,
        )
    )


def text(content: str, **fields: object) -> OutgoingMessage:
    """A message."""
    return OutgoingMessage(text=content, **fields)  # type: ignore[arg-type]


async def test_a_message_is_sent_edited_and_deleted(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """Each is one call."""
    ann = server.private_chat()
    target = to(adapter, ann)
    message_id = await target.send(text("one", final=False))
    await target.edit(message_id, text("one **two**"))
    (message,) = server.messages(ann)
    assert (message.versions, message.formatted) == (["one", "one two"], [("bold", "two")])
    await target.delete(message_id)
    assert not server.messages(ann)
    assert [call.method for call in server.calls] == ["sendMessage", "editMessageText", "deleteMessage"]


async def test_an_edit_that_changes_nothing_is_not_made(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """Markup that is not finished may look the same; and one that Telegram finds to be the same is no failure."""
    ann = server.private_chat()
    target = to(adapter, ann)
    message_id = await target.send(text("**one**"))
    await target.edit(message_id, text("**one** "))
    assert [call.method for call in server.calls] == ["sendMessage"]
    await to(adapter, ann).edit(message_id, text("**one**"))
    assert server.refusals[0].error is not None
    assert "not modified" in server.refusals[0].error.description


async def test_buttons_come_and_go(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """An edit without any takes them away, although the text is the same."""
    ann = server.private_chat()
    target = to(adapter, ann)
    message_id = await target.send(text("one", buttons=(Button(label="Stop", command="/stop"),)))
    assert server.messages(ann)[0].buttons == {"Stop": "/stop"}
    await target.edit(message_id, text("one"))
    assert not server.messages(ann)[0].buttons


async def test_plain_text_is_sent_as_it_is(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """Nothing in it is taken for markup."""
    ann = server.private_chat()
    await to(adapter, ann).send(text("**one** <b>", plain=True))
    (message,) = server.messages(ann)
    assert (message.text, message.entities) == ("**one** <b>", [])


async def test_a_topic_is_answered_in(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """Messages, files and the typing sign go to the thread of the address."""
    group = server.group(supergroup=True)
    topic = group.open_topic("Cooking")
    target = to(adapter, group, thread=topic)
    await target.typing()
    await target.send(text("one"))
    await target.send_file("a.txt", b"data", "a file")
    assert [message.thread for message in server.messages(group)] == [topic, topic]
    assert server.named("sendChatAction")[0].params["message_thread_id"] == str(topic)


async def test_only_the_first_message_of_an_answer_points_at_the_question(
    server: BotApiServer, adapter: TelegramAdapter
) -> None:
    """In a group; and when the question was deleted meanwhile, the answer comes without it."""
    group = server.group()
    asked = group.say("?")
    address = ChatAddress(adapter="telegram", chat=str(group.id), direct=False, reply_to=str(asked.id))
    target = adapter.target(address)
    await target.send(text("one"))
    await target.send(text("two"))
    assert [message.reply_to for message in server.messages(group)] == [asked, None]
    group.delete(asked)
    await adapter.target(address).send(text("three"))
    assert server.texts(group)[-1] == "three"


async def test_a_file_has_its_caption_under_it(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """A caption that is too long for that follows as a message."""
    ann = server.private_chat()
    target = to(adapter, ann)
    await target.send_file("talk.md", b"# Talk", "Your **talk**")
    await target.send_file("long.txt", b"x", "long " * 300)
    first, second, rest = server.messages(ann)
    assert (first.data, first.text, first.extra["document"]["file_name"]) == (b"# Talk", "Your talk", "talk.md")
    assert (second.text, rest.text) == ("", ("long " * 300).strip())


async def test_a_draft_is_animated_until_the_message_is_sent(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """Drafts of one message share an id, those of the next have another."""
    ann = server.private_chat()
    target = to(adapter, ann)
    await target.draft(text("o"))
    await target.draft(text("on"))
    await target.send(text("one"))
    await target.draft(text("tw"))
    drafts = [call.params["draft_id"] for call in server.named("sendMessageDraft")]
    assert drafts == ["1", "1", "2"]


async def test_limits_follow_the_chat(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """Groups are edited less often, and drafts exist in private chats only."""
    ann, group = server.private_chat(), server.group()
    async with open_adapter(ScriptedCore(), stream="draft", edit_interval_s=2, group_edit_interval_s=7) as adapter:
        private, shared = to(adapter, ann).limits, to(adapter, group).limits
    assert (private.stream, private.edit_interval_s) == ("draft", 2)
    assert (shared.stream, shared.edit_interval_s) == ("edit", 7)
    assert (private.max_length, private.measure("**ab** 😀")) == (4096, 5)
    assert private.buttons


async def test_flood_control_is_told_and_not_slept_through(
    server: BotApiServer, adapter: TelegramAdapter, clock: FakeClock
) -> None:
    """The core learns how long to wait; one call was made, and nothing is waited for here."""
    ann = server.private_chat()
    target = to(adapter, ann)
    message_id = await target.send(text("one"))
    server.flood_wait(ann, 30)
    with pytest.raises(RateLimitedError) as caught:
        await target.edit(message_id, text("two"))
    assert caught.value.retry_after_s == 30
    assert len(server.calls) == 2
    clock.advance(30)
    await target.edit(message_id, text("two"))
    assert server.texts(ann) == ["two"]


async def test_the_servers_own_limits_are_told_alike(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """More than a short burst in a chat is refused."""
    ann = server.private_chat()
    target = to(adapter, ann)
    for number in range(5):
        await target.send(text(str(number)))
    with pytest.raises(RateLimitedError) as caught:
        await target.send(text("one too many"))
    assert caught.value.retry_after_s == 1
    assert len(server.messages(ann)) == 5


async def test_a_blocked_bot_finds_the_chat_gone(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """Blocked by a person and thrown out of a group are told alike."""
    for chat in (server.private_chat(), server.group(), server.group(supergroup=True)):
        chat.block()
        with pytest.raises(ChatGoneError):
            await to(adapter, chat).send(text("one"))


async def test_a_deleted_topic_is_gone(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """So is a chat that never was."""
    group = server.group(supergroup=True)
    topic = group.open_topic("Cooking")
    group.delete_topic(topic)
    with pytest.raises(ChatGoneError):
        await to(adapter, group, thread=topic).send(text("one"))
    with pytest.raises(ChatGoneError):
        await adapter.target(ChatAddress(adapter="telegram", chat="77")).send(text("one"))


async def test_an_upgraded_group_has_moved(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """The core is told where to."""
    group = server.group()
    new = group.upgrade()
    with pytest.raises(ChatMovedError) as caught:
        await to(adapter, group).send(text("one"))
    assert caught.value.chat == str(new.id)


async def test_a_message_that_was_deleted_is_gone(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """It cannot be edited; that it cannot be deleted again is no failure."""
    ann = server.private_chat()
    target = to(adapter, ann)
    message_id = await target.send(text("one"))
    ann.delete(server.messages(ann)[0])
    with pytest.raises(MessageGoneError):
        await target.edit(message_id, text("two"))
    await target.delete(message_id)


async def test_refused_formatting_is_told_apart(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """So that the core sends the plain text."""
    ann = server.private_chat()
    server.fail("sendMessage", ApiError(400, "Bad Request: can't parse entities: unexpected end"))
    with pytest.raises(FormatRefusedError):
        await to(adapter, ann).send(text("**one**"))


async def test_a_call_without_an_answer_may_have_arrived(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """The connection broke when the message was there already: nobody may say that it was not sent."""
    ann = server.private_chat()
    server.fail("sendMessage", None)
    with pytest.raises(DeliveryError) as caught:
        await to(adapter, ann).send(text("one"))
    assert not isinstance(caught.value, NotSentError)
    assert server.texts(ann) == ["one"]


async def test_a_call_that_never_left_was_not_sent(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """Where nobody listens, nothing can have arrived."""
    ann = server.private_chat()
    target = to(adapter, ann)
    await server.stop()
    with pytest.raises(NotSentError):
        await target.send(text("one"))


async def test_a_server_in_trouble_did_not_take_the_message(server: BotApiServer, adapter: TelegramAdapter) -> None:
    """An answer of 500 leaves open what happened; it is tried again."""
    ann = server.private_chat()
    server.fail("sendMessage", ApiError(500, "Internal Server Error"))
    with pytest.raises(DeliveryError, match="Internal Server Error"):
        await to(adapter, ann).send(text("one"))
