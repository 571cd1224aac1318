"""/new, /stop, /retry, /undo and /continue."""

import asyncio

import pytest

from bot.errors import QueueFullError
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench
from tests.support.until import until


@pytest.mark.parametrize("command", ["/new", "/reset", "/NEW@hearth_bot"])
async def test_new_starts_over(bench: ChatBench, command: str) -> None:
    """The next prompt has nothing of before, the engine keeps it under another name, and the old turns stay stored."""
    await bench.say("a")
    old = await bench.conversation()
    assert (await bench.say(command)).reply == "Hello!"
    await bench.say("b")
    assert bench.engine.prompts[-1] == ["Be kind.", "b"]
    assert bench.engine.history[0].conversation != bench.engine.history[1].conversation
    assert [turn.text for turn in await bench.turns.all(old.id)] == ["a"]


async def test_new_does_not_wait_for_a_reply_that_nobody_wants(bench: ChatBench) -> None:
    """What is being written is stopped first, and stays in the old conversation."""
    reply = bench.engine.enqueue("half", held=True)
    first, _ = bench.start("a")
    await reply.written.wait()
    old = await bench.conversation()
    assert (await bench.say("/new")).reply == "Hello!"
    await first
    assert reply.cancelled.is_set()
    assert [turn.reply for turn in await bench.turns.all(old.id)] == ["half"]
    assert await bench.stored() == []


async def test_a_command_behind_a_waiting_message_keeps_the_order(bench: ChatBench) -> None:
    """/undo is about the message before it: the reply to an earlier one is not stopped for it."""
    reply = bench.engine.enqueue("one", held=True)
    first, _ = bench.start("a")
    await reply.written.wait()
    second, _ = bench.start("b")
    undo, target = bench.start("/undo")
    await asyncio.sleep(0)
    reply.release()
    await asyncio.gather(first, second, undo)
    assert not reply.cancelled.is_set()
    assert target.reply == "Taken back: “b”"
    assert [(turn.text, turn.reply) for turn in await bench.stored()] == [("a", "one")]


@pytest.mark.parametrize("command", ["/stop", "/cancel"])
async def test_stop_ends_the_reply_and_keeps_what_there_is(bench: ChatBench, command: str) -> None:
    """It does not wait in the line; the partial reply is final, stored and part of the context."""
    reply = bench.engine.enqueue("half", held=True)
    task, target = bench.start("a")
    await reply.written.wait()
    assert (await bench.say(command)).reply == "Stopped."
    await task
    assert target.reply == "half"
    await bench.say("b")
    assert bench.engine.prompts[-1] == ["Be kind.", "a", "half", "b"]


async def test_stop_before_the_first_word_is_answered_too(bench: ChatBench) -> None:
    """The stopped message gets a last word, and is no part of the context."""
    reply = bench.engine.enqueue(held=True)
    task, target = bench.start("a")
    await reply.written.wait()
    await bench.say("/stop")
    await task
    assert target.reply == "(Stopped before the first word.)"
    assert [turn.status for turn in await bench.stored()] == ["failed"]


async def test_stop_that_comes_before_the_engine_was_asked_counts(bench: ChatBench) -> None:
    """Between the message and the generation lies the database: a stop in there is not lost."""
    reply = bench.engine.enqueue("half", held=True)
    task, _ = bench.start("a")
    await until(lambda: bench.lines.serving(bench.message("").key) is not None)
    assert bench.engine.history == []
    assert (await bench.say("/stop")).reply == "Stopped."
    await task
    assert reply.cancelled.is_set()


async def test_stop_with_nothing_to_stop_says_so(bench: ChatBench) -> None:
    """Somebody else's reply is not one's own to stop."""
    reply = bench.engine.enqueue("one", held=True)
    task, _ = bench.start("a", user="bob")
    await reply.written.wait()
    assert (await bench.say("/stop", user="ann")).reply == "There is nothing to stop."
    assert not reply.cancelled.is_set()
    reply.release()
    await task


@pytest.mark.parametrize("command", ["/retry", "/resend"])
async def test_retry_replaces_the_last_reply(bench: ChatBench, command: str) -> None:
    """The message is answered again from the same prompt, and only the new reply counts from then on."""
    await bench.say("a")
    await bench.say("b")
    bench.engine.enqueue("better")
    assert (await bench.say(command)).reply == "better"
    assert bench.engine.prompts[-1] == bench.engine.prompts[-2]
    assert [(turn.text, turn.reply) for turn in await bench.stored()] == [("a", "re: a"), ("b", "better")]


async def test_retry_keeps_the_old_reply_until_there_is_a_new_one(bench: ChatBench) -> None:
    """A retry that fails, or is stopped before its first word, takes nothing away."""
    await bench.say("a")
    bench.engine.enqueue("half", error=QueueFullError("full"))
    assert (await bench.say("/retry")).errors == ["queue_full"]
    assert [(turn.reply, turn.status) for turn in await bench.stored()] == [("re: a", "done")]
    held = bench.engine.enqueue(held=True)
    task, _ = bench.start("/retry")
    await held.written.wait()
    assert [(turn.reply, turn.status) for turn in await bench.stored()] == [("re: a", "pending")]
    await bench.say("/stop")
    await task
    assert [(turn.reply, turn.status) for turn in await bench.stored()] == [("re: a", "done")]


async def test_retry_behind_a_cut_neither_cuts_nor_tells_again(bench: ChatBench) -> None:
    """Also where the cut left nothing but the message itself."""
    await bench.say("a")
    bench.engine.enqueue("word " * 20)
    assert (await bench.say("word " * 289)).notices != []
    assert (await bench.conversation()).context_start == (await bench.stored())[-1].id
    assert (await bench.say("/retry")).notices == []
    assert bench.engine.prompts[-1] == bench.engine.prompts[-2]


async def test_retry_answers_a_message_that_failed(bench: ChatBench) -> None:
    """The person need not type it again."""
    bench.engine.enqueue(error=QueueFullError("full"))
    await bench.say("a")
    assert (await bench.say("/retry")).reply == "re: a"
    assert [turn.status for turn in await bench.stored()] == ["done"]


async def test_retry_is_answered_by_the_persona_of_now(bench: ChatBench) -> None:
    """Another persona is a common reason to try again."""
    await bench.say("a")
    await bench.say("/persona pirate")
    await bench.say("/retry")
    assert bench.engine.prompts[-1] == ["Talk like a pirate.", "a"]
    assert [turn.persona for turn in await bench.stored()] == ["pirate"]


async def test_undo_takes_the_last_exchange_back(bench: ChatBench) -> None:
    """One call takes back one exchange, as far as there are any."""
    await bench.say("a")
    await bench.say("b")
    assert (await bench.say("/undo")).reply == "Taken back: “b”"
    await bench.say("c")
    assert bench.engine.prompts[-1] == ["Be kind.", "a", "re: a", "c"]
    await bench.say("/undo")
    await bench.say("/undo")
    assert (await bench.say("/undo")).reply == "There is nothing to take back."


async def test_undo_behind_a_cut_brings_the_past_back(bench: ChatBench) -> None:
    """Where everything since the cut was taken back, the turns before it are shown to the model again."""
    await bench.say("first")
    while not (await bench.say("word " * 15)).notices:
        pass
    conversation = await bench.conversation()
    for turn in await bench.stored():
        if turn.id >= conversation.context_start:
            await bench.say("/undo")
    await bench.say("next")
    assert bench.engine.prompts[-1][:3] == ["Be kind.", "first", "re: first"]


async def test_continue_goes_on_at_the_end_of_the_last_reply(bench: ChatBench) -> None:
    """The model writes on in its own message; shown is what is new, stored is all of it as one."""
    bench.engine.enqueue("Once upon", finish_reason="length")
    await bench.say("a story")
    bench.engine.enqueue(" a time.")
    assert (await bench.say("/continue")).reply == "a time."
    request = bench.engine.history[-1]
    assert request.continue_final
    assert [message.content for message in request.messages] == ["Be kind.", "a story", "Once upon"]
    await bench.say("b")
    assert bench.engine.prompts[-1] == ["Be kind.", "a story", "Once upon a time.", "b"]


async def test_continue_that_comes_to_nothing_changes_nothing(bench: ChatBench) -> None:
    """Neither a model that is done nor a failure takes the reply away."""
    await bench.say("a")
    bench.engine.enqueue("")
    assert (await bench.say("/continue")).reply == "(I have nothing to add.)"
    bench.engine.enqueue(" more", error=QueueFullError("full"))
    await bench.say("/continue")
    assert [(turn.reply, turn.status) for turn in await bench.stored()] == [("re: a", "done")]


async def test_continue_that_is_stopped_keeps_both_parts(bench: ChatBench) -> None:
    """What was added until then belongs to the reply."""
    await bench.say("a")
    held = bench.engine.enqueue(" and", held=True)
    task, _ = bench.start("/continue")
    await held.written.wait()
    await bench.say("/stop")
    await task
    assert [turn.reply for turn in await bench.stored()] == ["re: a and"]


async def test_continue_keeps_the_thoughts_of_both_parts(open_bench: OpenBench) -> None:
    """The reply was thought about before it was continued."""
    async with open_bench() as bench:
        bench.engine.enqueue("one", thoughts=("hm ",))
        await bench.say("a")
        bench.engine.enqueue(" two", thoughts=("aha",))
        await bench.say("/continue")
        assert [(turn.reply, turn.reasoning) for turn in await bench.stored()] == [("one two", "hm aha")]


async def test_continue_of_a_reply_that_fills_the_window_is_refused(bench: ChatBench) -> None:
    """The text says what to do instead, and the reply stays."""
    bench.engine.enqueue("word " * 60, finish_reason="length")
    await bench.say("a " * 200)
    bench.engine.enqueue(" word" * 60, finish_reason="length")
    await bench.say("/continue")
    target = await bench.say("/continue")
    assert "as long as I can keep in mind" in target.reply
    assert [turn.status for turn in await bench.stored()] == ["done"]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("/retry", "There is no message to answer again yet."),
        ("/undo", "There is nothing to take back."),
        ("/continue", "There is no reply to go on with yet."),
    ],
)
async def test_an_empty_conversation_has_nothing_to_work_on(bench: ChatBench, command: str, answer: str) -> None:
    """The commands say so instead of failing."""
    assert (await bench.say(command)).reply == answer


async def test_continue_of_a_failed_message_points_to_retry(bench: ChatBench) -> None:
    """There is no reply to go on with."""
    bench.engine.enqueue(error=QueueFullError("full"))
    await bench.say("a")
    assert "/retry" in (await bench.say("/continue")).reply


async def test_words_behind_a_command_that_takes_none_are_refused(bench: ChatBench) -> None:
    """They would be lost in silence otherwise."""
    await bench.say("a")
    target = await bench.say("/new what is the weather?")
    assert "stands alone" in target.reply
    assert len(await bench.stored()) == 1
