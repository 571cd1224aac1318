"""The messages on the platform that show one answer."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from bot.adapter import ReplyTarget
from bot.chat.delivering.channel import Channel
from bot.chat.delivering.ledger import Ledger
from bot.chat.delivering.piece import Piece, pieces, plain_pieces
from bot.chat.delivering.undelivered import UndeliveredError
from bot.errors import ChatMovedError, DeliveryError, FormatRefusedError, MessageGoneError
from bot.messages import Button, OutgoingMessage
from bot.storage.owed_answer import SentPart

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Sent:
    """A message that is there."""

    message_id: str
    start: int
    shown: OutgoingMessage | None = None
    """None where an earlier process has sent it."""


class ReplyMessages:
    """Grows while the answer is written, and is complete and in order in the end.

    A long answer takes several messages: those before the last are frozen, the last one grows.
    """

    def __init__(self, channel: Channel, ledger: Ledger | None) -> None:
        """Without a `ledger` nothing of it outlives the process."""
        self._channel = channel
        self._ledger = ledger
        self._text = ""
        sent = ledger.sent if ledger is not None else ()
        # What is there of a reply that was never finished may differ from the one that is written now.
        starts = ledger is not None and ledger.finished
        self._sent = [_Sent(message_id=part.message_id, start=part.start if starts else 0) for part in sent]
        self._drafted: OutgoingMessage | None = None

    @property
    def last_id(self) -> str | None:
        """The message that grows, or ends the answer."""
        return self._sent[-1].message_id if self._sent else None

    @property
    def last_shown(self) -> OutgoingMessage | None:
        """What it shows."""
        return self._sent[-1].shown if self._sent else None

    @property
    def frozen(self) -> int:
        """How many messages are complete while the answer is still written."""
        return max(0, len(self._sent) - 1)

    @property
    def fullness(self) -> float:
        """How much of the last message's room is used, from 0 to 1."""
        limit = self._channel.limits.max_length
        shown = self.last_shown or self._drafted
        return min(1.0, len(shown.text) / limit) if limit and shown is not None else 0.0

    async def grow(self, text: str, buttons: Sequence[Button] = ()) -> None:
        """Show what there is of an answer that is being written; what fails is left to the next time.

        Raises what a platform says for good, except that it refuses half written markup.
        """
        found = self._pieces(text)
        drafts = self._channel.limits.stream == "draft"
        for index, piece in enumerate(found):
            last = index == len(found) - 1
            message = OutgoingMessage(
                text=piece.text, final=not last, buttons=tuple(buttons) if last and not drafts else ()
            )
            if last and drafts:
                await self._draft(message)
            elif not await self._try(index, piece, message):
                return

    async def complete(self, text: str, template: OutgoingMessage) -> None:
        """Show all of the text, with what `template` has besides in the last message.

        Raises what a platform says for good, and `UndeliveredError`; another call goes on where this one ended.
        """
        found = self._pieces(text)
        index = 0
        while index < len(found):
            piece = found[index]
            last = index == len(found) - 1
            message = replace(template, text=piece.text, plain=piece.plain)
            if not last:
                message = OutgoingMessage(text=piece.text, plain=piece.plain)
            try:
                await self._insist(index, piece, message, last=last)
            except FormatRefusedError:
                if piece.plain:
                    _LOGGER.exception("the platform takes a part of an answer in no form; it is left out")
                    del found[index]
                else:
                    found[index : index + 1] = plain_pieces(piece, text, self._channel.limits)
                continue
            index += 1
        for surplus in self._sent[len(found) :]:
            await self.delete(surplus.message_id)
        del self._sent[len(found) :]

    async def restart(self) -> None:
        """Leave what is there as it is, and begin with new messages."""
        self._sent, self._text = [], ""
        await self._note()

    async def delete(self, message_id: str) -> None:
        """Take a message away, where that is possible."""
        with suppress(MessageGoneError, FormatRefusedError):
            await self._channel.attempt(lambda target: target.delete(message_id), "the end of a message", waits=True)

    async def strip(self) -> None:
        """Take the buttons away from the last message."""
        if self._sent and (shown := self._sent[-1].shown) is not None and shown.buttons:
            sent = self._sent[-1]
            bare = replace(shown, buttons=())
            with suppress(DeliveryError):
                await self._change(sent, bare, "the end of buttons", waits=True)

    def _pieces(self, text: str) -> list[Piece]:
        """Messages that are there keep their place in the text, as long as it goes on from what they show."""
        starts = [sent.start for sent in self._sent[1:]]
        if starts and self._text and not text.startswith(self._text[: starts[-1]]):
            starts = []
        self._text = text
        found = pieces(text, self._channel.limits, starts)
        return [piece for piece in found if piece.text.strip()]  # platforms refuse an empty message

    async def _try(self, index: int, piece: Piece, message: OutgoingMessage) -> bool:
        """Whether the next one may follow."""
        if index < len(self._sent):
            return self._sent[index].shown == message or await self._try_edit(index, message)
        await self._intend()
        message_id = None
        with suppress(FormatRefusedError):  # half of it: the whole may be fine
            message_id = await self._channel.attempt(
                lambda target: target.send(message), "a growing reply", copies=True
            )
        if message_id is not None:
            self._sent.append(_Sent(message_id=message_id, start=piece.start, shown=message))
        await self._note()
        return message_id is not None

    async def _try_edit(self, index: int, message: OutgoingMessage) -> bool:
        """Whether the next one may follow. What failed for now is not shown, so the end shows it."""
        sent = self._sent[index]
        try:
            done = await self._change(sent, message, "a growing reply", spare=True)
        except FormatRefusedError:
            return True
        except MessageGoneError:
            if index < len(self._sent) - 1:
                return True  # what was taken away on purpose stays away
            del self._sent[index]
            return False
        return done

    async def _change(
        self, sent: _Sent, message: OutgoingMessage, what: str, *, spare: bool = False, waits: bool = False
    ) -> bool:
        """Ask once for an edit, and whether it was done."""

        async def edit(target: ReplyTarget) -> bool:
            await target.edit(sent.message_id, message)
            sent.shown = message
            return True

        return bool(await self._channel.attempt(edit, what, spare=spare, waits=waits))

    async def _insist(self, index: int, piece: Piece, message: OutgoingMessage, *, last: bool) -> None:
        if index < len(self._sent):
            sent = self._sent[index]
            if sent.shown == message:
                return
            try:
                await self._channel.insist(lambda target: target.edit(sent.message_id, message), "a reply")
            except MessageGoneError:
                if not last:
                    return
                del self._sent[index]
            else:
                self._sent[index] = _Sent(message_id=sent.message_id, start=piece.start, shown=message)
                return
        await self._intend()
        try:
            message_id = await self._channel.insist(lambda target: target.send(message), "a reply", copies=True)
        except (FormatRefusedError, ChatMovedError, UndeliveredError):
            await self._note()  # with what is in doubt, if anything is
            raise
        self._sent.append(_Sent(message_id=message_id, start=piece.start, shown=message))
        if not last or self._channel.unsure:
            await self._note()  # after the last one the answer is closed, which says it too

    async def _draft(self, message: OutgoingMessage) -> None:
        if message != self._drafted:
            self._drafted = message
            await self._channel.attempt(lambda target: target.draft(message), "a draft", spare=True)

    async def _intend(self) -> None:
        """A process that dies between this and `_note` leaves the doubt behind."""
        if self._ledger is not None:
            await self._ledger.note(self._parts(), unsure=True)

    async def _note(self) -> None:
        if self._ledger is not None:
            await self._ledger.note(self._parts(), unsure=self._channel.unsure)

    def _parts(self) -> list[SentPart]:
        return [SentPart(message_id=sent.message_id, start=sent.start) for sent in self._sent]
