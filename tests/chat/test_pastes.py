"""Long texts that a platform has split."""

import asyncio

from tests.chat.conftest import OpenBench
from tests.support.chat_bench import ChatBench
from tests.support.recording_target import RecordingTarget
from tests.support.until import until


async def _paste(bench: ChatBench, target: RecordingTarget, *texts: str) -> "asyncio.Task[None]":
    first, *others = texts
    task = asyncio.create_task(bench.service.handle(bench.message(first), target))
    await until(lambda: bench.service._reception._pastes._open)
    for text in others:
        await bench.service.handle(bench.message(text), target)
    return task


async def test_parts_of_a_paste_are_answered_as_one(bench: ChatBench) -> None:
    """Two full parts and the rest come as three messages: the model reads one, cut where it was cut."""
    target = RecordingTarget(max_length=20)
    task = await _paste(bench, target, "x" * 20, "y" * 19, "the rest")
    await task
    assert bench.engine.prompts == [["Be kind.", "x" * 20 + "y" * 19 + "\nthe rest"]]


async def test_a_long_message_is_answered_when_nothing_follows(bench: ChatBench) -> None:
    """After half a second it is taken as complete."""
    target = RecordingTarget(max_length=20)
    task = await _paste(bench, target, "x" * 20)
    await bench.clock.asleep(2)  # the typing sign and the wait
    bench.clock.advance(0.5)
    await task
    assert bench.engine.prompts == [["Be kind.", "x" * 20]]
    assert (await bench.say("next")).reply == "re: next"


async def test_a_command_is_no_part_of_a_paste(bench: ChatBench) -> None:
    """It is answered by itself."""
    target = RecordingTarget(max_length=20)
    task = await _paste(bench, target, "x" * 20)
    assert (await bench.say("/whoami")).reply
    await bench.clock.asleep(2)  # the typing sign and the wait
    bench.clock.advance(0.5)
    await task
    assert bench.engine.prompts == [["Be kind.", "x" * 20]]


async def test_joining_can_be_switched_off(open_bench: OpenBench) -> None:
    """Then every part is a message."""
    async with open_bench(delivery={"join_pastes_s": 0}) as bench:
        target = RecordingTarget(max_length=20)
        await bench.service.handle(bench.message("x" * 20), target)
        assert bench.engine.prompts == [["Be kind.", "x" * 20]]
