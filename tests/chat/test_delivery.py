"""How a reply gets onto a chat."""

import asyncio
from collections.abc import AsyncIterator

from bot.chat.delivery import Delivery
from bot.chat.notice import ChatEvent, Notice
from bot.messages import OutgoingMessage, ReplyDelta, ReplyDone, ReplyError, ReplyWaiting
from tests.support.fake_clock import FakeClock
from tests.support.recording_target import RecordingTarget


class Feed:
    """Events that a test hands over one by one."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[ChatEvent | None] = asyncio.Queue()

    def put(self, *events: ChatEvent | None) -> None:
        """Hand over; None ends."""
        for event in events:
            self._queue.put_nowait(event)

    async def __aiter__(self) -> AsyncIterator[ChatEvent]:
        """Yield until the end."""
        while (event := await self._queue.get()) is not None:
            yield event


def _delta(text: str) -> ReplyDelta:
    return ReplyDelta(text=text)


async def _deliver(target: RecordingTarget, *events: ChatEvent) -> None:
    feed = Feed()
    feed.put(*events, None)
    async with Delivery(target, FakeClock()) as delivery:
        await delivery.run(feed)


def _growing(text: str) -> OutgoingMessage:
    return OutgoingMessage(text=text, final=False)


async def test_edits_keep_the_platforms_pace_and_the_latest_text_wins() -> None:
    """The first words are sent at once; what comes during the pause goes out as one edit after it."""
    clock, target, feed = FakeClock(), RecordingTarget(edit_interval_s=1.5), Feed()
    async with Delivery(target, clock) as delivery:
        run = asyncio.create_task(delivery.run(feed))
        feed.put(_delta("a"))
        await clock.asleep(1)
        feed.put(_delta("b"), _delta("c"))
        clock.advance(1.4)
        await asyncio.sleep(0)
        assert target.calls == [("send", _growing("a"))]
        clock.advance(0.1)
        await clock.asleep(1)
        assert target.calls[1:] == [("edit", _growing("abc"))]
        feed.put(_delta("d"), ReplyDone(text="abcd"), None)
        await run
    assert target.calls[2:] == [("edit", OutgoingMessage(text="abcd"))]


async def test_one_edit_is_in_flight_at_a_time() -> None:
    """While the platform is slow nothing else is sent, and the end waits for it, so it cannot be overtaken."""
    clock, target, feed = FakeClock(), RecordingTarget(edit_interval_s=0), Feed()
    target.gate.clear()
    async with Delivery(target, clock) as delivery:
        run = asyncio.create_task(delivery.run(feed))
        feed.put(_delta("a"))
        await target.until(lambda shown: len(shown.calls) == 1)
        feed.put(_delta("b"), ReplyDone(text="ab"), None)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(target.calls) == 1
        target.gate.set()
        await run
    assert [method for method, _ in target.calls] == ["send", "edit"]
    assert target.reply == "ab"


async def test_a_short_reply_may_be_sent_once() -> None:
    """Without a pause for streaming there is only the final message."""
    target = RecordingTarget()
    await _deliver(target, ReplyDone(text="hi"))
    assert target.calls == [("send", OutgoingMessage(text="hi"))]


async def test_nothing_but_space_is_not_sent() -> None:
    """Platforms refuse an empty message."""
    clock, target, feed = FakeClock(), RecordingTarget(), Feed()
    async with Delivery(target, clock) as delivery:
        run = asyncio.create_task(delivery.run(feed))
        feed.put(_delta("\n "))
        for _ in range(5):
            await asyncio.sleep(0)
        assert target.calls == []
        feed.put(_delta("a"))
        await clock.asleep(1)
        assert target.calls == [("send", _growing("\n a"))]
        feed.put(ReplyDone(text="a"), None)
        await run


async def test_an_error_follows_what_was_written() -> None:
    """The partial text stands as it is, and the error is a message of its own with its code."""
    target = RecordingTarget()
    await _deliver(target, _delta("half"), ReplyError(code="queue_full", text="Full.", partial="half"))
    assert target.replies == ["half", "Full."]
    assert target.errors == ["queue_full"]


async def test_a_notice_is_told_apart_from_the_reply() -> None:
    """It comes as a message of its own, marked."""
    target = RecordingTarget()
    await _deliver(target, ReplyWaiting(position=2), Notice(text="cut"), ReplyDone(text="a"))
    assert target.notices == ["cut"]
    assert target.reply == "a"


async def test_the_end_is_sent_anew_where_the_edit_fails() -> None:
    """The person deleted the message, or it is too old: the reply arrives all the same."""
    clock, target, feed = FakeClock(), RecordingTarget(), Feed()
    target.broken = {"edit"}
    async with Delivery(target, clock) as delivery:
        run = asyncio.create_task(delivery.run(feed))
        feed.put(_delta("a"))
        await clock.asleep(1)
        feed.put(ReplyDone(text="ab"), None)
        await run
    assert target.calls[-1] == ("send", OutgoingMessage(text="ab"))


async def test_a_first_send_that_fails_is_tried_again_with_the_next_text() -> None:
    """A hiccup of the network at the start does not silence the stream."""
    clock, target, feed = FakeClock(), RecordingTarget(), Feed()
    target.broken = {"send"}
    async with Delivery(target, clock) as delivery:
        run = asyncio.create_task(delivery.run(feed))
        feed.put(_delta("a"))
        await clock.asleep(1)
        target.broken = set()
        feed.put(_delta("b"))
        await asyncio.sleep(0)
        clock.advance(1)
        await clock.asleep(1)
        assert target.messages == {"1": _growing("ab")}
        feed.put(ReplyDone(text="ab"), None)
        await run
    assert target.reply == "ab"


async def test_typing_ends_with_the_first_words() -> None:
    """The growing text is the sign from then on."""
    clock, target, feed = FakeClock(), RecordingTarget(edit_interval_s=100), Feed()
    async with Delivery(target, clock) as delivery:
        delivery.start_typing()
        run = asyncio.create_task(delivery.run(feed))
        await clock.asleep(1)
        feed.put(_delta("a"))
        await target.until(lambda shown: bool(shown.calls))
        clock.advance(50)
        for _ in range(5):
            await asyncio.sleep(0)
        assert target.typed == 1
        feed.put(ReplyDone(text="a"), None)
        await run


async def test_a_delivery_that_is_left_leaves_no_task() -> None:
    """Leaving early, by a cancel or an error, stops typing and streaming."""
    clock, target, feed = FakeClock(), RecordingTarget(), Feed()
    target.gate.clear()
    async with Delivery(target, clock) as delivery:
        delivery.start_typing()
        run = asyncio.create_task(delivery.run(feed))
        feed.put(_delta("a"))
        await target.until(lambda shown: bool(shown.calls))
        run.cancel()
    await asyncio.wait({run})
    assert asyncio.all_tasks() == {asyncio.current_task()}
