"""Shows the answer to one message on its `ReplyTarget`."""

import asyncio
import logging
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from bot.adapter import ReplyTarget
from bot.chat.clock import Clock
from bot.chat.delivering.channel import Channel
from bot.chat.delivering.code_files import code_files
from bot.chat.delivering.ledger import Ledger
from bot.chat.delivering.queue_notice import QueueNotice
from bot.chat.delivering.reply_messages import ReplyMessages
from bot.chat.delivering.stopping import stop
from bot.chat.delivering.streamed_text import StreamedText
from bot.chat.delivering.typing_sign import TypingSign
from bot.chat.delivering.undelivered import UndeliveredError
from bot.chat.latest_replies import LatestReplies
from bot.chat.notice import ChatEvent, Notice
from bot.errors import ChatGoneError, ChatMovedError, DeliveryError
from bot.messages import Button, ChatAddress, OutgoingMessage, ReplyDelta, ReplyDone, ReplyError, ReplyWaiting
from bot.settings import DeliverySettings
from bot.storage.owed_answer import OwedAnswer

_LOGGER = logging.getLogger(__name__)
_STOP = Button(label="Stop", command="/stop")
_CANCEL = Button(label="Cancel", command="/stop")
_RETRY = Button(label="Retry", command="/retry")
_CONTINUE = Button(label="Continue", command="/continue")
_MAY_BE_TWICE = "(The connection failed while I sent this. If you see some of it twice, it is the same answer.)"
_SLOWEST = 4.0
_SLOWER_BY_MESSAGE = 0.5


class Exits(Protocol):
    """Where an answer goes that cannot be shown now, or not here."""

    async def settle(self, address: ChatAddress) -> None:
        """Deliver first what was left over in this chat."""
        ...

    def later(self, address: ChatAddress, after_s: float) -> None:
        """Try again after so many seconds."""
        ...

    def release(self, ledger: Ledger | None) -> None:
        """Nobody is at work on this answer any more."""
        ...

    async def gone(self, address: ChatAddress) -> None:
        """Nothing can be shown there any more."""
        ...

    async def moved(self, address: ChatAddress, chat: str) -> tuple[ReplyTarget, ChatAddress] | None:
        """The chat goes on under another id: return where, if it can be written to unasked."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a delivery needs besides its answer."""

    channel: Channel
    exits: Exits
    clock: Clock
    settings: DeliverySettings
    latest: LatestReplies


class Delivery:
    """Streams a reply: the first text is sent, then edited no faster than the platform allows, one edit at a time.

    Whatever happens to the edits in between, the end is shown: at once, after the pause that the platform wants, or by
    the outbox. A target that raises is logged, never raised: the reply is stored, and the daemon goes on.
    """

    def __init__(self, route: Route, ledger: Ledger | None = None) -> None:
        """Without a `ledger`, what cannot be shown is lost."""
        self._route = route
        self._channel = route.channel
        self._clock = route.clock
        self._ledger = ledger
        self._messages = ReplyMessages(route.channel, ledger)
        self._text = StreamedText()
        self._changed = asyncio.Event()
        self._showing = asyncio.Lock()
        self._sign = TypingSign(route.channel, route.clock)
        self._notice = QueueNotice(
            route.channel,
            route.clock,
            after_s=route.settings.queue_notice_after_s,
            cancel=self._button("stop", _CANCEL),
        )
        self._painting: asyncio.Task[None] | None = None
        self.lost: Callable[[], None] = lambda: None
        """Called when nobody will see the reply that is being written."""
        if ledger is not None:
            route.channel.unsure = ledger.unsure

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sign.end()
        await stop(self._painting)
        await self._notice.end()
        self._route.exits.release(self._ledger)

    @property
    def max_length(self) -> int | None:
        """Of a message on the platform, which people's own messages have as well."""
        return self._channel.limits.max_length

    @property
    def ledger(self) -> Ledger | None:
        """What of this outlives the process."""
        return self._ledger

    def keep(self, ledger: Ledger) -> None:
        """From now on what cannot be shown is kept, and shown later. Before anything was."""
        self._ledger = ledger
        self._messages = ReplyMessages(self._channel, ledger)
        self._channel.unsure = ledger.unsure

    def shows(self, message_id: str) -> bool:
        """Whether a button under this message is about the reply that is being written, or waited for."""
        return message_id in {self._messages.last_id, self._notice.message_id}

    def start_typing(self) -> None:
        """Show that an answer is on its way, until its first words are there."""
        self._sign.start()

    def wait(self, position: int, wait_s: float | None = None) -> None:
        """Tell the place in the line, once somebody has stood there for a while; 1 is next."""
        self._notice.wait(position, wait_s)

    async def run(self, events: AsyncIterable[ChatEvent]) -> None:
        """Show events to the last."""
        await self._route.exits.settle(self._channel.address)
        async for event in events:
            match event:
                case ReplyDelta():
                    self._add(event)
                case ReplyDone() | ReplyError():
                    await self.end(event)
                case Notice():
                    await self.note(event.text)
                case ReplyWaiting():
                    self.wait(event.position, event.wait_s)

    async def note(self, text: str) -> None:
        """Say something besides the answer; what cannot be said now is not said later."""
        message = OutgoingMessage(text=text, notice=True)
        try:
            await self._channel.insist(lambda target: target.send(message), "a notice")
        except (DeliveryError, UndeliveredError) as error:
            _LOGGER.info("a notice could not be shown: %s", error)

    async def end(self, event: ReplyDone | ReplyError) -> None:
        """Show how it ended, with all of the text."""
        async with self._showing:
            # Nothing is in flight now: an edit that was cancelled half way might still arrive after the last one.
            await stop(self._painting)
            await self._notice.end()
            if isinstance(event, ReplyDone):
                text = self._text.complete(event.text)
                message = OutgoingMessage(text=text, facts=event.facts, buttons=self._buttons(event))
                await self._keep(text, event.text)
            else:
                await self._show_partial(event)
                message = OutgoingMessage(text=event.text, error=event.code)
                await self._keep(event.text, "", error=event.code)
            await self._sign.end()
            await self._complete(message)

    async def redeliver(self, owed: OwedAnswer) -> None:
        """Go on where an earlier process, or connection, ended."""
        buttons = (_RETRY,) if owed.error is None and owed.turn_id is not None and self._offers("retry") else ()
        await self._complete(OutgoingMessage(text=owed.reply or "", error=owed.error, buttons=buttons))

    async def send_file(self, name: str, data: bytes, caption: str) -> bool:
        """Hand over a file; False where the platform did not take it."""
        try:
            await self._channel.insist(lambda target: target.send_file(name, data, caption), "a file")
        except (DeliveryError, UndeliveredError) as error:
            _LOGGER.warning("a file could not be handed over: %s", error)
            return False
        return True

    def _add(self, delta: ReplyDelta) -> None:
        self._text.add(delta)
        self._changed.set()
        if self._painting is None and self._channel.limits.stream != "off":
            self._painting = asyncio.create_task(self._paint(), name="streaming")

    async def _paint(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            text = self._text.so_far()
            if not text.strip():
                continue  # platforms refuse an empty message
            async with self._showing:
                await self._sign.end()
                await self._notice.end()
                await self._grow(text)
            await self._clock.sleep(max(self._interval_s, self._channel.pause_s))

    async def _grow(self, text: str) -> None:
        buttons = (_STOP,) if self._offers("stop") else ()
        try:
            await self._messages.grow(text, buttons)
        except ChatMovedError as error:
            await self._move(error)
        except ChatGoneError:
            self.lost()

    @property
    def _interval_s(self) -> float:
        """Slower as the text grows: platforms count long edits harder, and nobody reads that fast."""
        slower = 1 + self._messages.fullness + _SLOWER_BY_MESSAGE * self._messages.frozen
        return self._channel.limits.edit_interval_s * min(_SLOWEST, slower)

    async def _show_partial(self, event: ReplyError) -> None:
        """What was written before it failed stands by itself; the error is a message of its own."""
        written = self._text.complete(event.partial or self._text.answer)
        if written.strip():
            try:
                await self._messages.complete(written, OutgoingMessage(text=written))
            except (DeliveryError, UndeliveredError) as error:
                _LOGGER.info("the beginning of a reply that failed could not be shown: %s", error)
            await self._messages.restart()

    async def _keep(self, text: str, stored: str, *, error: str | None = None) -> None:
        """`stored` is what is kept already, with the turn."""
        if self._ledger is not None and not (self._ledger.finished and text == stored):
            await self._ledger.finish(text, error=error)

    async def _complete(self, message: OutgoingMessage) -> None:
        try:
            await self._messages.complete(message.text, message)
            if self._channel.unsure:
                doubt = OutgoingMessage(text=_MAY_BE_TWICE, notice=True)
                await self._channel.insist(lambda target: target.send(doubt), "a notice")
        except ChatMovedError as error:
            if await self._move(error):
                await self._complete(message)
            return
        except UndeliveredError as error:
            if self._ledger is not None:
                self._route.exits.later(self._channel.address, error.retry_after_s)
            return
        except ChatGoneError:
            await self._route.exits.gone(self._channel.address)
            return
        except DeliveryError as error:
            _LOGGER.error("an answer cannot be shown: %s", error)  # noqa: TRY400 - the platform's last word
        if self._ledger is not None:
            await self._ledger.close(delivered=True, button_id=self._messages.last_id if message.buttons else None)
        if message.buttons:
            await self._route.latest.put(self._channel.address, self._messages)
        await self._hand_over_code(message.text)

    async def _move(self, error: ChatMovedError) -> bool:
        """Whether it goes on elsewhere. What is in the old chat stays there, out of everybody's sight."""
        place = await self._route.exits.moved(self._channel.address, error.chat)
        if place is None:
            return False
        self._channel.move(*place)
        await self._messages.restart()
        return True

    async def _hand_over_code(self, text: str) -> None:
        longer_than = self._route.settings.code_as_file
        if longer_than is None or self._channel.limits.max_length is None:
            return
        for name, data in code_files(text, longer_than):
            await self.send_file(name, data, "The code above as a file")

    def _buttons(self, event: ReplyDone) -> tuple[Button, ...]:
        if event.facts is None:
            return ()
        cut = event.facts.finish_reason == "length"
        offered = (self._button("retry", _RETRY), self._button("continue", _CONTINUE) if cut else None)
        return tuple(button for button in offered if button is not None)

    def _button(self, name: str, button: Button) -> Button | None:
        return button if self._offers(name) else None

    def _offers(self, name: str) -> bool:
        return self._channel.limits.buttons and name in self._route.settings.buttons
