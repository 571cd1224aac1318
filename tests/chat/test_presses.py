"""Buttons under replies."""

import asyncio

from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench
from tests.support.recording_target import RecordingTarget


async def _say(bench: ChatBench, target: RecordingTarget, text: str, **fields: object) -> None:
    await bench.service.handle(bench.message(text, **fields), target)


async def test_retry_is_pressed_under_the_latest_reply(bench: ChatBench) -> None:
    """Another reply comes, and the buttons move on to it."""
    target = RecordingTarget(buttons=True)
    await _say(bench, target, "a")
    bench.engine.enqueue("other")
    await _say(bench, target, "/retry", pressed="1")
    assert target.replies == ["re: a", "other"]
    assert target.messages["1"].buttons == ()
    assert target.messages["2"].buttons != ()


async def test_an_older_button_gets_a_hint(bench: ChatBench) -> None:
    """Under a reply that was followed by another message, or was written again, a press changes nothing."""
    target = RecordingTarget(buttons=True)
    await _say(bench, target, "a")
    await _say(bench, target, "b")
    await _say(bench, target, "/retry", pressed="1")
    assert "older reply" in target.notices[0]
    await _say(bench, target, "/retry", pressed="2")
    await _say(bench, target, "/retry", pressed="2")
    assert len(target.notices) == 2
    assert [turn.reply for turn in await bench.stored()] == ["re: a", "re: b"]


async def test_only_the_person_it_was_for_may_press(bench: ChatBench) -> None:
    """In a group another person's press gets a hint; the owner of the reply may."""
    target = RecordingTarget(buttons=True)
    await _say(bench, target, "a", chat="group", direct=False)
    await _say(bench, target, "/retry", chat="group", direct=False, user="bob", pressed="1")
    assert "person I was answering" in target.notices[0]
    assert len(bench.engine.history) == 1
    await _say(bench, target, "/retry", chat="group", direct=False, pressed="1")
    assert len(bench.engine.history) == 2


async def test_an_admin_may_press_for_others(open_bench: OpenBench) -> None:
    """It acts in the conversation of the one that the reply was for."""
    permissions = {"open": True, "users": {"admin_ids": ["test:root"]}}
    async with open_bench(permissions=permissions) as bench:
        target = RecordingTarget(buttons=True)
        await _say(bench, target, "a", chat="group", direct=False)
        await _say(bench, target, "/retry", chat="group", direct=False, user="root", pressed="1")
        assert bench.engine.prompts[-1] == ["Be kind.", "a"]
        assert len(bench.engine.history) == 2


async def test_stop_ends_what_is_written(bench: ChatBench) -> None:
    """Pressed under the growing reply; nothing but its end is shown."""
    target = RecordingTarget(buttons=True)
    reply = bench.engine.enqueue("half", held=True)
    task = asyncio.create_task(_say(bench, target, "a"))
    await reply.written.wait()
    await target.until(lambda shown: "1" in shown.messages)
    await _say(bench, target, "/stop", pressed="1", user="bob", chat="ann")
    assert "person I was answering" in target.notices[0]
    await _say(bench, target, "/stop", pressed="1")
    await task
    assert target.replies == ["half"]
    await _say(bench, target, "/stop", pressed="1")
    assert "nothing to stop" in target.notices[-1]


async def test_cancel_takes_a_message_out_of_the_line(bench: ChatBench) -> None:
    """The one in front goes on, the message is not answered, and what stands behind moves up."""
    first = bench.engine.enqueue("one", held=True)
    target = RecordingTarget(buttons=True)
    task = asyncio.create_task(_say(bench, target, "a"))
    await first.written.wait()
    waiting = asyncio.create_task(_say(bench, target, "b"))
    await bench.clock.asleep(3)  # the first one's streaming, the second one's typing and notice
    bench.clock.advance(3)
    await target.until(lambda shown: bool(shown.notices))
    await bench.clock.asleep(2)
    await _say(bench, target, "/stop", pressed="2")
    await waiting
    assert target.replies == ["(Cancelled before I began.)"]
    assert target.notices == []
    first.release()
    await task
    assert target.replies == ["one", "(Cancelled before I began.)"]
    assert len(bench.engine.history) == 1


async def test_buttons_work_after_a_restart(open_bench: OpenBench) -> None:
    """Whose they are is in the database."""
    target = RecordingTarget(buttons=True)
    async with open_bench() as bench:
        await _say(bench, target, "a")
    async with open_bench() as bench:
        await _say(bench, target, "/retry", pressed="1")
        assert target.replies == ["re: a", "re: a"]
