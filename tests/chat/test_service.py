"""What happens to one message, from the adapter to the database and back."""

import asyncio
import itertools
import logging

import pytest

from bot.errors import EngineLostError, ModelLoadError, QueueFullError, StorageError
from bot.messages import Attachment, OutgoingMessage
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench
from tests.support.recording_target import RecordingTarget


async def test_a_message_is_answered_and_both_are_stored(bench: ChatBench) -> None:
    """A turn ends with the reply shown, with its facts, and the exchange in the database."""
    bench.engine.enqueue("Hi ", "Ann")
    target = await bench.say("Hello")
    assert target.reply == "Hi Ann"
    assert target.calls[-1][1].facts is not None
    (turn,) = await bench.stored()
    assert (turn.text, turn.reply, turn.status) == ("Hello", "Hi Ann", "done")


async def test_the_message_is_stored_before_it_is_answered(bench: ChatBench) -> None:
    """While the reply is written, its message is in the database as pending."""
    reply = bench.engine.enqueue("Hi", held=True)
    task, _ = bench.start("Hello")
    await reply.written.wait()
    (turn,) = await bench.stored()
    assert (turn.text, turn.reply, turn.status) == ("Hello", None, "pending")
    reply.release()
    await task


async def test_messages_of_one_conversation_are_answered_in_order(bench: ChatBench) -> None:
    """What comes while a reply is written waits for its turn, and sees the turns before it."""
    first = bench.engine.enqueue("one", held=True)
    bench.engine.enqueue("two")
    bench.engine.enqueue("three")
    talks = [bench.start(text) for text in ("a", "b", "c")]
    await first.written.wait()
    assert len(bench.engine.history) == 1
    first.release()
    await asyncio.gather(*(task for task, _ in talks))
    assert [target.reply for _, target in talks] == ["one", "two", "three"]
    assert bench.engine.prompts[-1] == ["Be kind.", "a", "one", "b", "two", "c"]


async def test_two_users_are_answered_at_once(bench: ChatBench) -> None:
    """One person's long reply does not hold up another's, and neither sees the other's conversation."""
    slow = bench.engine.enqueue("slow", held=True)
    task, _ = bench.start("a", user="ann")
    await slow.written.wait()
    bench.engine.enqueue("quick")
    assert (await bench.say("b", user="bob")).reply == "quick"
    assert bench.engine.prompts[-1] == ["Be kind.", "b"]
    assert [request.user for request in bench.engine.history] == ["test:ann", "test:bob"]
    slow.release()
    await task


async def test_a_prompt_only_grows_at_its_end(bench: ChatBench) -> None:
    """Every prompt starts with the one before it and its reply, under the same name, so all of it is found cached."""
    for number in range(6):
        await bench.say(f"message {number}")
    for before, after in itertools.pairwise(bench.engine.prompts):
        assert after[: len(before)] == before
    assert len({request.conversation for request in bench.engine.history}) == 1
    usages = [turn.facts.usage for turn in await bench.stored() if turn.facts]
    assert len(usages) == 6
    for earlier, later in itertools.pairwise(usages):
        assert later.cached_tokens >= earlier.prompt_tokens - 1


async def test_a_turn_costs_one_count(bench: ChatBench) -> None:
    """The usual turn is counted once, however long the conversation is."""
    for number in range(8):
        await bench.say(f"message {number}")
    assert len(bench.engine.counts) == 8


async def test_a_restart_goes_on_with_the_conversation(open_bench: OpenBench) -> None:
    """A new process finds the turns of the one before."""
    async with open_bench() as bench:
        bench.engine.enqueue("noted")
        await bench.say("remember 7")
    async with open_bench() as bench:
        await bench.say("which number?")
        assert bench.engine.prompts[-1] == ["Be kind.", "remember 7", "noted", "which number?"]


@pytest.mark.parametrize(
    ("error", "code"),
    [(QueueFullError("Many people are waiting."), "queue_full"), (EngineLostError("CUDA error 719"), "engine_lost")],
)
@pytest.mark.parametrize("way", ["raised", "reported"])
async def test_a_failed_turn_is_told_and_left_out_of_the_context(
    bench: ChatBench, error: QueueFullError | EngineLostError, code: str, way: str
) -> None:
    """The engine may raise or report: the person reads the safe text, and the next prompt has nothing of the turn."""
    if way == "raised":
        bench.engine.enqueue(refusal=error)
    else:
        bench.engine.enqueue("half an", error=error)
    target = await bench.say("a")
    assert target.errors == [code]
    assert target.replies[-1] == error.user_text
    assert target.replies[:-1] == ([] if way == "raised" else ["half an"])
    await bench.say("b")
    assert bench.engine.prompts[-1] == ["Be kind.", "b"]
    assert [turn.status for turn in await bench.stored()] == ["failed", "done"]


async def test_an_unexpected_error_is_logged_and_told_in_plain_words(
    bench: ChatBench, caplog: pytest.LogCaptureFixture
) -> None:
    """The trace goes to the log; the chat gets a sentence without it."""
    bench.engine.enqueue(refusal=ZeroDivisionError("secret /path"))
    target = await bench.say("a")
    assert target.errors == ["internal_error"]
    assert "secret" not in target.reply
    assert "ZeroDivisionError: secret /path" in caplog.text
    assert [turn.error_code for turn in await bench.stored()] == ["internal_error"]


async def test_a_message_that_cannot_be_stored_is_not_answered(
    bench: ChatBench, caplog: pytest.LogCaptureFixture
) -> None:
    """With the database gone the model is not asked; the person is told, the log has the detail, nothing is left."""
    await bench.database.aclose()
    target = await bench.say("a")
    assert target.reply == StorageError.user_text
    assert target.errors == ["storage_failed"]
    assert bench.engine.history == []
    assert "the database is closed" in caplog.text
    assert len(bench.lines) == 0


async def test_a_reply_that_cannot_be_stored_is_told(bench: ChatBench) -> None:
    """What was streamed stays readable, and the person learns that it is not kept."""
    async with bench.database.transaction() as transaction:
        await transaction.run(
            "CREATE TRIGGER full BEFORE UPDATE ON turns BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    bench.engine.enqueue("words")
    target = await bench.say("a")
    assert target.replies == ["words", StorageError.user_text]
    async with bench.database.transaction() as transaction:
        await transaction.run("DROP TRIGGER full")
    assert (await bench.say("b")).errors == []
    assert bench.engine.prompts[-1] == ["Be kind.", "b"]


async def test_a_cancelled_call_stores_the_partial_reply(bench: ChatBench) -> None:
    """Cancelling stops the generation; what was written is part of the conversation, and the line is free."""
    reply = bench.engine.enqueue("half", held=True)
    task, _ = bench.start("a")
    await reply.written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert reply.cancelled.is_set()
    assert len(bench.lines) == 0
    (turn,) = await bench.stored()
    assert (turn.status, turn.reply) == ("done", "half")
    assert turn.facts is not None
    assert turn.facts.finish_reason == "cancelled"
    assert (await bench.say("b")).errors == []
    assert bench.engine.prompts[-1] == ["Be kind.", "a", "half", "b"]


async def test_a_call_cancelled_before_the_first_word_leaves_no_half_exchange(bench: ChatBench) -> None:
    """Without a word of reply the message is no part of the context."""
    reply = bench.engine.enqueue(held=True)
    task, _ = bench.start("a")
    await reply.written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [turn.error_code for turn in await bench.stored()] == ["cancelled"]
    await bench.say("b")
    assert bench.engine.prompts[-1] == ["Be kind.", "b"]


async def test_a_call_cancelled_while_a_platform_hangs_ends_all_the_same(bench: ChatBench) -> None:
    """Storing does not wait for what is being shown."""
    reply = bench.engine.enqueue("half", held=True)
    task, target = bench.start("a")
    target.gate.clear()
    await target.until(lambda shown: bool(shown.calls))
    assert reply.written.is_set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [turn.reply for turn in await bench.stored()] == ["half"]
    assert len(bench.lines) == 0


async def test_a_call_cancelled_at_any_moment_leaves_nothing_half_done(bench: ChatBench) -> None:
    """Wherever the cancel strikes: no line, task, generation or pending turn is left, and the talk goes on."""
    for moment in range(60):
        task, _ = bench.start("a", user=str(moment))
        for _ in range(moment * 10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert len(bench.lines) == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert bench.engine.status().running == 0
        assert all(turn.status in {"done", "failed"} for turn in await bench.stored(str(moment)))
        assert (await bench.say("b", user=str(moment))).reply == "re: b"


async def test_a_second_cancel_does_not_wait(bench: ChatBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where even stopping takes too long, another cancel leaves the turn pending for the next start to settle."""
    reply = bench.engine.enqueue("half", held=True)
    monkeypatch.setattr(bench.engine, "_cancel", lambda request_id: None)
    task, _ = bench.start("a")
    await reply.written.wait()
    task.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(bench.lines) == 0
    assert [turn.status for turn in await bench.stored()] == ["pending"]
    reply.release()
    await bench.turns.recover()
    assert [turn.status for turn in await bench.stored()] == ["interrupted"]


async def test_a_waiting_call_that_is_cancelled_leaves_the_line(bench: ChatBench) -> None:
    """Its message was not begun, so nothing of it is stored, and those behind it move up."""
    reply = bench.engine.enqueue("one", held=True)
    first, _ = bench.start("a")
    second, _ = bench.start("b")
    third, _ = bench.start("c")
    await reply.written.wait()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    reply.release()
    await asyncio.gather(first, third)
    assert [turn.text for turn in await bench.stored()] == ["a", "c"]
    assert len(bench.lines) == 0


async def test_a_line_has_an_end(bench: ChatBench) -> None:
    """A person cannot pile up more messages than the owner allows; the surplus is refused, not lost in silence."""
    reply = bench.engine.enqueue("one", held=True)
    tasks = [bench.start(str(number))[0] for number in range(5)]
    await reply.written.wait()
    assert (await bench.say("one too many")).errors == ["queue_full"]
    reply.release()
    await asyncio.gather(*tasks)
    assert len(await bench.stored()) == 5


async def test_typing_is_shown_from_the_start_and_again(bench: ChatBench) -> None:
    """A person whose message waits sees that an answer is on its way, until it is there."""
    reply = bench.engine.enqueue(held=True)
    task, target = bench.start("a")
    await bench.clock.asleep(1)
    assert target.typed == 1
    bench.clock.advance(4.5)
    await bench.clock.asleep(1)
    assert target.typed == 2
    reply.release()
    await task


async def test_a_broken_platform_loses_no_reply(bench: ChatBench, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the target raises, the reply is stored, the log knows, and the next message is served."""
    target = RecordingTarget()
    target.broken = {"send", "edit", "typing"}
    bench.clock.hurried = True
    bench.engine.enqueue("words")
    await bench.service.handle(bench.message("a"), target)
    assert [turn.reply for turn in await bench.stored()] == ["words"]
    assert "could not be shown" in caplog.text
    assert (await bench.say("b")).reply == "re: b"


async def test_many_people_leave_nothing_behind(bench: ChatBench) -> None:
    """A thousand people later there is no line, no task and no generation left of them."""
    for batch in range(0, 1000, 100):
        tasks = [bench.start("hello", user=str(batch + number))[0] for number in range(100)]
        await asyncio.gather(*tasks)
    assert len(bench.lines) == 0
    assert bench.lines._paused == []
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert bench.engine.status().running == 0


@pytest.mark.parametrize("text", ["", "   \n\t ", "\0\0"])
async def test_an_empty_message_gets_a_hint(bench: ChatBench, text: str) -> None:
    """Nothing but space is answered without asking the model."""
    target = await bench.say(text)
    assert "empty" in target.reply
    assert bench.engine.history == []


async def _nothing() -> bytes:
    return b""


async def test_a_picture_is_declined_politely(bench: ChatBench) -> None:
    """A picture cannot be seen, and the person is told; with text beside it, the text is answered."""
    photo = Attachment(name="a.jpg", media_type="image/jpeg", size=3, read=_nothing)
    assert "cannot see pictures" in (await bench.say("", attachments=(photo,))).reply
    assert bench.engine.history == []
    target = await bench.say("what is this?", attachments=(photo,))
    assert target.reply == "re: what is this?"
    assert "cannot see pictures" in target.notices[0]


async def test_what_neither_sqlite_nor_the_tokenizer_can_take_is_removed(bench: ChatBench) -> None:
    """Null characters go, half an emoji becomes a question mark, and the rest is answered."""
    await bench.say("a\0b \ud83d c ")
    assert bench.engine.prompts[-1][-1] == "ab ? c"


async def test_an_enormous_message_is_refused_unread(bench: ChatBench) -> None:
    """A text beyond any count is neither counted nor stored; its size and the limit are named."""
    target = await bench.say("x" * 1_000_000)
    assert "1,000,000 characters" in target.reply
    assert "400 tokens" in target.reply
    assert bench.engine.counts == []
    assert await bench.stored() == []


async def test_a_message_too_long_for_the_window_leaves_nothing_in_the_context(bench: ChatBench) -> None:
    """It is refused with its size and the limit, and the conversation goes on as if it had not been sent."""
    await bench.say("a")
    # Of 400 tokens, 100 are the reply's, 4 the persona's and 3 around the message.
    target = await bench.say("word " * 294)
    assert target.errors == ["context_length_exceeded"]
    assert "294 tokens" in target.reply
    assert "293" in target.reply
    assert (await bench.say("word " * 293)).errors == []
    await bench.say("b")
    assert all("word " * 294 not in text for text in bench.engine.prompts[-1])


async def test_the_oldest_turns_are_cut_once_and_told_once(bench: ChatBench) -> None:
    """A full window loses a large part of its history at once; the following prompts only grow again."""
    told = []
    for number in range(20):
        target = await bench.say(f"{number} " + "word " * 15)
        told.append(len(target.notices))
    cuts = [number for number, count in enumerate(told) if count]
    assert max(told) == 1
    assert cuts == [8, 13, 18]
    for number in range(1, 20):
        before, after = bench.engine.prompts[number - 1], bench.engine.prompts[number]
        assert bench.engine.history[number].may_shift is (number in cuts)
        if number in cuts:
            assert len(after) < len(before)
            assert after[0] == "Be kind."
        else:
            assert after[: len(before)] == before


async def test_a_cut_is_remembered_over_a_restart(open_bench: OpenBench) -> None:
    """A new process goes on with the prompt that the last one had, and does not cut or tell again."""
    async with open_bench() as bench:
        while not (await bench.say("word " * 15)).notices:
            pass
        last = bench.engine.prompts[-1]
    async with open_bench() as bench:
        assert (await bench.say("next")).notices == []
        assert bench.engine.prompts[-1][: len(last)] == last


async def test_strangers_are_told_how_to_get_in(open_bench: OpenBench) -> None:
    """By default nobody is let in; the answer has the id that the owner needs."""
    async with open_bench(permissions={}) as bench:
        assert "test:eve" in (await bench.say("hello", user="eve")).reply
        assert (await bench.say("hello", user="eve", direct=False, chat="g")).calls == []
        assert (await bench.say("hello", user="root", local=True)).reply == "re: hello"
        assert await bench.conversations.of_user("test", "eve") == []


async def test_an_unknown_command_is_answered_with_the_nearest(bench: ChatBench) -> None:
    """A typo is not sent to the model."""
    target = await bench.say("/hlep")
    assert "/help" in target.reply
    assert bench.engine.history == []


async def test_thoughts_are_shown_before_the_answer_where_the_owner_wants_them(open_bench: OpenBench) -> None:
    """They are a quotation above the answer, and no part of the stored reply."""
    async with open_bench(generation={"max_tokens": 100, "reasoning": "show"}) as bench:
        bench.engine.enqueue("42", thoughts=("six times\n", "seven"))
        target = await bench.say("6*7?")
        assert target.reply == "> six times\n> seven\n\n42"
        (turn,) = await bench.stored()
        assert (turn.reply, turn.reasoning) == ("42", "six times\nseven")
        await bench.say("sure?")
        assert bench.engine.prompts[-1] == ["Be kind.", "6*7?", "42", "sure?"]


async def test_a_model_that_says_nothing_is_told(bench: ChatBench) -> None:
    """An empty reply is answered with a sentence and kept out of the context."""
    bench.engine.enqueue("  ")
    assert (await bench.say("a")).reply == "(I have nothing to say to this.)"
    await bench.say("b")
    assert bench.engine.prompts[-1] == ["Be kind.", "b"]


async def test_the_log_has_no_messages(bench: ChatBench, caplog: pytest.LogCaptureFixture) -> None:
    """What people write stays out of the log, also when it fails."""
    caplog.set_level(logging.DEBUG, logger="bot")
    bench.engine.enqueue("half", error=QueueFullError("full"))
    await bench.say("my secret")
    await bench.say("my secret")
    assert "my secret" not in caplog.text


async def test_a_reply_reads_as_streamed_then_final(bench: ChatBench) -> None:
    """The last thing shown is always final and whole."""
    reply = bench.engine.enqueue("one ", "two", held=True)
    task, target = bench.start("a")
    await target.until(lambda shown: bool(shown.calls))
    assert target.calls[0] == ("send", OutgoingMessage(text="one two", final=False))
    reply.release()
    await task
    method, last = target.calls[-1]
    assert (method, last.text, last.final) == ("edit", "one two", True)


async def test_a_model_that_has_to_wake_up_first_says_so(bench: ChatBench) -> None:
    """The notice is no part of the reply."""
    bench.engine.enqueue("awake", loading=True)
    target = await bench.say("a")
    assert target.notices == ["(I have been asleep and need a moment to wake up.)"]
    assert target.reply == "awake"


async def test_a_model_that_cannot_be_loaded_is_told_without_details(bench: ChatBench) -> None:
    """The file's path is for the log."""
    bench.engine.enqueue(refusal=ModelLoadError("/srv/model.gguf is gone"))
    target = await bench.say("a")
    assert target.errors == ["model_unavailable"]
    assert "/srv" not in target.reply
