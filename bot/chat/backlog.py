"""Messages that were written while the bot was off, and come all at once when it is back."""

import asyncio
from dataclasses import dataclass, field

from bot.chat.clock import Clock, comes_within
from bot.chat.counted import counted
from bot.chat.platforms import Platforms
from bot.chat.ticket import Ticket
from bot.messages import ConversationKey, IncomingMessage

_QUIET_S = 1.0
"""Platforms hand a backlog out in quick succession; after so long without another one it is complete."""
_LONGEST_S = 48 * 3600.0
_CLOCKS_DIFFER_S = 5.0


@dataclass(slots=True, eq=False)
class _Batch:
    tickets: list[Ticket] = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    complete: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What becomes of one message of a backlog."""

    answered: bool
    skipped: int
    """How many of the backlog are not."""
    tells: bool
    """Whether its answer is the place to say so: that of the last one which is skipped."""


class Backlog:
    """Lets the newest ones of each person be answered."""

    def __init__(self, platforms: Platforms, clock: Clock) -> None:
        self._platforms = platforms
        self._clock = clock
        self._batches: dict[tuple[ConversationKey, str], _Batch] = {}

    def has(self, message: IncomingMessage) -> bool:
        """Whether it was written before its platform was up."""
        since = self._platforms.up_since(message.adapter)
        if since is None or message.sent_at is None or message.pressed or message.edited:
            return False
        # Older than any platform keeps a message for a bot: then its clock is another than ours, and says nothing.
        return since - _LONGEST_S < message.sent_at < since - _CLOCKS_DIFFER_S

    async def share(self, ticket: Ticket, *, most: int) -> Share:
        """Wait until the backlog is complete, and say what becomes of this part of it: `most` are answered."""
        key = (ticket.message.key, ticket.message.user)
        batch = self._batches.get(key)
        first = batch is None
        if batch is None:
            batch = self._batches[key] = _Batch()
        batch.tickets.append(ticket)
        batch.more.set()
        if first:
            try:
                while await comes_within(batch.more, _QUIET_S, self._clock):
                    pass
            finally:
                del self._batches[key]
                batch.complete.set()
        await batch.complete.wait()
        skipped = max(0, len(batch.tickets) - most)
        index = batch.tickets.index(ticket)
        return Share(answered=index >= skipped, skipped=skipped, tells=index == skipped - 1)


def skipped_text(skipped: int, answered: int) -> str:
    """How a person is told that not all of their messages are answered."""
    rest = f"I answer the last {answered}" if answered > 1 else "I answer the last one" if answered else "I was away"
    return (
        f"(While I was away, {counted(skipped + answered, 'message')} of yours came in. {rest}; "
        "please send the others again where they still matter.)"
    )
