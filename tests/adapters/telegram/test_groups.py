"""Who is answered among several people."""

from typing import Any

import pytest

from tests.adapters.telegram.conftest import OpenAdapter
from tests.adapters.telegram.test_messages import received
from tests.support.bot_api import BotApiServer
from tests.support.scripted_core import ScriptedCore

BOT = "@hearth_test_bot"


async def addressed(
    server: BotApiServer, open_adapter: OpenAdapter, text: str, *, groups: str = "mention", **fields: Any
) -> tuple[bool, str] | None:
    """Whether a message in a group is for the bot, and its text; None where the core is not told of it at all."""
    server.privacy = False
    core = ScriptedCore()
    group, ann = server.group("Family"), server.private_chat()
    async with open_adapter(core, groups=groups):
        group.say(text, **fields)
        messages = await received(core, server, ann)
    return (messages[0].addressed, messages[0].text) if messages else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello all", (False, "hello all")),
        (f"{BOT} hello", (True, "hello")),
        (f"{BOT}, hello", (True, "hello")),
        (f"{BOT.upper()} hello", (True, "hello")),
        (f"hello {BOT}", (True, "hello")),
        (f"what does {BOT} think?", (True, f"what does {BOT} think?")),
        ("@hearth_test_bottle hello", (False, "@hearth_test_bottle hello")),
        ("mail me at a@hearth_test_bot", (False, "mail me at a@hearth_test_bot")),
        ("/new", (True, "/new")),
        ("/reset", (True, "/reset")),
        (f"/persona{BOT} cook", (True, f"/persona{BOT} cook")),
        (f"{BOT} /new", (True, "/new")),
        ("/new@other_bot", None),
        ("/weather", (False, "/weather")),
        (BOT, (True, "")),
    ],
)
async def test_mention_and_command_address_the_bot(
    server: BotApiServer, open_adapter: OpenAdapter, text: str, expected: tuple[bool, str] | None
) -> None:
    """With `groups: mention`; the bot's name is no part of the text, and another bot's command is not heard."""
    assert await addressed(server, open_adapter, text) == expected


@pytest.mark.parametrize(
    ("groups", "text", "expected"),
    [
        ("all", "hello all", True),
        ("all", "/weather", False),
        ("commands", f"{BOT} hello", False),
        ("commands", "/new", True),
    ],
)
async def test_groups_decides_what_is_answered(
    server: BotApiServer, open_adapter: OpenAdapter, groups: str, text: str, expected: bool
) -> None:
    """`all` answers everything but commands that are not ours; `commands` nothing but commands."""
    found = await addressed(server, open_adapter, text, groups=groups)
    assert found is not None
    assert found[0] is expected


async def test_a_reply_to_the_bot_addresses_it(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """Answering what it said needs no mention; answering somebody else does. Its answer shows what it is about."""
    server.privacy = False
    core = ScriptedCore()
    group, ann = server.group("Family"), server.private_chat()
    ben = server.user("Ben", last_name="B")
    async with open_adapter(core):
        asked = group.say(f"{BOT} hello")
        await server.until(lambda: server.messages(group))
        (answer,) = server.messages(group)
        group.say("and then?", sender=ben, reply_to=answer)
        group.say("what?", sender=ben, reply_to=asked)
        _, to_bot, to_ann = await received(core, server, ann)
    assert (to_bot.addressed, to_bot.user, to_bot.sender_name) == (True, str(ben["id"]), "Ben B")
    assert not to_bot.direct
    assert not to_ann.addressed
    assert answer.reply_to is asked


async def test_a_topic_is_a_thread(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """Each topic of a forum is a chat of its own, and answered where it was asked."""
    server.privacy = False
    core = ScriptedCore()
    group, ann = server.group("Forum", supergroup=True), server.private_chat()
    topic = group.open_topic("Cooking")
    opened = server.find(group, topic)
    async with open_adapter(core):
        group.say(f"{BOT} in the topic", thread=topic, reply_to=opened)
        group.say(f"{BOT} in general")
        messages = await received(core, server, ann)
    assert {(message.text, message.thread) for message in messages} == {
        ("in the topic", str(topic)),
        ("in general", ""),
    }
    assert {(answer.text, answer.thread) for answer in server.messages(group)} == {
        ("in the topic", topic),
        ("in general", None),
    }


async def test_the_opening_of_a_topic_is_no_message_of_the_bots(
    server: BotApiServer, open_adapter: OpenAdapter
) -> None:
    """In a topic that the bot has opened, what people say among themselves is not meant for it."""
    server.privacy = False
    core = ScriptedCore()
    group, ann = server.group("Forum", supergroup=True), server.private_chat()
    opened = server.store(group, sender=server.me, extra={"forum_topic_created": {"name": "x", "icon_color": 0}})
    group.topics.add(opened.id)
    async with open_adapter(core):
        group.say("among us", thread=opened.id, reply_to=opened)
        (message,) = await received(core, server, ann)
    assert not message.addressed


async def test_privacy_mode_lets_through_what_is_meant_for_the_bot(
    server: BotApiServer, open_adapter: OpenAdapter
) -> None:
    """With the mode that every new bot has, mentions, replies and commands with its name arrive."""
    core = ScriptedCore()
    group, ann = server.group("Family"), server.private_chat()
    async with open_adapter(core):
        group.say("among us")
        group.say(f"{BOT} hello")
        group.say(f"/new{BOT}")
        messages = await received(core, server, ann)
    assert [message.text for message in messages] == ["hello", f"/new{BOT}"]


async def test_channels_and_other_bots_are_not_listened_to(server: BotApiServer, open_adapter: OpenAdapter) -> None:
    """Neither a channel's post nor its copy in the discussion group nor another bot is answered."""
    server.privacy = False
    core = ScriptedCore()
    group, ann, channel = server.group("Family", supergroup=True), server.private_chat(), server.channel()
    bot = {**server.user("Robo"), "is_bot": True}
    async with open_adapter(core):
        channel.say(f"{BOT} news")
        group.say(f"{BOT} hello", sender=bot)
        group.say(f"{BOT} news", is_automatic_forward=True, sender_chat=channel.as_json())
        assert not await received(core, server, ann)


async def test_an_anonymous_administrator_is_known_by_the_group(
    server: BotApiServer, open_adapter: OpenAdapter
) -> None:
    """Telegram hides who it is behind a bot that stands for all of them."""
    core = ScriptedCore()
    group, ann = server.group("Family", supergroup=True), server.private_chat()
    hidden = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    async with open_adapter(core):
        group.say(f"{BOT} hello", sender=hidden, sender_chat=group.as_json())
        (message,) = await received(core, server, ann)
    assert (message.user, message.sender_name) == (str(group.id), "Family")
