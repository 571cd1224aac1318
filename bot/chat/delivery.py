"""Shows the answer to one message on its `ReplyTarget`."""

import asyncio
import logging
from collections.abc import AsyncIterable
from types import TracebackType
from typing import Self

from bot.adapter import ReplyTarget
from bot.chat.clock import Clock
from bot.chat.notice import ChatEvent, Notice
from bot.chat.streamed_text import StreamedText
from bot.messages import OutgoingMessage, ReplyDelta, ReplyDone, ReplyError, ReplyWaiting

_LOGGER = logging.getLogger(__name__)
# Telegram shows the sign for 5 s, Discord for 10: https://core.telegram.org/bots/api#sendchataction
_TYPING_INTERVAL_S = 4.5


class Delivery:
    """Streams a reply: the first text is sent, then edited no faster than the platform allows, one edit at a time.

    Whatever happens to the edits in between, the end is always shown. A target that raises is logged, never raised:
    the reply is stored, and the daemon goes on.
    """

    def __init__(self, target: ReplyTarget, clock: Clock) -> None:
        self._target = target
        self._clock = clock
        self._text = StreamedText()
        self._message_id: str | None = None
        self._changed = asyncio.Event()
        self._showing = asyncio.Lock()
        self._typing: asyncio.Task[None] | None = None
        self._painting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await _stop(self._typing)
        await _stop(self._painting)

    def start_typing(self) -> None:
        """Show that an answer is on its way, until its first words are there."""
        if self._typing is None:
            self._typing = asyncio.create_task(self._type(), name="typing")

    async def run(self, events: AsyncIterable[ChatEvent]) -> None:
        """Show events to the last."""
        async for event in events:
            match event:
                case ReplyDelta():
                    self._add(event)
                case ReplyDone() | ReplyError():
                    await self.end(event)
                case Notice():
                    await self.note(event.text)
                case ReplyWaiting():
                    pass  # the typing sign goes on

    async def note(self, text: str) -> None:
        """Say something besides the answer."""
        with _Survived("a notice"):
            await self._target.send(OutgoingMessage(text=text, notice=True))

    async def end(self, event: ReplyDone | ReplyError) -> None:
        """Show how it ended, with all of the text."""
        await _stop(self._typing)
        async with self._showing:
            # Nothing is in flight now: an edit that was cancelled half way might still arrive after the last one.
            await _stop(self._painting)
            match event:
                case ReplyDone():
                    text = self._text.complete(event.text)
                    await self._show_final(OutgoingMessage(text=text, facts=event.facts))
                case ReplyError():
                    written = self._text.complete(event.partial or self._text.answer)
                    if written.strip():
                        await self._show_final(OutgoingMessage(text=written))
                    with _Survived("an error"):
                        await self._target.send(OutgoingMessage(text=event.text, error=event.code))

    async def send_file(self, name: str, data: bytes, caption: str) -> bool:
        """Hand over a file; False where the platform did not take it."""
        with _Survived("a file"):
            await self._target.send_file(name, data, caption)
            return True
        return False

    def _add(self, delta: ReplyDelta) -> None:
        self._text.add(delta)
        self._changed.set()
        if self._painting is None:
            self._painting = asyncio.create_task(self._paint(), name="streaming")

    async def _paint(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            text = self._text.so_far()
            if not text.strip():
                continue  # platforms refuse an empty message
            await _stop(self._typing)
            async with self._showing:
                await self._show(OutgoingMessage(text=text, final=False))
            await self._clock.sleep(self._target.limits.edit_interval_s)

    async def _show_final(self, message: OutgoingMessage) -> None:
        shown = await self._show(message)
        if not shown and self._message_id is not None:
            # The message was deleted, or has become too old to be edited.
            self._message_id = None
            await self._show(message)

    async def _show(self, message: OutgoingMessage) -> bool:
        with _Survived("a reply"):
            if self._message_id is None:
                self._message_id = await self._target.send(message)
            else:
                await self._target.edit(self._message_id, message)
            return True
        return False

    async def _type(self) -> None:
        with _Survived("the typing sign"):
            while True:
                await self._target.typing()
                await self._clock.sleep(_TYPING_INTERVAL_S)


class _Survived:
    """Logs what a platform's library raises, and goes on: the reply itself is safe."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        _LOGGER.warning("%s could not be shown", self._what, exc_info=error)
        return True


async def _stop(task: asyncio.Task[None] | None) -> None:
    if task is None:
        return
    task.cancel()
    await asyncio.wait({task})
