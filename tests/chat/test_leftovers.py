"""What is owed from before a restart, and what comes after it."""

import asyncio
import threading

import pytest

from bot.chat.outbox import Outbox
from bot.messages import ChatAddress
from bot.storage import log_sync
from bot.storage.answer_repository import AnswerRepository
from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench
from tests.support.recording_target import RecordingTarget
from tests.support.until import until


async def _leave(bench: ChatBench, *texts: str, **fields: str) -> None:
    """Accept messages as a process does that dies then."""
    for text in texts:
        await AnswerRepository(bench.database).receive(bench.message(text, **fields))


async def _leave_unshown(bench: ChatBench, text: str) -> None:
    """Answer a message while nothing gets through to its chat."""
    bench.clock.hurried = True
    target = RecordingTarget()
    target.broken = {"send"}
    await bench.service.handle(bench.message(text), target)


async def _waiting(bench: ChatBench, count: int) -> None:
    """Return when so many messages are in line or being answered."""
    await until(lambda: sum(len(line) for line in bench.lines._lines.values()) >= count)


def _say(bench: ChatBench, target: RecordingTarget, text: str, **fields: str) -> "asyncio.Task[None]":
    return asyncio.create_task(bench.service.handle(bench.message(text, **fields), target))


async def test_what_is_owed_is_answered_before_what_comes_in_meanwhile(open_bench: OpenBench) -> None:
    """The platform hands out new messages while it connects: they stand behind, and find all of it in the context."""
    async with open_bench() as bench:
        await _leave(bench, "a", "b")
    async with open_bench() as bench:
        target = RecordingTarget()
        await bench.service.connecting("test")
        new = [_say(bench, target, text) for text in ("c", "d")]
        await _waiting(bench, 2)
        assert bench.engine.history == []
        await bench.come_up(target)
        await asyncio.gather(*new)
        assert target.replies == ["re: a", "re: b", "re: c", "re: d"]
        assert bench.engine.prompts[-1] == ["Be kind.", "a", "re: a", "b", "re: b", "c", "re: c", "d"]


async def test_a_turn_that_was_begun_is_ended_before_the_next(open_bench: OpenBench) -> None:
    """It is written again, and what came in meanwhile is not lost from the context."""
    async with open_bench() as bench:
        held = bench.engine.enqueue("half", held=True)
        task, _ = bench.start("a")
        await held.written.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with bench.database.transaction() as transaction:  # as a process leaves it that was killed
            await transaction.run("UPDATE turns SET status = 'pending', reply = NULL, finish_reason = NULL")
            await transaction.run("UPDATE answers SET state = 'writing', reply = NULL, text = 'a'")
    async with open_bench() as bench:
        await bench.turns.recover()
        target = RecordingTarget()
        await bench.service.connecting("test")
        new = _say(bench, target, "b")
        await _waiting(bench, 1)
        await bench.come_up(target)
        await new
        assert [(turn.text, turn.reply) for turn in await bench.stored()] == [("a", "re: a"), ("b", "re: b")]


async def test_a_finished_answer_is_shown_before_the_next(open_bench: OpenBench) -> None:
    """Also where the next one is ready at once, as a command's is."""
    async with open_bench() as bench:
        await _leave_unshown(bench, "a")
    async with open_bench() as bench:
        target = RecordingTarget()
        await bench.service.connecting("test")
        new = [_say(bench, target, text) for text in ("/persona pirate", "b")]
        await _waiting(bench, 2)
        await bench.come_up(target)
        await asyncio.gather(*new)
        assert target.replies[0] == "re: a"
        assert target.replies[-1] == "re: b"


async def test_only_that_conversation_waits(open_bench: OpenBench) -> None:
    """Other people, and other chats, are answered at once."""
    async with open_bench() as bench:
        await _leave(bench, "a")
    async with open_bench() as bench:
        await bench.service.connecting("test")
        assert (await bench.say("hello", user="bob")).reply == "re: hello"
        assert (await bench.say("hello", chat="other")).reply == "re: hello"


async def test_people_who_share_a_conversation_are_answered_in_their_order(open_bench: OpenBench) -> None:
    """By turns, whoever wrote it."""
    shared = {"history": {"scope": "chat"}}
    group = {"chat": "group", "direct": False}
    async with open_bench(**shared) as bench:
        for user, text in (("ann", "a"), ("ben", "b"), ("ann", "c")):
            message = bench.message(text, user=user, scope="chat", **group)
            await AnswerRepository(bench.database).receive(message)
    async with open_bench(**shared) as bench:
        target = RecordingTarget()
        await bench.service.connecting("test")
        new = asyncio.create_task(bench.service.handle(bench.message("d", user="ben", **group), target))
        await _waiting(bench, 1)
        await bench.come_up(target)
        await new
        assert [reply[-1] for reply in target.replies] == ["a", "b", "c", "d"]


async def test_a_platform_that_does_not_come_up_holds_nobody(open_bench: OpenBench) -> None:
    """What came in while it tried is answered once it has failed, and the rest of it is owed on."""
    async with open_bench() as bench:
        await _leave(bench, "a")
    async with open_bench() as bench:
        target = RecordingTarget()
        await bench.service.connecting("test")
        new = _say(bench, target, "b")
        await _waiting(bench, 1)
        bench.service.disconnected("test", "retrying", "no network")
        await new
        await bench.service.connecting("test")
        await bench.come_up(target)
        assert target.replies == ["re: b", "re: a"]
        assert [turn.reply for turn in await bench.stored()] == ["re: b", "re: a"]


async def test_an_edit_of_what_is_owed_comes_next(open_bench: OpenBench) -> None:
    """The new version of what is being written is answered before what else is owed, and nobody waits for ever."""
    async with open_bench() as bench:
        await _leave(bench, "a", message_id="7")
        await _leave(bench, "b")
    async with open_bench() as bench:
        target = RecordingTarget()
        await bench.service.connecting("test")
        held = bench.engine.enqueue("half", held=True)
        bench.service.connected("test", lambda _address: target)
        await held.written.wait()
        await _waiting(bench, 2)
        edit = asyncio.create_task(bench.service.handle(bench.message("A", message_id="7", edited=True), target))
        await edit
        await bench.service._outbox.idle()
        assert target.replies[-2:] == ["re: A", "re: b"]


async def test_an_answer_under_way_from_before_goes_first(open_bench: OpenBench) -> None:
    """It is being shown, and takes its time: the next one waits for it."""
    async with open_bench() as bench:
        await _leave_unshown(bench, "a")
    async with open_bench() as bench:
        target = RecordingTarget()
        target.gate.clear()
        bench.service.connected("test", lambda _address: target)
        await target.until(lambda shown: bool(shown.calls))
        new = _say(bench, target, "b")
        await _waiting(bench, 1)
        target.gate.set()
        await new
        assert target.replies[0] == "re: a"


async def test_a_lost_database_keeps_no_platform_from_coming_up(bench: ChatBench) -> None:
    """That it cannot be read is logged."""
    await bench.database.aclose()
    await bench.service.connecting("test")
    outbox: Outbox = bench.service._outbox
    assert outbox.reaches(ChatAddress(adapter="test", chat="ann")) is False


async def test_a_message_is_accepted_once_a_power_cut_cannot_undo_it(
    bench: ChatBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer is begun meanwhile."""
    synced, accepted = threading.Event(), asyncio.Event()
    monkeypatch.setattr(log_sync, "_flush", lambda _file: synced.wait())
    held = bench.engine.enqueue("one", held=True)
    task = asyncio.create_task(bench.service.handle(bench.message("a"), RecordingTarget(), accepted.set))
    await held.written.wait()
    assert not accepted.is_set()
    synced.set()
    await accepted.wait()
    held.release()
    await task


async def test_what_is_not_stored_is_accepted_too(open_bench: OpenBench) -> None:
    """A stranger, an empty message, a command that is answered at once, and a storage that fails."""
    async with open_bench(permissions={"users": {"allowed_ids": ["test:ann"]}}) as bench:
        target = RecordingTarget()
        target.gate.clear()
        for text, user in (("hello", "stranger"), ("", "ann"), ("/help", "ann")):
            accepted = asyncio.Event()
            message = bench.message(text, user=user)
            task = asyncio.create_task(bench.service.handle(message, target, accepted.set))
            await accepted.wait()
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await bench.database.aclose()
        accepted = asyncio.Event()
        task = asyncio.create_task(bench.service.handle(bench.message("hello"), target, accepted.set))
        await accepted.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
