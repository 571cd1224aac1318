"""The adapter and the whole chat, with a scripted model."""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.adapters.telegram.chat_world import ChatWorld
from tests.support.bot_api import ApiError, FakeChat, StoredMessage
from tests.support.bot_api.text_rules import utf16_length

BOT = "@hearth_test_bot"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    """A talk with the usual settings."""
    async with ChatWorld.open(tmp_path) as opened:
        yield opened


async def complete(world: ChatWorld, chat: FakeChat) -> None:
    """Return when the last reply has the buttons of one that is complete."""
    await world.until(lambda: any("Retry" in message.buttons for message in world.server.messages(chat)[-2:]))


def replies(world: ChatWorld, chat: FakeChat) -> list[str]:
    """What stands in a chat, without notices in brackets."""
    return [text for text in world.server.texts(chat) if not text.startswith("(")]


def long_reply() -> str:
    """9,000 characters with code and tables."""
    code = "\n".join(f"    total_{number} = price_{number} * 2  # step {number}" for number in range(40))
    table = "\n".join(f"| item{number} | {number * 7} | a **bold** word |" for number in range(30))
    prose = " ".join(f"word{number}" for number in range(450))
    return "\n\n".join(
        [
            "# A long answer",
            prose,
            f"```python\ndef total():\n{code}\n```",
            f"| name | number | note |\n|---|---|---|\n{table}",
            "- one\n  - **two**\n    1. three",
            prose.replace("word", "next"),
            "The end, with a [link](https://example.org).",
        ]
    )


def words(text: str) -> list[str]:
    """The words that must arrive, in order."""
    return [word for word in text.replace("|", " ").split() if any(character.isdigit() for character in word)]


async def test_a_reply_is_streamed_as_edits(world: ChatWorld) -> None:
    """Typing, a first message with a button to stop it, edits, and the end with other buttons."""
    ann = world.server.private_chat("Ann")
    pieces = [f"word{number} " for number in range(12)]
    world.bench.engine.enqueue(*pieces, pace=lambda: world.clock.sleep(0.5))
    ann.say("Tell me a story.")
    await world.until(lambda: world.server.messages(ann))
    assert list(world.server.messages(ann)[0].buttons) == ["Stop"]
    await complete(world, ann)
    (message,) = world.server.messages(ann)
    assert message.text == "".join(pieces).strip()
    assert all(later.startswith(earlier) for earlier, later in pairwise(message.versions))
    assert [call.method for call in world.calls][:2] == ["sendChatAction", "sendMessage"]
    assert {call.method for call in world.calls[2:]} == {"editMessageText"}
    assert len(message.versions) > 3
    assert not world.server.refusals


@pytest.mark.parametrize(("kind", "interval_s"), [("private", 1.5), ("group", 4.0)])
async def test_a_growing_reply_keeps_the_cadence(world: ChatWorld, kind: str, interval_s: float) -> None:
    """However fast the model writes, edits come no faster than the kind of chat allows, and none is refused."""
    chat = world.server.private_chat("Ann") if kind == "private" else world.server.group("Family")
    pieces = [f"word{number} " for number in range(400)]
    world.bench.engine.enqueue(*pieces, pace=lambda: world.clock.sleep(0.25))
    chat.say(f"{BOT} Tell me a story.")
    await complete(world, chat)
    times = [call.at for call in world.server.named("sendMessage", "editMessageText")]
    assert len(times) > 15
    assert all(later - earlier >= interval_s for earlier, later in pairwise(times[:-1]))
    assert not world.server.refusals


async def test_nine_thousand_characters_arrive_in_order(world: ChatWorld) -> None:
    """In messages within the limit, with code and tables whole in their looks, and nothing lost."""
    text = long_reply()
    assert len(text) > 9000
    ann = world.server.private_chat("Ann")
    pieces = [text[start : start + 100] for start in range(0, len(text), 100)]
    world.bench.engine.enqueue(*pieces, pace=lambda: world.clock.sleep(0.5))
    ann.say("Explain it all.")
    await complete(world, ann)
    messages = [message for message in world.server.messages(ann) if "document" not in message.extra]
    assert len(messages) >= 3
    assert all(utf16_length(message.text) <= 4096 for message in messages)
    assert words("\n".join(message.text for message in messages)) == words(
        text.replace("**", "").replace("```python", "").replace("```", "")
    )
    kinds = {kind for message in messages for kind, _ in message.formatted}
    assert {"pre", "bold", "text_link"} <= kinds
    assert not world.server.refusals


async def test_flood_control_in_the_middle_of_a_reply(world: ChatWorld) -> None:
    """For thirty seconds nothing is sent there, then the reply is complete."""
    ann = world.server.private_chat("Ann")
    reply = world.bench.engine.enqueue("The beginning", " and the end.", held=True)
    ann.say("Tell me a story.")
    await world.until(lambda: world.server.messages(ann))
    world.server.flood_wait(ann, 30)
    over = world.clock.now() + 30
    reply.release()
    await world.until(lambda: "Retry" in world.server.messages(ann)[0].buttons)
    assert world.server.texts(ann) == ["The beginning and the end."]
    (refused,) = world.server.refusals
    after = [call.at for call in world.server.named("sendMessage", "editMessageText") if call.at > refused.at]
    assert after
    assert all(at >= over for at in after)


async def test_a_network_that_is_cut_and_comes_back(world: ChatWorld) -> None:
    """The reply that was finished meanwhile is complete afterwards, and there once."""
    ann = world.server.private_chat("Ann")
    reply = world.bench.engine.enqueue("The beginning", " and the end.", held=True)
    ann.say("Tell me a story.")
    await world.until(lambda: world.server.messages(ann))
    world.server.cut()
    reply.release()
    await world.bench.clock.asleep(1)
    for _ in range(20):
        world.clock.advance(1)
        await world.bench.clock.asleep(1)
    world.server.mend()
    await world.until(lambda: "Retry" in world.server.messages(ann)[0].buttons)
    assert replies(world, ann) == ["The beginning and the end."]
    world.bench.engine.enqueue("I am here.")
    ann.say("Are you there?")
    await world.until(lambda: "I am here." in world.server.texts(ann))


async def test_a_copy_that_may_be_one_is_marked(world: ChatWorld) -> None:
    """A connection that broke after the message had arrived: it is sent again, and the person told why."""
    ann = world.server.private_chat("Ann")
    world.server.fail("sendMessage", None)
    world.bench.engine.enqueue("The answer.")
    ann.say("Well?")
    await world.until(lambda: len(world.server.messages(ann)) >= 3)
    texts = world.server.texts(ann)
    assert texts[:2] == ["The answer.", "The answer."]
    assert "twice" in texts[2]


async def test_refused_formatting_is_sent_as_plain_text(world: ChatWorld) -> None:
    """Nobody goes without an answer because of an asterisk."""
    ann = world.server.private_chat("Ann")
    world.server.fail("sendMessage", ApiError(400, "Bad Request: can't parse entities: something new"), times=2)
    world.bench.engine.enqueue("An **important** answer.")
    ann.say("Well?")
    await world.until(lambda: world.server.messages(ann) and world.server.messages(ann)[0].buttons)
    assert world.server.texts(ann) == ["An **important** answer."]


async def test_every_command_is_answered(world: ChatWorld) -> None:
    """From the menu, in a private chat."""
    ann = world.server.private_chat("Ann")
    ann.say("Hello!")
    await world.until(lambda: world.server.messages(ann))
    for command in world.bench.service.commands:
        before = len(world.server.calls)
        ann.say(f"/{command.name}")
        await world.until(
            lambda seen=before: [
                call
                for call in world.server.calls[seen:]
                if call.method in {"sendMessage", "editMessageText", "sendDocument"}
            ]
        )
        await world.pass_time(2)
    assert not [call for call in world.server.refusals if call.error is not None and call.error.code != 429]


async def test_a_pressed_button_retries(world: ChatWorld) -> None:
    """The new reply comes, and the old buttons go."""
    ann = world.server.private_chat("Ann")
    world.bench.engine.enqueue("first")
    world.bench.engine.enqueue("second")
    ann.say("Well?")
    await complete(world, ann)
    ann.press(world.server.messages(ann)[0], "Retry")
    await world.until(lambda: "second" in world.server.texts(ann)[-1])


async def test_a_pressed_stop_ends_the_reply(world: ChatWorld) -> None:
    """While it is written, with what there is."""
    ann = world.server.private_chat("Ann")
    reply = world.bench.engine.enqueue("The beginning", held=True)
    ann.say("Tell me a story.")
    await world.until(lambda: world.server.messages(ann))
    ann.press(world.server.messages(ann)[0], "Stop")
    await world.until(lambda: reply.cancelled.is_set() and "Stop" not in world.server.messages(ann)[0].buttons)
    assert world.server.texts(ann)[0] == "The beginning"


async def test_an_edited_message_is_answered_anew(world: ChatWorld) -> None:
    """With its new text."""
    ann = world.server.private_chat("Ann")
    said = ann.say("Helo")
    await world.until(lambda: "re: Helo" in world.server.texts(ann))
    ann.edit(said, "Hello")
    await world.until(lambda: "re: Hello" in world.server.texts(ann))


async def test_a_message_that_comes_again_is_answered_once(world: ChatWorld) -> None:
    """Telegram repeats what was not confirmed before the daemon died."""
    ann = world.server.private_chat("Ann")
    said = ann.say("Hello")
    await complete(world, ann)
    world.server.announce("message", said.as_json())
    await world.pass_time(10)
    assert world.server.texts(ann) == ["re: Hello"]
    assert len(world.bench.engine.history) == 1


async def test_a_draft_grows_in_a_private_chat(tmp_path: Path) -> None:
    """With `stream: draft` the message itself is sent once, when it is complete."""
    async with ChatWorld.open(tmp_path, section={"stream": "draft"}) as world:
        ann = world.server.private_chat("Ann")
        reply = world.bench.engine.enqueue("The beginning", " and the end.", held=True)
        ann.say("Tell me a story.")
        await world.until(lambda: world.server.named("sendMessageDraft"))
        assert not world.server.messages(ann)
        reply.release()
        await world.until(lambda: world.server.messages(ann))
    assert world.server.texts(ann) == ["The beginning and the end."]
    assert not world.server.named("editMessageText")


async def test_a_shared_conversation_knows_who_speaks(tmp_path: Path) -> None:
    """With `history.scope: chat` the model is given the names of a group's members."""
    async with ChatWorld.open(tmp_path, history={"scope": "chat"}) as world:
        group = world.server.group("Family")
        ben = world.server.user("Ben")
        group.say(f"{BOT} I like apples.")
        await world.until(lambda: len(world.server.messages(group)) == 1)
        group.say(f"{BOT} What does Ann like?", sender=ben)
        await world.until(lambda: len(world.server.messages(group)) == 2)
    prompt = "\n".join(world.bench.engine.prompts[-1])
    assert "Ann: I like apples." in prompt
    assert "Ben: What does Ann like?" in prompt


async def test_somebody_who_blocks_the_bot_is_left_alone(world: ChatWorld) -> None:
    """The reply that is being written ends, and nothing is tried there again until they write."""
    ann = world.server.private_chat("Ann")
    reply = world.bench.engine.enqueue("The beginning", " of a story", held=True)
    ann.say("Tell me a story.")
    await world.until(lambda: world.server.messages(ann))
    ann.block()
    reply.release()
    await world.until(lambda: world.server.refusals)
    await world.pass_time(5)
    refused = len(world.server.refusals)
    await world.pass_time(300)
    assert len(world.server.refusals) == refused
    ann.unblock()
    ann.say("I am back.")
    await world.until(lambda: "re: I am back." in world.server.texts(ann))


async def test_a_group_that_is_upgraded_keeps_its_conversation(world: ChatWorld) -> None:
    """The next message there, under the new id, has what was said before in its prompt."""
    group = world.server.group("Family")
    group.say(f"{BOT} My name is Ann.")
    await complete(world, group)
    new = group.upgrade()
    await world.pass_time(1)
    new.say(f"{BOT} Who am I?")
    await world.until(lambda: world.server.messages(new))
    assert any("My name is Ann." in text for text in world.bench.engine.prompts[-1])


async def test_a_reply_follows_its_group(world: ChatWorld) -> None:
    """An upgrade in the middle of a reply: all of it stands in the supergroup in the end."""
    group = world.server.group("Family")
    reply = world.bench.engine.enqueue("The beginning", " and the end.", held=True)
    group.say(f"{BOT} Tell us a story.")
    await world.until(lambda: world.server.messages(group))
    new = group.upgrade()
    reply.release()
    await world.until(lambda: world.server.messages(new) and world.server.messages(new)[0].buttons)
    assert world.server.texts(new) == ["The beginning and the end."]


async def test_many_chats_at_once_stay_within_the_limits(world: ChatWorld) -> None:
    """All of forty replies are complete, and Telegram has refused nothing: not in a chat, and not in all together."""
    chats = [world.server.private_chat(f"Ann{number}") for number in range(40)]
    for _ in chats:
        pieces = [f"word{number} " for number in range(30)]
        world.bench.engine.enqueue(*pieces, pace=lambda: world.clock.sleep(0.5))
    for chat in chats:
        chat.say("Tell me a story.")
    await world.until(
        lambda: all(message.buttons.keys() == {"Retry"} for chat in chats for message in ends(world, chat))
    )
    assert all(replies(world, chat) == [" ".join(f"word{number}" for number in range(30))] for chat in chats)
    assert not world.server.refusals


def ends(world: ChatWorld, chat: FakeChat) -> list[StoredMessage]:
    """The last message in a chat; one without buttons where there is none."""
    nothing = StoredMessage(id=0, chat={}, sender={}, from_bot=True, date=0)
    return world.server.messages(chat)[-1:] or [nothing]


async def test_an_answered_message_and_its_file_are_read_as_json(world: ChatWorld) -> None:
    """`/extract` in reply to what somebody else wrote, in a group too, and to a file; the answer has table and JSON."""
    family = world.server.group("Family")
    said = family.say("Jason is 25 years old", sender=world.server.private_chat("Ben").owner)
    for about in (said, family.send_file("note.txt", b"Jason is 25 years old")):
        world.bench.engine.enqueue('{"name": "Jason", "age": 25}')
        before = len(world.server.messages(family))
        family.say("/extract@hearth_test_bot", reply_to=about)
        await world.until(lambda before=before: len(world.server.messages(family)) > before)
        answer = world.server.messages(family)[-1].text
        assert '{"name": "Jason", "age": 25}' in answer
    assert [request.messages[-1].content for request in world.bench.engine.history] == ["Jason is 25 years old"] * 2
