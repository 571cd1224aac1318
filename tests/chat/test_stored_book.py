"""A person's conversations are listed, read, named, searched and deleted, and nobody else's."""

import asyncio
import re

from bot.messages import ConversationKey
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench


def key(thread: str, user: str = "ann") -> ConversationKey:
    """A thread of the user's own chat."""
    return ConversationKey(adapter="test", chat=user, thread=thread, user=user)


async def titles(bench: ChatBench, search: str = "", user: str = "ann") -> list[str]:
    """The list as a person sees it."""
    return [heading.title for heading in await bench.service.book.headings("test", user, search=search)]


async def test_list_is_latest_first_and_ones_own(bench: ChatBench) -> None:
    """The list has a person's own conversations by their first message, the one that was used last on top."""
    await bench.say("about\n bread", thread="a")
    await bench.say("about soup", thread="b")
    await bench.say("more bread", thread="a")
    await bench.say("secret", thread="a", user="bob")
    assert await titles(bench) == ["about bread", "about soup"]
    assert await titles(bench, user="bob") == ["secret"]


async def test_conversation_without_a_message_is_not_listed(bench: ChatBench) -> None:
    """Choosing a persona begins a conversation, but the list shows it only once something was said."""
    await bench.say("/persona pirate", thread="a")
    assert await titles(bench) == []
    opened = await bench.service.book.read(key("a"))
    assert opened is not None
    assert (opened.persona, opened.title, list(opened.turns)) == ("pirate", "", [])
    await bench.say("ahoy", thread="a")
    (heading,) = await bench.service.book.headings("test", "ann")
    assert (heading.title, heading.persona, heading.thread) == ("ahoy", "pirate", "a")
    await bench.say("/undo", thread="a")
    assert await titles(bench) == []


async def test_search_finds_what_was_said_in_any_case(bench: ChatBench) -> None:
    """A search looks at names, messages and replies, knows letters beyond ASCII, and takes % as it is."""
    bench.engine.enqueue("Über den Wolken")
    await bench.say("sing", thread="a")
    bench.engine.enqueue("fine, 100 % sure")
    await bench.say("talk", thread="b")
    await bench.service.book.rename(key("b"), "Smalltalk")
    assert await titles(bench, "ÜBER") == ["sing"]
    assert await titles(bench, "SMALL") == ["Smalltalk"]
    assert await titles(bench, "100 %") == ["Smalltalk"]
    assert await titles(bench, "%wolken") == []


async def test_name_stays_until_it_is_taken_away(bench: ChatBench) -> None:
    """A name that was given is shown instead of the first message, and an empty one gives that back."""
    await bench.say("first", thread="a")
    assert await bench.service.book.rename(key("a"), "Holidays")
    await bench.say("second", thread="a")
    assert await titles(bench) == ["Holidays"]
    assert await bench.service.book.rename(key("a"), "")
    assert await titles(bench) == ["first"]
    assert not await bench.service.book.rename(key("b"), "nothing")


async def test_read_shows_turns_with_their_outcome(bench: ChatBench) -> None:
    """What is read are the turns of one person in one thread, oldest first, with replies and ids."""
    await bench.say("one", thread="a", message_id="m-1")
    await bench.say("two", thread="a", message_id="m-2")
    opened = await bench.service.book.read(key("a"))
    assert opened is not None
    assert [(turn.message_id, turn.text, turn.reply, turn.status) for turn in opened.turns] == [
        ("m-1", "one", "re: one", "done"),
        ("m-2", "two", "re: two", "done"),
    ]
    assert await bench.service.book.read(key("a", user="bob")) is None


async def test_delete_stops_that_conversation_alone(bench: ChatBench) -> None:
    """Deleting a conversation stops its reply and takes all of it; another one is written on."""
    doomed = bench.engine.enqueue("never", held=True)
    kept = bench.engine.enqueue("for ever", held=True)
    first, _ = bench.start("delete me", thread="a")
    await doomed.written.wait()
    second, target = bench.start("keep me", thread="b")
    await kept.written.wait()
    assert await bench.service.book.delete(key("a"))
    assert doomed.cancelled.is_set()
    assert not kept.cancelled.is_set()
    kept.release()
    await asyncio.gather(first, second)
    assert target.reply == "for ever"
    assert await titles(bench) == ["keep me"]
    assert await bench.service.book.read(key("a")) is None
    assert bench.engine.forgotten == ["test:ann", "summary of test:ann"]
    assert not await bench.service.book.delete(key("a"))


async def test_default_persona_is_the_first_to_choose(bench: ChatBench) -> None:
    """Personas are offered with names and welcome messages."""
    cards = bench.service.book.personas
    assert [(card.key, card.name, card.welcome_message) for card in cards] == [
        ("hearth", "Hearth", "Hello!"),
        ("pirate", "pirate", ""),
    ]


async def test_a_linked_account_reads_the_conversations_it_goes_on_with(bench: ChatBench) -> None:
    """Whoever linked two accounts finds the same conversations in both, under the keys of either."""
    home = ConversationKey(adapter="test", chat="ann", thread="a", user="ann")
    away = ConversationKey(adapter="web", chat="anna", thread="a", user="anna")
    await bench.say("bread", thread="a")
    offered = (await bench.say("/link")).reply
    code = re.search(r"/link ([\w-]+)", offered)
    assert code is not None, offered
    await bench.say(f"/link {code[1]}", user="anna", adapter="web")
    book = bench.service.book
    (heading,) = await book.headings("web", "anna")
    assert (heading.title, heading.chat, heading.thread) == ("bread", "anna", "a")
    assert await book.read(away) == await book.read(home)
    assert await book.rename(away, "Baking")
    assert await titles(bench) == ["Baking"]
    assert await book.delete(away)
    assert await titles(bench) == []


async def test_thoughts_are_read_where_they_are_shown(open_bench: OpenBench) -> None:
    """A persona that hides its thoughts hides them here too."""
    for mode, expected in (("show", "hmm"), ("hide", "")):
        async with open_bench(generation={"max_tokens": 100, "reasoning": mode}) as bench:
            bench.engine.enqueue("yes", thoughts=["hmm"])
            await bench.say("well?", thread=mode)
            opened = await bench.service.book.read(key(mode))
            assert opened is not None
            assert opened.turns[0].reasoning == expected
