"""What happens when a person edits a message."""

import asyncio

from tests.support.chat_bench import ChatBench


async def test_an_edited_message_is_answered_anew_and_what_followed_is_discarded(bench: ChatBench) -> None:
    """The conversation goes on from the edited message as if the rest had not been said."""
    await bench.say("a", message_id="1")
    await bench.say("b", message_id="2")
    await bench.say("c", message_id="3")
    bench.engine.enqueue("new")
    assert (await bench.say("B", message_id="2", edited=True)).reply == "new"
    assert bench.engine.prompts[-1] == ["Be kind.", "a", "re: a", "B"]
    await bench.say("d")
    assert bench.engine.prompts[-1] == ["Be kind.", "a", "re: a", "B", "new", "d"]
    assert [turn.text for turn in await bench.stored()] == ["a", "B", "d"]


async def test_an_edit_stops_the_reply_to_the_old_version(bench: ChatBench) -> None:
    """The generation is cancelled first, and whoever waits is answered after the new version."""
    old = bench.engine.enqueue("old", held=True)
    bench.engine.enqueue("new")
    first, _ = bench.start("a", message_id="1")
    await old.written.wait()
    second, _ = bench.start("b", message_id="2")
    third, target = bench.start("A", message_id="1", edited=True)
    await asyncio.gather(first, second, third)
    assert old.cancelled.is_set()
    assert target.reply == "new"
    assert bench.engine.prompts[-1] == ["Be kind.", "A", "new", "b"]


async def test_an_edit_stops_a_retry_of_the_message(bench: ChatBench) -> None:
    """What counts is which message is being answered, not which one asked for it."""
    await bench.say("a", message_id="1")
    again = bench.engine.enqueue("again", held=True)
    retry, _ = bench.start("/retry")
    await again.written.wait()
    edit, target = bench.start("A", message_id="1", edited=True)
    await asyncio.gather(retry, edit)
    assert again.cancelled.is_set()
    assert target.reply == "re: A"


async def test_an_edit_of_a_waiting_message_takes_its_place(bench: ChatBench) -> None:
    """The new version is answered where the old one stood, once."""
    held = bench.engine.enqueue("one", held=True)
    first, _ = bench.start("a", message_id="1")
    await held.written.wait()
    second, answer = bench.start("b", message_id="2")
    third, _ = bench.start("c", message_id="3")
    await asyncio.sleep(0)
    edit = await bench.say("B", message_id="2", edited=True)
    assert edit.calls == []
    held.release()
    await asyncio.gather(first, second, third)
    assert answer.reply == "re: B"
    assert bench.engine.prompts[-1] == ["Be kind.", "a", "one", "B", "re: B", "c"]


async def test_a_waiting_message_may_become_a_command(bench: ChatBench) -> None:
    """The text that counts is the one at the time of the answer."""
    held = bench.engine.enqueue("one", held=True)
    first, _ = bench.start("a")
    await held.written.wait()
    second, answer = bench.start("pesona", message_id="2")
    await asyncio.sleep(0)
    await bench.say("/persona", message_id="2", edited=True)
    held.release()
    await asyncio.gather(first, second)
    assert "pirate" in answer.reply


async def test_an_edit_that_changes_nothing_is_not_answered(bench: ChatBench) -> None:
    """Platforms report a link's preview as an edit: neither the stored turns nor a running reply suffer from it."""
    await bench.say("a", message_id="1")
    await bench.say("b", message_id="2")
    assert (await bench.say("a", message_id="1", edited=True)).calls == []
    held = bench.engine.enqueue("three", held=True)
    task, target = bench.start("c", message_id="3")
    await held.written.wait()
    assert (await bench.say("c", message_id="3", edited=True)).calls == []
    assert not held.cancelled.is_set()
    held.release()
    await task
    assert target.reply == "three"
    assert [turn.text for turn in await bench.stored()] == ["a", "b", "c"]


async def test_an_edit_of_an_unknown_message_is_a_new_one(bench: ChatBench) -> None:
    """A message from before the bot was there, or from before /new, is answered like any other."""
    assert (await bench.say("a", message_id="9", edited=True)).reply == "re: a"
    await bench.say("/new")
    assert (await bench.say("A", message_id="9", edited=True)).reply == "re: A"
    assert bench.engine.prompts[-1] == ["Be kind.", "A"]


async def test_an_edit_of_a_message_that_was_cut_brings_its_past_back(bench: ChatBench) -> None:
    """With everything after it discarded, the turns before an old message fit the window again."""
    await bench.say("first", message_id="1")
    await bench.say("second", message_id="2")
    while not (await bench.say("word " * 15)).notices:
        pass
    assert "first" not in bench.engine.prompts[-1]
    await bench.say("SECOND", message_id="2", edited=True)
    assert bench.engine.prompts[-1] == ["Be kind.", "first", "re: first", "SECOND"]
    await bench.say("third")
    assert bench.engine.prompts[-1] == ["Be kind.", "first", "re: first", "SECOND", "re: SECOND", "third"]


async def test_an_edit_of_a_failed_message_is_answered(bench: ChatBench) -> None:
    """A message that was too long can be shortened where it stands."""
    assert (await bench.say("word " * 350, message_id="1")).errors == ["context_length_exceeded"]
    assert (await bench.say("short", message_id="1", edited=True)).reply == "re: short"
    assert [turn.text for turn in await bench.stored()] == ["short"]
