"""What people do in private chats, as the core is told of it."""

from typing import Any

import pytest

from bot.messages import Button, IncomingMessage, OutgoingMessage
from tests.adapters.telegram.conftest import OpenAdapter
from tests.support.bot_api import BotApiServer, FakeChat
from tests.support.scripted_core import Answer, ScriptedCore


async def received(core: ScriptedCore, server: BotApiServer, chat: FakeChat) -> list[IncomingMessage]:
    """Everything that came before a last message in `chat`, which is answered."""
    chat.say("the last")
    await server.until(lambda: "the last" in server.texts(chat))
    return [message for message in core.received if message.text != "the last"]


def say(text: str, **fields: Any) -> Answer:
    """An answer that is always the same."""

    async def answer(_message: IncomingMessage, target: Any) -> None:
        await target.send(OutgoingMessage(text=text, **fields))

    return answer


async def test_a_message_is_answered(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """What a person writes reaches the core with ids as text, and its answer reaches them."""
    core = ScriptedCore()
    ann = server.private_chat("Ann")
    async with open_adapter(core):
        said = ann.say("Hello **you**")
        await server.until(lambda: server.messages(ann))
    (message,) = core.received
    assert (message.adapter, message.chat, message.user) == ("telegram", str(ann.id), ann.user)
    assert (message.message_id, message.text, message.sender_name) == (str(said.id), "Hello **you**", "Ann")
    assert (message.direct, message.addressed, message.thread) == (True, True, "")
    assert message.sent_at == said.date
    (answer,) = server.messages(ann)
    assert (answer.text, answer.formatted) == ("Hello you", [("bold", "you")])
    assert answer.reply_to is None
    assert not server.updates.pending


async def test_messages_from_while_the_bot_was_off_are_answered(
    server: BotApiServer, open_adapter: OpenAdapter
) -> None:
    """Nothing that waits at Telegram is dropped, and it comes in order."""
    core = ScriptedCore()
    ann = server.private_chat()
    for number in range(3):
        ann.say(f"message {number}")
    async with open_adapter(core):
        await server.until(lambda: len(server.messages(ann)) == 3)
    assert [message.text for message in core.received] == ["message 0", "message 1", "message 2"]
    assert not any(call.params.get("drop_pending_updates") for call in server.calls)


async def test_an_edited_message_is_told_as_such(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """The new text comes with the old id."""
    core = ScriptedCore()
    ann = server.private_chat()
    async with open_adapter(core):
        said = ann.say("Helo")
        ann.edit(said, "Hello")
        first, second = await received(core, server, ann)
    assert (first.text, first.edited) == ("Helo", False)
    assert (second.text, second.edited, second.message_id) == ("Hello", True, first.message_id)


async def test_a_deep_link_opens_with_what_it_carries(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """`https://t.me/bot?start=word` arrives as the command with the word behind it."""
    core = ScriptedCore()
    ann = server.private_chat()
    async with open_adapter(core):
        ann.say("/start word")
        (message,) = await received(core, server, ann)
    assert message.text == "/start word"


async def test_a_reply_names_what_it_replies_to(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """The id and the text of the message above come along; of a quotation what the person has marked."""
    core = ScriptedCore()
    ann = server.private_chat()
    async with open_adapter(core):
        first = ann.say("one, two, three")
        ann.say("four", reply_to=first)
        ann.say("five", reply_to=first, quote={"text": "two", "position": 5})
        _, second, third = await received(core, server, ann)
    assert second.reply_to == str(first.id)
    assert second.reply_text == "one, two, three"
    assert third.reply_text == "two"


async def test_a_reply_brings_the_file_it_replies_to(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """The file of the message above can be read, and its caption is that message's text."""
    contents: list[bytes] = []

    async def read(message: IncomingMessage, target: Any) -> None:
        contents.extend([await each.read() for each in message.reply_attachments])
        await target.send(OutgoingMessage(text="ok"))

    core = ScriptedCore(read, read)
    ann = server.private_chat()
    async with open_adapter(core):
        sent = ann.send_file("list.csv", b"a,b", caption="the list")
        ann.say("/extract", reply_to=sent)
        await server.until(lambda: server.texts(ann) == ["ok", "ok"])
    first, second = core.received
    assert (first.reply_text, first.reply_attachments) == ("", ())
    assert (second.text, second.reply_text) == ("/extract", "the list")
    assert [each.name for each in second.reply_attachments] == ["list.csv"]
    assert contents == [b"a,b"]


async def test_a_pressed_button_is_a_message_with_its_command(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """It says which message it stood under, and Telegram is told at once that it was noticed."""
    core = ScriptedCore(say("Here", buttons=(Button(label="Again", command="/retry"),)))
    ann = server.private_chat()
    async with open_adapter(core):
        ann.say("Hello")
        await server.until(lambda: server.messages(ann))
        (answer,) = server.messages(ann)
        assert answer.buttons == {"Again": "/retry"}
        query = ann.press(answer, "Again")
        await server.until(lambda: query in server.answered and len(server.messages(ann)) == 2)
    _, pressed = core.received
    assert (pressed.text, pressed.pressed, pressed.user) == ("/retry", str(answer.id), ann.user)
    assert pressed.direct


async def test_a_button_that_cannot_be_acknowledged_is_answered_all_the_same(
    server: BotApiServer, open_adapter: OpenAdapter
) -> None:
    """A press from before a long restart is too old for Telegram, not for the core."""
    core = ScriptedCore(say("Here", buttons=(Button(label="Again", command="/retry"),)))
    ann = server.private_chat()
    async with open_adapter(core):
        ann.say("Hello")
        await server.until(lambda: server.messages(ann))
        server.queries.clear()
        query = ann.press(server.messages(ann)[0], "Again")
        server.queries.discard(query)
        await server.until(lambda: "/retry" in server.texts(ann))


async def test_a_file_comes_with_its_name_type_and_content(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """Its caption is the text, and it is downloaded when the core reads it."""
    contents: list[bytes] = []

    async def read(message: IncomingMessage, target: Any) -> None:
        contents.append(await message.attachments[0].read())
        await target.send(OutgoingMessage(text="read"))

    core = ScriptedCore(read)
    ann = server.private_chat()
    async with open_adapter(core):
        ann.send_file("notes.md", b"# Notes", media_type="text/markdown", caption="Sum it up")
        await server.until(lambda: server.texts(ann) == ["read"])
    (message,) = core.received
    (file,) = message.attachments
    assert (file.name, file.media_type, file.size) == ("notes.md", "text/markdown", 7)
    assert message.text == "Sum it up"
    assert contents == [b"# Notes"]


MEDIA: dict[str, Any] = {"file_id": "f", "file_unique_id": "u", "file_size": 10}
PICTURE = {**MEDIA, "width": 1, "height": 1}
CLIP = {**PICTURE, "duration": 1}


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        ({"photo": [PICTURE, {**PICTURE, "file_size": 20}]}, "photo.jpg", "image/jpeg"),
        ({"voice": {**MEDIA, "duration": 1, "mime_type": "audio/ogg"}}, "voice.ogg", "audio/ogg"),
        ({"audio": {**MEDIA, "duration": 1, "file_name": "a.mp3"}}, "a.mp3", "audio/mpeg"),
        ({"video": {**CLIP, "mime_type": "video/mp4"}}, "video.mp4", "video/mp4"),
        ({"video_note": {**MEDIA, "length": 1, "duration": 1}}, "video.mp4", "video/mp4"),
        ({"location": {"longitude": 1.0, "latitude": 2.0}}, "location", "application/x-telegram-location"),
        ({"contact": {"phone_number": "1", "first_name": "B"}}, "contact", "application/x-telegram-contact"),
    ],
)
async def test_what_is_no_text_is_an_attachment(
    server: BotApiServer, open_adapter: OpenAdapter, content: dict[str, Any], name: str, media_type: str
) -> None:
    """The core learns what it was, so that it can say what it cannot do with it."""
    core = ScriptedCore(say("sorry"))
    ann = server.private_chat()
    async with open_adapter(core):
        ann.say("", **content)
        await server.until(lambda: server.messages(ann))
    (message,) = core.received
    (file,) = message.attachments
    assert (file.name, file.media_type) == (name, media_type)


async def test_a_sticker_says_its_emoji(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """A model can answer that."""
    core = ScriptedCore()
    ann = server.private_chat()
    sticker = {**PICTURE, "type": "regular", "is_animated": False, "is_video": False, "emoji": "👋"}
    async with open_adapter(core):
        ann.say("", sticker=sticker)
        (message,) = await received(core, server, ann)
    assert message.text == "👋"


async def test_a_note_of_telegrams_own_is_no_message(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """A changed picture or a pinned message needs no answer."""
    core = ScriptedCore()
    ann = server.private_chat()
    async with open_adapter(core):
        ann.say("", delete_chat_photo=True)
        assert not await received(core, server, ann)
