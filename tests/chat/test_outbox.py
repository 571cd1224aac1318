"""What was not delivered, or not answered, when a connection or the process ended."""

import asyncio
from datetime import timedelta

import pytest

from bot.chat import outbox
from bot.errors import ChatGoneError
from bot.storage.answer_repository import AnswerRepository
from bot.storage.timestamp import now_ms
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench
from tests.support.recording_target import RecordingTarget


async def _owed(bench: ChatBench) -> list[str]:
    return [each.state for each in await AnswerRepository(bench.database).owed("test")]


async def _say_into(bench: ChatBench, target: RecordingTarget, text: str) -> None:
    await bench.service.handle(bench.message(text), target)


async def _die(*tasks: "asyncio.Task[None]") -> None:
    """End as a killed process would: whoever waits is gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_an_answer_that_was_delivered_is_not_kept(bench: ChatBench) -> None:
    """Afterwards nothing is owed, and neither text is stored a second time."""
    await bench.say("SECRET")
    assert await _owed(bench) == []
    rows = await bench.database.fetch("SELECT text, reply FROM answers")
    assert [tuple(row) for row in rows] == [("", None)]


async def test_a_date_that_is_set_ahead_makes_no_answer_too_old(
    bench: ChatBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as old as the daemon has seen it become."""
    bench.clock.hurried = True
    target = RecordingTarget()
    target.errors_of["send"] = [OSError("down")] * 20
    await _say_into(bench, target, "a")
    ahead_ms = now_ms() + 10 * 365 * 24 * 3_600_000
    monkeypatch.setattr(outbox, "now_ms", lambda: ahead_ms)
    target = RecordingTarget()
    await bench.come_up(target)
    assert target.replies == ["re: a"]


async def test_a_reply_that_did_not_get_through_is_delivered_after_a_restart(open_bench: OpenBench) -> None:
    """The platform was away for longer than anybody waits; the next process delivers it, once."""
    async with open_bench() as bench:
        bench.clock.hurried = True
        target = RecordingTarget()
        target.errors_of["send"] = [OSError("down")] * 20
        await _say_into(bench, target, "a")
        assert await _owed(bench) == ["finished"]
    async with open_bench() as bench:
        target = RecordingTarget()
        await bench.come_up(target)
        assert target.replies == ["re: a"]
        assert await _owed(bench) == []
        await bench.come_up(target)
        assert target.replies == ["re: a"]
        assert bench.engine.history == []


async def test_a_doubt_from_before_the_restart_is_told(open_bench: OpenBench) -> None:
    """What may have been shown by the process that died is followed by a word on it."""
    async with open_bench() as bench:
        target = RecordingTarget()
        target.gate.clear()
        task = asyncio.create_task(_say_into(bench, target, "a"))
        await target.until(lambda shown: bool(shown.calls))
        await _die(task)
    async with open_bench() as bench:
        await bench.turns.recover()
        target = RecordingTarget()
        await bench.come_up(target)
        assert target.replies == ["re: a"]
        assert "twice" in target.notices[0]


async def test_a_half_delivered_reply_goes_on_with_what_is_missing(open_bench: OpenBench) -> None:
    """The first of three messages is there; after the restart the other two follow, and it is not sent again."""
    paragraphs = ["a" * 90, "b" * 90, "c" * 90]
    target = RecordingTarget(max_length=100, stream="off")
    async with open_bench() as bench:
        bench.engine.enqueue("\n\n".join(paragraphs))
        task = asyncio.create_task(_say_into(bench, target, "x"))
        await target.until(lambda shown: shown.sent == 1)
        target.broken = {"send"}
        await bench.clock.asleep(1)
        await _die(task)
    target.broken = set()
    async with open_bench() as bench:
        await bench.come_up(target)
        assert target.replies == paragraphs
        assert [method for method, _ in target.calls].count("edit") == 1


async def test_a_reply_that_was_being_written_is_written_again_in_its_place(open_bench: OpenBench) -> None:
    """The message that had begun to grow becomes the reply: the person sees one."""
    target = RecordingTarget()
    async with open_bench() as bench:
        reply = bench.engine.enqueue("half a", held=True)
        task = asyncio.create_task(_say_into(bench, target, "x"))
        await reply.written.wait()
        await bench.clock.asleep(1)
        row = (await bench.database.fetch("SELECT * FROM answers"))[0]
        await _die(task)
        # A killed process would not have stored what the cancel has.
        async with bench.database.transaction() as transaction:
            await transaction.run("UPDATE turns SET status = 'pending', reply = NULL, finish_reason = NULL")
            await transaction.run("UPDATE answers SET state = 'writing', reply = NULL, sent = :sent", sent=row["sent"])
    async with open_bench() as bench:
        await bench.turns.recover()
        bench.engine.enqueue("a whole reply")
        await bench.come_up(target)
        assert target.replies == ["a whole reply"]
        assert [(turn.text, turn.reply) for turn in await bench.stored()] == [("x", "a whole reply")]


async def test_messages_that_waited_are_answered_after_a_restart_in_their_order(open_bench: OpenBench) -> None:
    """They were stored on their arrival, commands among them."""
    async with open_bench() as bench:
        held = bench.engine.enqueue("one", held=True)
        tasks = [bench.start(text)[0] for text in ("a", "b", "/persona pirate", "c")]
        await held.written.wait()
        while len(await _owed(bench)) < 4:
            await asyncio.sleep(0)
        await _die(*reversed(tasks))
    async with open_bench() as bench:
        await bench.turns.recover()
        target = RecordingTarget()
        await bench.come_up(target)
        assert target.replies[-3:] == ["re: b", "I am pirate in this conversation from now on.", "re: c"]
        assert bench.engine.prompts[-1][0] == "Talk like a pirate."
        assert await _owed(bench) == []


async def test_only_the_newest_are_answered_and_the_others_told_of(open_bench: OpenBench) -> None:
    """Of many messages from before a restart the last ones are answered; the person can send the others again."""
    async with open_bench() as bench:
        for text in "abcd":
            await AnswerRepository(bench.database).receive(bench.message(text))
    async with open_bench(delivery={"answer_after_restart": 2}) as bench:
        target = RecordingTarget()
        await bench.come_up(target)
        assert target.replies == ["re: c", "re: d"]
        assert "4 messages" in target.notices[0]
        assert "the last 2" in target.notices[0]
        assert [turn.text for turn in await bench.stored()] == ["a", "b", "c", "d"]


async def test_what_is_too_old_is_not_delivered(open_bench: OpenBench) -> None:
    """Nobody waits for yesterday's answer."""
    async with open_bench() as bench:
        bench.clock.hurried = True
        target = RecordingTarget()
        target.broken = {"send"}
        await _say_into(bench, target, "a")
        async with bench.database.transaction() as transaction:
            day = timedelta(days=1) // timedelta(milliseconds=1)
            await transaction.run("UPDATE answers SET received_ms = received_ms - :day", day=day)
    async with open_bench() as bench:
        target = RecordingTarget()
        await bench.come_up(target)
        assert target.messages == {}
        assert await _owed(bench) == []


async def test_a_message_that_comes_twice_is_answered_once(open_bench: OpenBench) -> None:
    """A platform hands a message out again after a crash: while it is answered, after it was, and after a restart."""
    async with open_bench() as bench:
        held = bench.engine.enqueue("one", held=True)
        task, target = bench.start("a", message_id="7")
        await held.written.wait()
        assert (await bench.say("a", message_id="7")).calls == []
        held.release()
        await task
        assert target.replies == ["one"]
        assert (await bench.say("a", message_id="7")).calls == []
        assert (await bench.say("a", message_id="7", chat="other")).replies == ["re: a"]
    async with open_bench() as bench:
        assert (await bench.say("a", message_id="7")).calls == []


async def test_a_chat_that_is_gone_is_remembered(bench: ChatBench, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing that is owed there is tried again, and the log says so once."""
    target = RecordingTarget()
    target.errors_of["send"] = [ChatGoneError("blocked by the user")] * 2
    await _say_into(bench, target, "a")
    assert await _owed(bench) == []
    assert "takes no messages any more" in caplog.text
    await bench.come_up(target)
    assert target.messages == {}


async def test_what_is_left_over_comes_before_the_next_answer(bench: ChatBench) -> None:
    """The network is back before the outbox has looked: answers still come in the order of the messages."""
    target = RecordingTarget()
    await bench.come_up(target)
    target.broken = {"send"}
    bench.clock.hurried = True
    await _say_into(bench, target, "a")
    target.broken = set()
    await _say_into(bench, target, "b")
    await bench.service._outbox.idle()
    assert target.replies == ["re: a", "re: b"]


async def test_a_restart_is_told_to_who_waits_and_answered_after_it(open_bench: OpenBench) -> None:
    """Where the platform can be written to unasked nobody has to ask again."""
    target = RecordingTarget()
    async with open_bench() as bench:
        await bench.come_up(target)
        held = bench.engine.enqueue("one", held=True)
        first, _ = bench.start("a")
        second = asyncio.create_task(_say_into(bench, target, "b"))
        await held.written.wait()
        while len(await _owed(bench)) < 2:
            await asyncio.sleep(0)
        drain = asyncio.create_task(bench.service.drain(600))
        await second
        assert "I answer it when I am back" in target.notices[0]
        held.release()
        await asyncio.gather(first, drain)
    async with open_bench() as bench:
        await bench.come_up(target)
        assert target.replies == ["re: b"]


async def test_on_a_console_what_waited_is_there_for_retry(open_bench: OpenBench) -> None:
    """Nothing can be said there unasked: the message is stored, and /retry answers it."""
    async with open_bench() as bench:
        await AnswerRepository(bench.database).receive(bench.message("a"))
    async with open_bench() as bench:
        bench.service.connected("test", lambda _address: None)
        await bench.service._outbox.idle()
        assert await _owed(bench) == []
        assert (await bench.say("/retry")).reply == "re: a"


async def test_forgetting_takes_what_is_owed_along(bench: ChatBench) -> None:
    """Nothing of a person is left in the outbox either."""
    await AnswerRepository(bench.database).receive(bench.message("SECRET"))
    await bench.say("/forget")
    await bench.say("/forget confirm")
    assert "SECRET" not in str([tuple(row) for row in await bench.database.fetch("SELECT * FROM answers")])
