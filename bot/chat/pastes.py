"""Long texts that a platform has split into several messages."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.chat.clock import Clock, comes_within
from bot.chat.ticket import Ticket
from bot.messages import ConversationKey, IncomingMessage

_NEARLY = 0.9
"""Platforms split before a word or a line, so a full part is a little shorter than the limit."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Paste:
    ticket: Ticket
    limit: int
    more: asyncio.Event = field(default_factory=asyncio.Event)
    complete: bool = False


class Pastes:
    """Holds a message that is as long as a message can be, until what follows it has come, or nothing has."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[tuple[ConversationKey, str], _Paste] = {}

    def add(self, message: IncomingMessage) -> Ticket | None:
        """Join the message to the one before it, whose place in the line is returned; None where none waits for it."""
        paste = self._open.get((message.key, message.user))
        if paste is None or message.edited or message.pressed or message.attachments or message.text.startswith("/"):
            return None
        before = paste.ticket.message
        # Cut in the middle of a word where the part is full to the last character; else where a space or line end was.
        joint = "" if len(before.text) % paste.limit == 0 else "\n"
        paste.ticket.replace(replace(before, text=f"{before.text}{joint}{message.text}"))
        paste.complete = not _is_full(message.text, paste.limit)
        paste.more.set()
        return paste.ticket

    async def gather(self, ticket: Ticket, *, limit: int | None, wait_s: float, waiting: Callable[[], None]) -> bool:
        """Wait for the rest of the ticket's message; whether any came. `waiting` is called where that takes a while."""
        message = ticket.message
        if not limit or not wait_s or not _is_full(message.text, limit):
            return False
        waiting()
        key = (message.key, message.user)
        paste = self._open[key] = _Paste(ticket=ticket, limit=limit)
        try:
            while not paste.complete and await comes_within(paste.more, wait_s, self._clock):
                pass
        finally:
            if self._open.get(key) is paste:
                del self._open[key]
        return ticket.message is not message


def _is_full(text: str, limit: int) -> bool:
    return len(text) >= limit * _NEARLY
