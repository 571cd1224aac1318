"""The lines in which messages wait."""

import asyncio
from contextlib import ExitStack

import pytest

from bot.chat.lines import Lines
from bot.chat.ticket import Ticket
from bot.errors import QueueFullError
from bot.messages import ConversationKey, IncomingMessage


def _message(text: str = "a", *, user: str = "ann", chat: str = "c", edited: bool = False) -> IncomingMessage:
    return IncomingMessage(adapter="test", chat=chat, user=user, message_id=text, text=text, edited=edited)


def _key(user: str = "ann", chat: str = "c") -> ConversationKey:
    return ConversationKey(adapter="test", chat=chat, thread="", user=user)


def test_the_first_is_served_and_the_others_move_up() -> None:
    """Also when one in the middle leaves."""
    lines = Lines()
    with ExitStack() as first:
        one = first.enter_context(lines.place(_message(), max_waiting=9))
        with ExitStack() as third:
            with lines.place(_message(), max_waiting=9) as two:
                three = third.enter_context(lines.place(_message(), max_waiting=9))
                assert [ticket.served for ticket in (one, two, three)] == [True, False, False]
            assert not three.served
            first.close()
            assert three.served
    assert len(lines) == 0


def test_ten_thousand_conversations_leave_no_line() -> None:
    """A line exists only while somebody stands in it, also when its last one fails."""
    lines = Lines()
    for number in range(10_000):
        with pytest.raises(RuntimeError), lines.place(_message(user=str(number)), max_waiting=1):
            raise RuntimeError
    assert len(lines) == 0


def test_a_full_line_refuses() -> None:
    """One is served, as many wait as may, and another conversation is not concerned."""
    lines = Lines()
    with lines.place(_message(), max_waiting=1), lines.place(_message(), max_waiting=1):
        with pytest.raises(QueueFullError), lines.place(_message(), max_waiting=1):
            pass
        with lines.place(_message(user="bob"), max_waiting=1) as ticket:
            assert ticket.served
    assert len(lines) == 0


def test_an_interrupt_stops_only_what_nobody_waits_for() -> None:
    """A reply that somebody's message waits behind is finished."""
    lines = Lines()
    lines.interrupt(_key())
    with lines.place(_message(), max_waiting=9) as one:
        with lines.place(_message(), max_waiting=9):
            lines.interrupt(_key())
            assert not _stopped(one)
        lines.interrupt(_key())
        assert _stopped(one)


def test_what_is_owed_stands_before_what_is_new_and_in_its_order() -> None:
    """Whenever its place is taken; whoever is served already is not disturbed."""
    lines = Lines()
    lines.reserve("test", "c", {_key()})
    with ExitStack() as stack:

        def place(text: str, owed: int | None = None) -> Ticket:
            return stack.enter_context(lines.place(_message(text), max_waiting=9, owed=owed))

        new = place("new")
        assert not new.called
        first, third, second = place("1", owed=1), place("3", owed=3), place("2", owed=2)
        assert first.served
        order = [new, first, second, third]
        assert [lines.ahead_of(ticket) for ticket in order] == [3, 0, 1, 2]
    assert len(lines) == 0


def test_a_place_that_is_freed_is_for_everybody() -> None:
    """One chat, or all of an adapter."""
    lines = Lines()
    for chat in (None, "c"):
        lines.reserve("test", "c", {_key()})
        lines.reserve("other", "c", {_key()})
        with lines.place(_message(), max_waiting=9) as ticket:
            lines.free("test", "x")
            lines.free("other", chat)
            assert not ticket.called
            lines.free("test", chat)
            assert ticket.served


async def test_a_pause_waits_for_the_served_and_holds_the_others() -> None:
    """Nobody of that person is served in the meantime, in any chat; everybody else is."""
    lines = Lines()
    with ExitStack() as first, lines.place(_message(user="bob"), max_waiting=9) as bob:
        one = first.enter_context(lines.place(_message(chat="x"), max_waiting=9))

        async def pause() -> None:
            async with lines.paused("test", "ann"):
                assert not lines.serving(_key(chat="x"))
                assert not two.served
                assert not three.served

        with lines.place(_message(chat="x"), max_waiting=9) as two:
            task = asyncio.create_task(pause())
            await asyncio.sleep(0)
            assert _stopped(one)
            assert not _stopped(bob)
            with lines.place(_message(chat="y"), max_waiting=9) as three:
                assert not three.served
                first.close()
                await task
                assert two.served
                assert three.served
    assert lines._paused == []


async def test_a_cancelled_pause_lets_everybody_go_on() -> None:
    """The lines are not held for ever."""
    lines = Lines()
    with lines.place(_message(chat="x"), max_waiting=9):

        async def pause() -> None:
            async with lines.paused("test", "ann"):
                raise AssertionError

        task = asyncio.create_task(pause())
        await asyncio.sleep(0)
        with lines.place(_message(chat="y"), max_waiting=9) as held:
            assert not held.served
            task.cancel()
            await asyncio.wait({task})
            assert held.served


def _stopped(ticket: Ticket) -> bool:
    return ticket._stopped
