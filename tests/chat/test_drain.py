"""How the chat ends."""

import asyncio

import pytest

from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench


async def test_a_reply_under_way_may_finish(bench: ChatBench) -> None:
    """Draining waits for it, and it is delivered whole."""
    reply = bench.engine.enqueue("whole", held=True)
    task, target = bench.start("a")
    await reply.written.wait()
    drain = asyncio.create_task(bench.service.drain(600))
    await asyncio.sleep(0)
    assert not drain.done()
    reply.release()
    await drain
    await task
    assert target.reply == "whole"
    assert target.notices == []


async def test_a_reply_that_takes_too_long_is_stopped_and_can_be_continued(open_bench: OpenBench) -> None:
    """The partial text is stored and shown, and the person told how to go on; after the restart that works."""
    async with open_bench() as bench:
        reply = bench.engine.enqueue("half ", held=True)
        task, target = bench.start("a")
        await reply.written.wait()
        await bench.service.drain(0)
        await task
        assert target.reply == "half"
        assert "/continue" in target.notices[0]
        assert [turn.reply for turn in await bench.stored()] == ["half "]
    async with open_bench() as bench:
        bench.engine.enqueue("and the rest")
        assert (await bench.say("/continue")).reply == "and the rest"
        assert [turn.reply for turn in await bench.stored()] == ["half and the rest"]


async def test_who_waits_is_told_at_once_and_finds_the_message_kept(open_bench: OpenBench) -> None:
    """A waiting message is stored unanswered; /retry answers it after the restart."""
    async with open_bench() as bench:
        reply = bench.engine.enqueue("one", held=True)
        first, _ = bench.start("a")
        second, told = bench.start("b")
        third, refused = bench.start("/undo")
        await reply.written.wait()
        drain = asyncio.create_task(bench.service.drain(600))
        await asyncio.gather(second, third)
        assert "/retry" in told.reply
        assert told.errors == refused.errors == ["restarting"]
        assert (await bench.say("late")).errors == ["restarting"]
        assert (await bench.say("/whoami")).errors == []
        reply.release()
        await asyncio.gather(first, drain)
    async with open_bench() as bench:
        await bench.turns.recover()
        assert (await bench.say("/retry")).reply == "re: late"
        assert bench.engine.prompts[-1] == ["Be kind.", "a", "one", "late"]


async def test_a_platform_that_hangs_does_not_keep_the_daemon(
    bench: ChatBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After some grace for showing the end, draining gives up on a target that never returns; the text is stored."""
    monkeypatch.setattr("bot.chat.lines._GRACE_S", 0)
    reply = bench.engine.enqueue("half", held=True)
    task, target = bench.start("a")
    target.gate.clear()
    await target.until(lambda shown: bool(shown.calls))
    assert reply.written.is_set()
    await bench.service.drain(0)
    assert "1 answers could not be delivered" in caplog.text
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [turn.reply for turn in await bench.stored()] == ["half"]


async def test_draining_an_idle_chat_returns_at_once(bench: ChatBench) -> None:
    """There is nobody to wait for."""
    await bench.service.drain(0)
    await bench.service.drain(600)


async def test_a_message_that_a_dead_process_left_pending_can_be_retried(open_bench: OpenBench) -> None:
    """After a crash in the middle of a turn the message is there, answered by /retry, and no half exchange is shown."""
    async with open_bench() as bench:
        conversation = await bench.conversation()
        await bench.turns.begin(conversation.id, message_id="1", sender_name="", text="a", persona="hearth")
    async with open_bench() as bench:
        await bench.turns.recover()
        await bench.say("b")
        assert bench.engine.prompts[-1] == ["Be kind.", "b"]
        await bench.say("/undo")
        assert (await bench.say("/retry")).reply == "re: a"
