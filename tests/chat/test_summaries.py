"""What becomes of turns that the window has no room for, with `history.overflow: summarise`."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.errors import QueueFullError
from bot.storage.records import Summary
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench
from tests.support.scripted_engine import prompt_tokens

QUESTION = "What have we talked about so far?"
SUMMARISE = {"overflow": "summarise"}


@pytest.fixture
async def bench(open_bench: OpenBench) -> AsyncIterator[ChatBench]:
    """The chat that summarises; of its window of 400 tokens, 300 are for prompts and 50 for a summary."""
    async with open_bench(history=SUMMARISE) as opened:
        yield opened


async def talk(bench: ChatBench, *, until_cut: bool = False) -> list[str]:
    """Talk until a summary is wanted, or until old turns are left out; return the notices of the last turn."""
    for number in range(30):
        target = await bench.say(f"{number} " + "word " * 15)
        if target.notices if until_cut else bench.summarising:
            return target.notices
    raise AssertionError("the window never filled up")


async def stored(bench: ChatBench, user: str = "ann") -> list[Summary]:
    """The summaries of the user's current conversation."""
    return await bench.summaries.of((await bench.conversation(user)).id)


async def test_a_summary_is_written_in_a_pause_and_stands_in_for_what_is_cut(bench: ChatBench) -> None:
    """It is asked for before the cut, and from the cut on the prompt has it and only grows again; it is told once."""
    await talk(bench)
    last, asked = bench.engine.prompts[-1], len(bench.engine.history)
    bench.engine.enqueue("They counted ", "words.\n")
    await bench.pause()
    request = bench.engine.history[asked]
    assert bench.engine.prompts[asked][:-1] == last[: len(request.messages) - 1]
    assert 1 < len(request.messages) <= len(last)
    assert "sum up our conversation" in request.messages[-1].content
    assert (request.user, request.conversation) == ("summary of test:ann", "summary-1")
    assert (request.max_tokens, request.sampling.temperature, request.reasoning) == (50, 0.2, "off")
    (summary,) = await stored(bench)
    assert (summary.text, summary.shown) == ("They counted words.", False)
    assert (await bench.say("short")).notices == []
    assert QUESTION not in bench.engine.prompts[-1]
    notices = await talk(bench, until_cut=True)
    assert len(notices) == 1
    assert "I keep a summary" in notices[0]
    cut = bench.engine.prompts[-1]
    assert cut[:3] == ["Be kind.", QUESTION, "They counted words."]
    turns = await bench.stored()
    following = [turn for turn in turns if turn.id > summary.through_turn]
    assert cut[3:] == [text for turn in following[:-1] for text in (turn.text, turn.reply)] + [turns[-1].text]
    assert not bench.engine.history[-1].may_shift
    assert (await bench.say("next")).notices == []
    assert bench.engine.prompts[-1][: len(cut)] == cut


async def test_a_later_summary_is_made_of_the_earlier_and_what_followed_it(bench: ChatBench) -> None:
    """Nothing is summed up from the start again, and nothing in between is left out; one summary is kept."""
    await talk(bench)
    bench.engine.enqueue("First summary.")
    await bench.pause()
    (first,) = await stored(bench)
    await talk(bench, until_cut=True)
    await bench.pause()
    await talk(bench)
    bench.engine.enqueue("Second summary.")
    await bench.pause()
    asked = bench.engine.prompts[-1]
    assert asked[:3] == ["Be kind.", QUESTION, "First summary."]
    shown, second = await stored(bench)
    between = [turn for turn in await bench.stored() if first.through_turn < turn.id <= second.through_turn]
    assert asked[3:-1] == [text for turn in between for text in (turn.text, turn.reply)]
    assert (shown.text, second.text) == ("First summary.", "Second summary.")
    await talk(bench, until_cut=True)
    assert bench.engine.prompts[-1][:3] == ["Be kind.", QUESTION, "Second summary."]
    assert [summary.text for summary in await stored(bench)] == ["Second summary."]


async def test_a_restart_keeps_the_summary(open_bench: OpenBench) -> None:
    """Before the cut it still waits, after the cut it still stands in the prompt."""
    async with open_bench(history=SUMMARISE) as bench:
        await talk(bench)
        bench.engine.enqueue("Words.")
        await bench.pause()
    async with open_bench(history=SUMMARISE) as bench:
        await talk(bench, until_cut=True)
        cut = bench.engine.prompts[-1]
        assert "Words." in cut
    async with open_bench(history=SUMMARISE) as bench:
        assert (await bench.say("next")).notices == []
        assert bench.engine.prompts[-1][: len(cut)] == cut


async def test_a_summary_gives_way_and_is_written_later(bench: ChatBench) -> None:
    """As soon as somebody waits it is broken off, and it is asked for again when nobody does."""
    await talk(bench)
    tasks = bench.summarising
    held = bench.engine.enqueue("half", held=True)
    await bench.clock.asleep(1)
    bench.clock.advance(1)
    await held.written.wait()
    await bench.clock.asleep(1)
    assert not held.cancelled.is_set()
    bench.engine.waiting = 1
    bench.clock.advance(0.25)
    await held.cancelled.wait()
    asked = len(bench.engine.history)
    await bench.clock.asleep(1)
    bench.clock.advance(1)
    await bench.clock.asleep(1)
    assert len(bench.engine.history) == asked
    assert await stored(bench) == []
    bench.engine.waiting = 0
    bench.engine.enqueue("whole")
    bench.clock.advance(1)
    await asyncio.gather(*tasks)
    assert [summary.text for summary in await stored(bench)] == ["whole"]


async def test_a_summary_is_not_begun_while_a_reply_is_written(bench: ChatBench) -> None:
    """Another person's reply has the model to itself."""
    held = bench.engine.enqueue("bob", held=True)
    task, _ = bench.start("b", user="bob")
    await held.written.wait()
    await talk(bench)
    asked = len(bench.engine.history)
    await bench.clock.asleep(1)
    bench.clock.advance(1)
    assert len(bench.engine.history) == asked
    held.release()
    await task
    await bench.pause()
    assert len(bench.engine.history) == asked + 1


async def test_two_summaries_are_written_one_after_the_other(bench: ChatBench) -> None:
    """The second begins in a pause after the first."""
    for user in ("ann", "bob"):
        while not await _wanted(bench, user):
            await bench.say("word " * 16, user=user)
    tasks = bench.summarising
    assert len(tasks) == 2
    for task, summary in zip(tasks, ("of ann", "of bob"), strict=True):
        held = bench.engine.enqueue(summary, held=True)
        await bench.clock.asleep(1)
        bench.clock.advance(1)
        await held.written.wait()
        held.release()
        await task
    assert [(await stored(bench, user))[0].text for user in ("ann", "bob")] == ["of ann", "of bob"]


async def _wanted(bench: ChatBench, user: str) -> bool:
    return (await bench.conversation(user)).id in bench.service._parts.summariser._tasks


async def test_a_model_that_was_unloaded_is_not_woken_up_for_it(bench: ChatBench) -> None:
    """The next turn asks again."""
    await talk(bench)
    asked = len(bench.engine.history)
    bench.engine.loaded = False
    await bench.pause()
    assert len(bench.engine.history) == asked
    assert not bench.summarising
    bench.engine.loaded = True
    await bench.say("a")
    await bench.pause()
    assert len(await stored(bench)) == 1


async def test_a_cut_that_comes_too_early_drops_and_the_summary_is_used_at_the_next(bench: ChatBench) -> None:
    """Between the two the prompt only grows; the next summary has both parts."""
    await talk(bench)
    assert "set its oldest part aside" in (await talk(bench, until_cut=True))[0]
    assert bench.engine.history[-1].may_shift
    cut = bench.engine.prompts[-1]
    assert QUESTION not in cut
    bench.engine.enqueue("Late summary.")
    await bench.pause()
    (late,) = await stored(bench)
    assert late.through_turn >= (await bench.stored())[0].id
    await bench.say("next")
    assert bench.engine.prompts[-1][: len(cut)] == cut
    if not bench.summarising:
        await talk(bench)
    bench.engine.enqueue("Both parts.")
    await bench.pause()
    assert bench.engine.prompts[-1][:3] == ["Be kind.", QUESTION, "Late summary."]
    await talk(bench, until_cut=True)
    assert bench.engine.prompts[-1][:3] == ["Be kind.", QUESTION, "Both parts."]


async def test_another_persona_gets_a_late_summary_at_once(bench: ChatBench) -> None:
    """Its prompt is read from the start anyway; the persona who knows the conversation is not made to read it again."""
    await talk(bench, until_cut=True)
    bench.engine.enqueue("Late summary.")
    await bench.pause()
    await bench.say("a")
    assert QUESTION not in bench.engine.prompts[-1]
    await bench.say("/persona pirate")
    assert (await bench.say("b")).notices == []
    assert bench.engine.prompts[-1][:3] == ["Talk like a pirate.", QUESTION, "Late summary."]


async def test_long_busy_times_are_summed_up_in_portions(bench: ChatBench) -> None:
    """However much was dropped meanwhile, each request fits the window, and every turn is in one of them."""
    for number in range(40):
        await bench.say(f"{number} " + "word " * 15)
    while not bench.summarising:
        await bench.say("word " * 16)
    before = len(bench.engine.history)
    bench.engine.answer = lambda request: f"summary with {len(request.messages)}"
    await bench.pause()
    requests = bench.engine.history[before:]
    assert len(requests) > 2
    assert all(prompt_tokens(request.messages) + (request.max_tokens or 0) <= 400 for request in requests)
    (summary,) = await stored(bench)
    told = [message.content for request in requests for message in request.messages]
    assert [text for text in told if text.endswith("word") and not text.startswith("re:")] == [
        turn.text for turn in await bench.stored() if turn.id <= summary.through_turn
    ]


async def test_a_turn_too_long_to_be_summed_up_is_summed_up_in_part(open_bench: OpenBench) -> None:
    """A message that fills the window by itself does not keep the conversation from being summed up."""
    async with open_bench(history=SUMMARISE, generation={"max_tokens": 10}) as bench:
        bench.engine.answer = lambda _: "ok"
        await bench.say("long " * 370)
        assert (await bench.say("word " * 200)).notices
        while not bench.summarising:
            await bench.say("word " * 15)
        await bench.pause()
        (summary,) = await stored(bench)
        assert summary.text == "ok"
        assert any("long" in prompt[1] for prompt in bench.engine.prompts if "sum up" in prompt[-1])


async def test_a_message_that_leaves_no_room_for_the_summary_is_answered_without(bench: ChatBench) -> None:
    """The summary waits, and is back with the next cut."""
    await talk(bench)
    bench.engine.enqueue("word " * 40)
    await bench.pause()
    await talk(bench, until_cut=True)
    assert QUESTION in bench.engine.prompts[-1]
    target = await bench.say("word " * 280)
    assert (target.errors, len(target.notices)) == ([], 1)
    assert bench.engine.prompts[-1][:1] == ["Be kind."]
    assert QUESTION not in bench.engine.prompts[-1]
    bench.engine.enqueue("ok")
    await bench.say("and")
    assert QUESTION in bench.engine.prompts[-1]


async def test_undo_into_the_summary_drops_it(bench: ChatBench) -> None:
    """The turns that are left are shown word for word again, and none that was taken back in any form."""
    await talk(bench)
    bench.engine.enqueue("Words.")
    await bench.pause()
    (summary,) = await stored(bench)
    await talk(bench, until_cut=True)
    turns = await bench.stored()
    while turns[-1].id > summary.through_turn:
        await bench.say("/undo")
        turns.pop()
        assert len(await stored(bench)) == 1
    await bench.say("/undo")
    turns.pop()
    assert await stored(bench) == []
    await bench.say("next")
    assert bench.engine.prompts[-1] == [
        "Be kind.",
        *(text for turn in turns for text in (turn.text, turn.reply)),
        "next",
    ]


async def test_undo_up_to_the_summary_shows_the_turns_themselves(bench: ChatBench) -> None:
    """With everything after the cut gone there is room for what was summed up; the summary is ready for later."""
    await talk(bench)
    bench.engine.enqueue("Words.")
    await bench.pause()
    (summary,) = await stored(bench)
    await talk(bench, until_cut=True)
    turns = await bench.stored()
    for _ in [turn for turn in turns if turn.id > summary.through_turn]:
        await bench.say("/undo")
    await bench.say("next")
    assert bench.engine.prompts[-1][:3] == ["Be kind.", turns[0].text, turns[0].reply]
    assert await stored(bench) == [summary]


async def test_an_edit_of_a_summarised_turn_drops_the_summary(bench: ChatBench) -> None:
    """The conversation goes on from the edited message, with what was before it word for word."""
    await bench.say("first", message_id="first")
    await bench.say("second", message_id="second")
    await talk(bench)
    bench.engine.enqueue("Words.")
    await bench.pause()
    await talk(bench, until_cut=True)
    await bench.say("SECOND", message_id="second", edited=True)
    assert bench.engine.prompts[-1] == ["Be kind.", "first", "re: first", "SECOND"]
    assert await stored(bench) == []


async def test_an_edit_while_the_summary_is_written_breaks_it_off(bench: ChatBench) -> None:
    """What was written about the old version is never stored."""
    await bench.say("first", message_id="first")
    await talk(bench)
    held = bench.engine.enqueue("about the old version", held=True)
    await bench.clock.asleep(1)
    bench.clock.advance(1)
    await held.written.wait()
    await bench.say("FIRST", message_id="first", edited=True)
    await held.cancelled.wait()
    assert not bench.summarising
    assert await stored(bench) == []


@pytest.mark.parametrize("command", ["/retry", "/continue", "/persona pirate"])
async def test_commands_on_the_latest_turn_keep_the_summary(bench: ChatBench, command: str) -> None:
    """It is about older turns; another persona goes on from it too."""
    await talk(bench)
    bench.engine.enqueue("Words.")
    await bench.pause()
    await talk(bench, until_cut=True)
    await bench.say(command)
    assert [(summary.text, summary.shown) for summary in await stored(bench)] == [("Words.", True)]
    await bench.say("next")
    assert bench.engine.prompts[-1][1:3] == [QUESTION, "Words."]


async def test_a_new_conversation_is_not_summed_up_for_the_old_one(bench: ChatBench) -> None:
    """Nobody will read on in a conversation that another has taken the place of."""
    await talk(bench)
    asked = len(bench.engine.history)
    await bench.say("/new")
    await bench.pause()
    assert len(bench.engine.history) == asked
    await bench.say("a")
    assert bench.engine.prompts[-1] == ["Be kind.", "a"]


async def test_forgetting_breaks_the_summary_off_and_deletes_it(bench: ChatBench) -> None:
    """Neither the database nor the engine has anything of it."""
    await talk(bench)
    held = bench.engine.enqueue("SECRET-SUMMARY", held=True)
    await bench.clock.asleep(1)
    bench.clock.advance(1)
    await held.written.wait()
    await bench.say("/forget")
    await bench.say("/forget confirm")
    assert held.cancelled.is_set()
    assert not bench.summarising
    assert bench.engine.forgotten == ["test:ann", "summary of test:ann"]
    assert await bench.conversations.of_user("test", "ann") == []
    assert b"SECRET-SUMMARY" not in b"".join(file.read_bytes() for file in bench.path.parent.iterdir())


async def test_export_and_status_have_the_summary(bench: ChatBench) -> None:
    """A person sees what is kept in mind of them, and that it takes room."""
    await talk(bench)
    bench.engine.enqueue("They counted words.")
    await bench.pause()
    await talk(bench, until_cut=True)
    target = await bench.say("/export")
    markdown, document = (target.files[name].decode() for name in ("conversation-1.md", "conversation-1.json"))
    assert "## My summary of the first 5 messages\n\nThey counted words.\n\n## You" in markdown
    assert '"covers_turns": 5,\n      "in_use": true' in document
    status = (await bench.say("/status")).reply
    turns = await bench.turns.context(await bench.conversation())
    words = [("Be kind.", QUESTION, "They counted words.", "")]
    words += [(turn.text, turn.reply or "") for turn in turns]
    tokens = sum(2 + len(text.split()) for texts in words for text in texts) + 1
    assert f"- Context: {tokens} of 400 tokens" in status


async def test_the_end_of_the_daemon_breaks_summaries_off(bench: ChatBench) -> None:
    """Draining does not wait for them, and none is begun by the last replies."""
    await talk(bench)
    held = bench.engine.enqueue("half", held=True)
    await bench.clock.asleep(1)
    bench.clock.advance(1)
    await held.written.wait()
    last = bench.engine.enqueue("last", held=True)
    task, target = bench.start("a")
    await last.written.wait()
    drain = asyncio.create_task(bench.service.drain(600))
    await held.cancelled.wait()
    last.release()
    await asyncio.gather(drain, task)
    assert target.reply == "last"
    assert not bench.summarising
    assert await stored(bench) == []


async def test_a_summary_that_fails_is_logged_and_asked_for_again(
    bench: ChatBench, caplog: pytest.LogCaptureFixture
) -> None:
    """The person notices nothing; nor does anything come of a model that has nothing to say."""
    await talk(bench)
    bench.engine.enqueue(error=QueueFullError("full"))
    tasks = bench.summarising
    await bench.clock.asleep(1)
    bench.clock.advance(1)
    await asyncio.wait(tasks)
    assert "conversation 1 could not be summed up: full" in caplog.text
    for text in ("  ", "Words."):
        assert (await bench.say("a")).errors == []
        assert await stored(bench) == []
        bench.engine.enqueue(text)
        await bench.pause()
    assert [summary.text for summary in await stored(bench)] == ["Words."]


async def test_a_summary_that_was_too_long_ends_with_its_last_whole_sentence(bench: ChatBench) -> None:
    """Its length is bounded by the model's own count of tokens."""
    await talk(bench)
    bench.engine.enqueue("They spoke of ships. Then the wea", finish_reason="length")
    await bench.pause()
    assert [summary.text for summary in await stored(bench)] == ["They spoke of ships."]


@pytest.mark.parametrize("overflow", ["shift", "drop"])
async def test_other_settings_write_no_summary(open_bench: OpenBench, overflow: str) -> None:
    """Turns are set aside, and only `shift` lets the engine cut them out of its cache."""
    async with open_bench(history={"overflow": overflow}) as bench:
        assert "set its oldest part aside" in (await talk(bench, until_cut=True))[0]
        assert bench.engine.history[-1].may_shift is (overflow == "shift")
        assert not bench.summarising
        assert all("sum up" not in prompt[-1] for prompt in bench.engine.prompts)
