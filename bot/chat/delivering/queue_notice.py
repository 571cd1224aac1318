"""Where somebody stands in the line."""

import asyncio

from bot.adapter import ReplyTarget
from bot.chat.clock import Clock
from bot.chat.delivering.channel import Channel
from bot.chat.delivering.stopping import stop
from bot.errors import DeliveryError
from bot.messages import Button, OutgoingMessage

_TENS = 10
_TEENS = range(11, 14)
_MINUTE_S = 60
_MOST_SECONDS = 90


class QueueNotice:
    """One message for those who wait longer than a moment, edited in place, and deleted when it is their turn."""

    def __init__(self, channel: Channel, clock: Clock, *, after_s: float, cancel: Button | None) -> None:
        self.message_id: str | None = None
        """Of the message, while it is there."""
        self._channel = channel
        self._clock = clock
        self._after_s = after_s
        self._cancel = cancel
        self._text = ""
        self._changed = asyncio.Event()
        self._showing = asyncio.Lock()
        self._ended = False
        self._task: asyncio.Task[None] | None = None

    def wait(self, position: int, wait_s: float | None) -> None:
        """Take the newest place: 1 is next; `wait_s` is the estimated time, in seconds."""
        self._text = waiting_text(position, wait_s)
        self._changed.set()
        if self._task is None and not self._ended:
            self._task = asyncio.create_task(self._show(), name="queue notice")

    async def end(self) -> None:
        """The wait is over. Called again where the platform did not delete it the first time."""
        self._ended = True
        async with self._showing:  # one that is just being sent has to be deleted too
            await stop(self._task)
            self._task = None
            if self.message_id is not None and await self._delete(self.message_id):
                self.message_id = None

    async def _show(self) -> None:
        await self._clock.sleep(self._after_s)
        shown = ""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self._text != shown:
                async with self._showing:
                    if self._ended:
                        return
                    shown = self._text
                    if not await self._send():
                        return
                await self._clock.sleep(max(self._channel.limits.edit_interval_s, self._channel.pause_s))

    async def _send(self) -> bool:
        """Whether the chat can be written to."""
        buttons = (self._cancel,) if self._cancel is not None else ()
        message = OutgoingMessage(text=self._text, final=False, notice=True, buttons=buttons)
        message_id = self.message_id
        try:
            if message_id is None:
                self.message_id = await self._channel.attempt(lambda target: target.send(message), "a notice")
            else:
                await self._channel.attempt(lambda target: target.edit(message_id, message), "a notice", spare=True)
        except DeliveryError:
            return False
        return True

    async def _delete(self, message_id: str) -> bool:
        """Whether there is nothing more to delete."""

        async def delete(target: ReplyTarget) -> bool:
            await target.delete(message_id)
            return True

        try:
            return bool(await self._channel.attempt(delete, "the end of a notice", waits=True))
        except DeliveryError:
            return True  # it is gone, or the chat is


def waiting_text(position: int, wait_s: float | None) -> str:
    """`2nd in line, about 40 s`."""
    place = "Next in line" if position == 1 else f"{_ordinal(position)} in line"
    return f"{place}, about {_duration(wait_s)}" if wait_s else place


def _ordinal(number: int) -> str:
    last = 0 if number % (_TENS * _TENS) in _TEENS else number % _TENS
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(last, "th")
    return f"{number}{suffix}"


def _duration(seconds: float) -> str:
    if seconds < _MOST_SECONDS:
        # In steps of five, so that an estimate that wavers by a second changes nothing.
        return f"{max(5, round(seconds / 5) * 5)} s"
    return f"{round(seconds / _MINUTE_S)} min"
