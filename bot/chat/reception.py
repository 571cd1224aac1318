"""From an accepted message to its answer."""

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.chat.backlog import Backlog, skipped_text
from bot.chat.chat_parts import ChatParts
from bot.chat.commands.command import LineCommand
from bot.chat.commands.registry import FoundCommand
from bot.chat.delivery import Delivery
from bot.chat.lines import Lines
from bot.chat.outbox import Outbox
from bot.chat.pastes import Pastes
from bot.chat.reply import show_reply
from bot.chat.ticket import Ticket
from bot.errors import StorageError
from bot.messages import IncomingMessage, ReplyDone, ReplyError
from bot.storage.answer_repository import AnswerRepository
from bot.storage.owed_answer import OwedAnswer

_LOGGER = logging.getLogger(__name__)
_KEPT = "I am being restarted. Your message is kept, and I answer it when I am back."
_KEPT_FOR_RETRY = "I am being restarted. Your message is kept: send /retry in a minute, and I answer it."
_NOT_RUN = "I am being restarted. Please send that again in a minute."
_CANCELLED = "(Cancelled before I began.)"
_ANY = sys.maxsize
_UNREAD = "(I was restarted before I could read {names}. Please send it again.)"


class Reception:
    """Stores a message on its arrival, keeps its place in the line, has its files read, and has it answered."""

    def __init__(
        self,
        *,
        lines: Lines,
        pastes: Pastes,
        backlog: Backlog,
        outbox: Outbox,
        answers: AnswerRepository,
        parts: Callable[[], ChatParts],
    ) -> None:
        """`parts` are those of the current configuration."""
        self._lines = lines
        self._pastes = pastes
        self._backlog = backlog
        self._outbox = outbox
        self._answers = answers
        self._parts = parts
        self._syncing: set[asyncio.Task[None]] = set()

    async def receive(
        self,
        message: IncomingMessage,
        found: FoundCommand | None,
        delivery: Delivery,
        *,
        admin: bool,
        accepted: Callable[[], None],
        owed: OwedAnswer | None = None,
    ) -> None:
        """Return when it is answered; at once for a part of a message, or a version of one, that waits already.

        `accepted` is called once it is stored; `owed` is what an earlier process knows of it.
        """
        if (owed is None and await self._joins(message)) or (message.edited and await self._needs_no_answer(message)):
            return
        if found is not None and isinstance(found.command, LineCommand) and found.command.interrupts:
            self._lines.interrupt(message.key)
        late = found is None and owed is None and self._backlog.has(message)
        if found is None and owed is None and not late:
            self._parts().quotas.check_waiting(self._lines.waiting_of(message.key), admin=admin)
        # Of those who come all at once the newest are wanted, not the first that fit; what is owed was let in before.
        most = self._parts().max_waiting if owed is None and not late else _ANY
        with self._lines.place(message, max_waiting=most, owed=owed.id if owed is not None else None) as ticket:
            ticket.admin = admin
            if not await self._store(ticket, delivery, owed):
                return
            self._accept(accepted)
            if late:
                delivery.start_typing()
                if await self._is_skipped(ticket, delivery):
                    return
            refusals: Sequence[str] = ()
            if found is None:
                self._show_place(ticket, delivery)
                refusals = await self._complete(ticket, delivery, owed)
                if not ticket.called:
                    delivery.start_typing()
            await ticket.wait()
            await self._serve(ticket, delivery, admin=admin, resumed=owed is not None, refusals=refusals)

    async def set_aside(self, message: IncomingMessage) -> None:
        """Store a message for `/retry`, where nothing can be said unasked."""
        await self._parts().writer.set_aside(Ticket(message))

    async def _joins(self, message: IncomingMessage) -> bool:
        ticket = self._pastes.add(message)
        if ticket is None:
            return False
        # Stored too, so that the platform may hand it out again without its being answered by itself.
        answer_id = await self._answers.receive(message)
        await self._change(ticket)
        if answer_id is not None:
            await self._answers.close(answer_id, delivered=True)
        return True

    async def _needs_no_answer(self, message: IncomingMessage) -> bool:
        """Whether a new version takes the place of one that still waits, or says what is being answered already."""
        waiting = self._lines.waiting(message.key, message.message_id)
        if waiting is not None:
            waiting.replace(message)
            await self._change(waiting)
            return True
        serving = self._lines.serving(message.key)
        return serving is not None and serving.about == (message.message_id, message.text)

    async def _store(self, ticket: Ticket, delivery: Delivery, owed: OwedAnswer | None) -> bool:
        """Whether it is to be answered; not where the platform has handed it out a second time."""
        if owed is not None:
            ticket.ledger = delivery.ledger
        else:
            answer_id = await self._answers.receive(ticket.message, synced=False)
            if answer_id is None:
                return False
            ticket.ledger = self._outbox.ledger(answer_id)
            delivery.keep(ticket.ledger)
        ticket.shows = delivery.shows
        # Whoever need not wait sees the sign as soon as the model has the message: sending it first would cost time.
        ticket.begun = delivery.start_typing
        delivery.lost = ticket.stop
        return True

    def _accept(self, accepted: Callable[[], None]) -> None:
        """Say so once a power cut cannot take it back; what follows need not wait for the disk."""
        task = asyncio.create_task(self._sync(accepted), name="sync")
        self._syncing.add(task)
        task.add_done_callback(self._syncing.discard)

    async def _sync(self, accepted: Callable[[], None]) -> None:
        try:
            await self._answers.sync()
        except StorageError as error:
            _LOGGER.error("a message may not outlive a power cut: %s", error)  # noqa: TRY400 - its text says all
        accepted()

    async def _is_skipped(self, ticket: Ticket, delivery: Delivery) -> bool:
        """Whether newer ones of the same person, from while the bot was off, are answered instead."""
        most = self._parts().delivery.answer_after_restart
        share = await self._backlog.share(ticket, most=most)
        if share.answered:
            return False
        await self._parts().writer.set_aside(ticket)
        if share.tells:
            await delivery.note(skipped_text(share.skipped, most))
        if ticket.ledger is not None:
            await ticket.ledger.close(delivered=False)
        return True

    def _show_place(self, ticket: Ticket, delivery: Delivery) -> None:
        def moved(ahead: int) -> None:
            if ahead:
                delivery.wait(ahead)

        ticket.moved = moved
        moved(self._lines.ahead_of(ticket))

    async def _complete(self, ticket: Ticket, delivery: Delivery, owed: OwedAnswer | None) -> Sequence[str]:
        """Wait for the rest of a long paste, and have the files read, while the line goes on.

        Return what has to be said where that leaves no text to answer.
        """
        parts = self._parts()
        changed = await self._pastes.gather(
            ticket,
            limit=delivery.max_length,
            wait_s=parts.delivery.join_pastes_s,
            waiting=delivery.start_typing,
        )
        message = ticket.message
        refusals: tuple[str, ...] = ()
        if message.attachments:
            delivery.start_typing()
            read = await parts.attachments.read(message.attachments)
            refusals = read.refusals
            # What was edited meanwhile stays: the files are the same.
            text = "\n\n".join(part for part in (ticket.message.text, read.text) if part)
            ticket.replace(replace(ticket.message, text=text, attachments=()))
            changed = True
        if owed is not None and owed.unread:
            refusals = (*refusals, _UNREAD.format(names=", ".join(f"“{name}”" for name in owed.unread)))
        if ticket.message.text:
            for refusal in refusals:
                await delivery.note(refusal)
        if changed:
            await self._change(ticket)
        return refusals

    async def _change(self, ticket: Ticket) -> None:
        if ticket.answer_id is not None:
            await self._answers.change(ticket.answer_id, ticket.message.text)

    async def _serve(
        self, ticket: Ticket, delivery: Delivery, *, admin: bool, resumed: bool, refusals: Sequence[str]
    ) -> None:
        parts = self._parts()  # for the whole of this message, whatever the configuration becomes meanwhile
        # Looked at again: an edit may have made another message of it while it waited.
        found = parts.registry.resolve(ticket.message.text, admin=admin)
        if ticket.withdrawn:
            await delivery.end(ReplyDone(text=_CANCELLED))
        elif ticket.closed:
            await self._send_away(ticket, found, delivery)
        elif found is not None and isinstance(found.command, LineCommand):  # the others never stand in line
            await found.command.run(found.call(ticket.message, delivery, admin=admin), ticket)
        elif ticket.message.text:
            await self._answer(parts, ticket, delivery, resumed=resumed)
        elif refusals:
            await delivery.end(ReplyDone(text="\n".join(refusals)))
        if ticket.ledger is not None and not ticket.ledger.finished:
            await ticket.ledger.close(delivered=True)  # it needed no answer

    async def _send_away(self, ticket: Ticket, found: FoundCommand | None, delivery: Delivery) -> None:
        """The daemon stops: what waits is answered after its restart, where that can be done unasked."""
        if self._outbox.reaches(ticket.message.address):
            await delivery.note(_KEPT)
            if ticket.ledger is not None:
                ticket.ledger.leave()
            return
        if found is None:
            await self._parts().writer.set_aside(ticket)
        text = _KEPT_FOR_RETRY if found is None else _NOT_RUN
        await delivery.end(ReplyError(code="restarting", text=text))

    @staticmethod
    async def _answer(parts: ChatParts, ticket: Ticket, delivery: Delivery, *, resumed: bool) -> None:
        message, writer = ticket.message, parts.writer
        known = await writer.find(message) if message.edited or resumed else None
        if known is not None and known[1].text == message.text and not resumed:
            return  # platforms also report a link's preview as an edit
        if known is None:
            events = writer.answer(ticket)
        else:
            # The same text again is no new version: what came after it, on another platform, stays.
            text = None if known[1].text == message.text else message.text
            events = writer.answer_again(ticket, *known, text=text)
        await show_reply(ticket, delivery, events)
