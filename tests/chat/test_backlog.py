"""Messages that were written while the bot was off."""

import asyncio
import time

from tests.chat.conftest import OpenBench
from tests.support.recording_target import RecordingTarget

HOUR_S = 3600


async def test_the_newest_are_answered_and_the_others_told_of(open_bench: OpenBench) -> None:
    """However many a platform hands out when the bot is back: in order, and nobody is told more than once."""
    async with open_bench(delivery={"answer_after_restart": 2}, engine={"max_waiting_per_user": 1}) as bench:
        target = RecordingTarget()
        await bench.come_up(target)
        tasks = [
            asyncio.create_task(bench.service.handle(bench.message(text, sent_at=time.time() - HOUR_S), target))
            for text in "abcde"
        ]
        while len(bench.service._reception._backlog._batches) != 1 or not all(
            len(batch.tickets) == 5 for batch in bench.service._reception._backlog._batches.values()
        ):
            await asyncio.sleep(0)
        for _ in range(20):  # the pause begins anew with each of them
            await asyncio.sleep(0)
        await bench.clock.asleep(6)  # with everybody's typing sign
        bench.clock.advance(1)
        await asyncio.gather(*tasks)
        assert target.replies == ["re: d", "re: e"]
        assert [("5 messages" in notice, "the last 2" in notice) for notice in target.notices] == [(True, True)]
        assert [turn.text for turn in await bench.stored()][-2:] == ["d", "e"]


async def test_one_message_is_answered_like_any_other(open_bench: OpenBench) -> None:
    """It only waits for a moment, in case there are more."""
    async with open_bench() as bench:
        bench.clock.hurried = True
        await bench.come_up(RecordingTarget())
        target = await bench.say("a", sent_at=time.time() - HOUR_S)
        assert target.replies == ["re: a"]
        assert target.notices == []
