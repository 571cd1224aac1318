"""Whether what is shown stays within what platforms allow."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapter import Allowance, ReplyLimits
from bot.chat.delivering.gates import Gates
from bot.chat.delivering.pace import Pace
from bot.chat.delivering.undelivered import UndeliveredError
from bot.messages import ChatAddress, ReplyDelta, ReplyDone
from tests.support.bot_api.flood_control import FloodControl
from tests.support.delivery_bench import ADDRESS, DeliveryBench
from tests.support.fake_clock import FakeClock
from tests.support.recording_target import RecordingTarget

FIVE = Allowance(calls=5, per_s=5.0)
STEPS = st.tuples(st.floats(0, 2), st.integers(0, 6), st.booleans(), st.integers(0, 6))
"""Seconds that pass; calls that are wanted; whether they arrive now or when they end; calls that end."""


@given(st.lists(STEPS, max_size=60))
def test_a_platform_never_counts_too_many(steps: list[tuple[float, int, bool, int]]) -> None:
    """Wherever between its beginning and its end a call is counted, by a window or by a bucket."""
    now = 1000.0
    flood = FloodControl(lambda: now)
    pace = Pace([FIVE, Allowance(calls=20, per_s=60.0), Allowance(calls=30, per_s=1.0)])
    under_way: list[bool] = []
    for passes, wanted, at_once, end in steps:
        now += passes
        for _ in range(wanted):
            if pace.has_room(now):
                pace.begin()
                under_way.append(at_once)
                if at_once:
                    flood.check(1, group=True)
        for _ in range(min(end, len(under_way))):
            if not under_way.pop(0):
                flood.check(1, group=True)
            pace.end(now)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=40))
def test_a_wait_is_as_long_as_it_must_be(pauses: list[float]) -> None:
    """Then there is room, and a little earlier there is none."""
    now = 1000.0
    pace = Pace([FIVE])
    for pause in pauses:
        now += pause
        wait = pace.wait_s(now)
        assert pace.has_room(now) == (wait == 0)
        if wait:
            assert not pace.has_room(now + wait - 0.001)
            now += wait + 1e-6
            assert pace.has_room(now)
        pace.begin()
        pace.end(now)


async def test_whoever_waits_comes_first_and_in_order() -> None:
    """What can be left out is not let through meanwhile; another chat has its own room."""
    clock = FakeClock()
    gates, limits, order = Gates(clock), ReplyLimits(edit_interval_s=1, per_chat=(FIVE,)), list[int]()

    async def call(number: int) -> None:
        async with gates.passed(ADDRESS, limits):
            order.append(number)

    calls = [asyncio.create_task(call(number)) for number in range(8)]
    await clock.asleep(1)
    assert order == [0, 1, 2, 3, 4]
    assert not gates.are_open(ADDRESS, limits)
    assert gates.are_open(ChatAddress(adapter="test", chat="2", user="ann"), limits)
    clock.advance(5)
    await asyncio.gather(*calls)
    assert order == list(range(8))


async def test_nobody_waits_for_a_long_pause() -> None:
    """Who stood in the line when the platform said so, and who comes after; another chat goes on."""
    clock = FakeClock()
    gates, limits = Gates(clock), ReplyLimits(edit_interval_s=1, per_chat=(Allowance(calls=1, per_s=1.0),))
    async with gates.passed(ADDRESS, limits):
        pass
    waiting = asyncio.ensure_future(gates.passed(ADDRESS, limits).__aenter__())
    await clock.asleep_for(1)
    gates.pause(ADDRESS, limits, 3600)
    clock.advance(1)
    for late in (waiting, gates.passed(ADDRESS, limits).__aenter__()):
        with pytest.raises(UndeliveredError) as caught:
            await late
        assert caught.value.retry_after_s == 3599
    other = ChatAddress(adapter="test", chat="2", user="ann")
    assert gates.pause_s(other, limits) == 0
    async with gates.passed(other, limits):
        pass


async def test_calls_under_way_hold_up_the_next_until_they_end() -> None:
    """A platform that does not answer has not counted them for certain."""
    clock = FakeClock()
    gates, limits = Gates(clock), ReplyLimits(edit_interval_s=1, overall=(Allowance(calls=1, per_s=1.0),))
    first = gates.passed(ADDRESS, limits)
    await first.__aenter__()

    async def second() -> None:
        async with gates.passed(ADDRESS, limits):
            pass

    waiting = asyncio.create_task(second())
    for seconds in (5.0, 5.0):
        clock.advance(seconds)
        await asyncio.sleep(0)
        assert not waiting.done()
    await first.__aexit__(None, None, None)
    await clock.asleep_for(1.0)
    clock.advance(1)
    await waiting


async def test_room_is_kept_for_the_end_of_a_reply() -> None:
    """Edits in passing leave some of what a chat allows, and the end is shown without a wait."""
    bench = DeliveryBench(RecordingTarget(edit_interval_s=0.1, per_chat=(FIVE,)))
    async with bench.running() as (feed, _, run):
        for _ in range(20):
            feed.put(ReplyDelta(text="a"))
            await bench.clock.asleep(1)
            bench.clock.advance(0.1)
            await asyncio.sleep(0)
        assert len(bench.target.calls) == 3
        feed.put(ReplyDone(text="a" * 20), None)
        await run
    assert bench.target.reply == "a" * 20
