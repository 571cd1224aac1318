"""Events made in a task of their own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.chat.event_stream import EventStream


async def _numbers(done: asyncio.Event, *, fail: bool = False) -> AsyncIterator[int]:
    yield 1
    await asyncio.sleep(0)
    yield 2
    if fail:
        raise ValueError("three")
    done.set()


async def test_every_event_is_read_in_order() -> None:
    """Then the stream ends."""
    assert [number async for number in EventStream(_numbers(asyncio.Event()))] == [1, 2]


async def test_the_iterators_error_is_raised_after_its_events() -> None:
    """Nothing of what came before is lost."""
    events = aiter(EventStream(_numbers(asyncio.Event(), fail=True)))
    assert [await anext(events), await anext(events)] == [1, 2]
    with pytest.raises(ValueError, match="three"):
        await anext(events)


async def test_a_reader_that_leaves_does_not_stop_the_events() -> None:
    """They are made to their end, and an error that nobody reads is not reported as lost."""
    for fail in (False, True):
        done = asyncio.Event()
        stream = EventStream(_numbers(done, fail=fail))
        async for _ in stream:
            break
        await stream.ended()
        assert done.is_set() is not fail


async def test_a_cancel_while_waiting_for_the_end_cancels_the_events() -> None:
    """A second cancel means now."""
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    stream = EventStream(endless())
    task = asyncio.create_task(stream.ended())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed.is_set()
