"""The lines in which messages wait: one for each conversation that has any."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from bot.chat.empty_within import empty_within
from bot.chat.ticket import Ticket
from bot.errors import QueueFullError
from bot.messages import ConversationKey, IncomingMessage

_LOGGER = logging.getLogger(__name__)
_GRACE_S = 5.0


class Lines:
    """Who is served in which conversation, and who waits behind. A line exists only while somebody stands in it."""

    def __init__(self) -> None:
        self._lines: dict[ConversationKey, list[Ticket]] = {}
        self._paused: list[Callable[[ConversationKey], bool]] = []
        self._reserved: dict[tuple[str, str], Collection[ConversationKey]] = {}
        self._left = asyncio.Event()
        self._closing = False

    def __len__(self) -> int:
        return len(self._lines)

    @contextmanager
    def place(self, message: IncomingMessage, *, max_waiting: int, owed: int | None = None) -> Iterator[Ticket]:
        """A place at the end of the line, taken at once; for what is `owed` from before, ahead of what is new.

        Raises `QueueFullError` where `max_waiting` messages wait in it already.
        """
        line = self._lines.get(message.key, [])
        if len(line) > max_waiting:
            raise QueueFullError(
                f"{max_waiting} of your messages are waiting for their answers already. "
                "Please give me some time, or send /stop."
            )
        ticket = Ticket(message)
        ticket.owed = owed
        revised = self.serving(message.key) if message.edited else None
        if revised is not None and revised.about[0] == message.message_id:
            # What is being written is out of date, and whoever waits should be answered after the new version.
            revised.stop()
            ticket.owed = revised.owed
            line.insert(1, ticket)
        else:
            line.insert(_index(line, owed), ticket)
        self._lines[message.key] = line
        self._call_next(message.key)
        try:
            yield ticket
        finally:
            line.remove(ticket)
            for ahead, each in enumerate(line):
                each.moved(ahead)
            if not line:
                del self._lines[message.key]
            self._call_next(message.key)
            self._left.set()

    def serving(self, key: ConversationKey) -> Ticket | None:
        """Whose turn it is in this conversation."""
        line = self._lines.get(key)
        return line[0] if line and line[0].served else None

    def waiting(self, key: ConversationKey, message_id: str) -> Ticket | None:
        """The place in which this message still waits."""
        for ticket in self._lines.get(key, ()):
            if not ticket.called and ticket.message.message_id == message_id:
                return ticket
        return None

    def showing(self, adapter: str, chat: str, message_id: str) -> Ticket | None:
        """The place that a button under this message is about."""
        for line in self._lines.values():
            for ticket in line:
                place = (ticket.message.adapter, ticket.message.chat)
                if place == (adapter, chat) and ticket.shows(message_id):
                    return ticket
        return None

    def ahead_of(self, ticket: Ticket) -> int:
        """How many stand before it in its conversation."""
        return self._lines[ticket.message.key].index(ticket)

    def waiting_of(self, key: ConversationKey) -> int:
        """How many messages of this person wait, in all chats."""
        return sum(
            not ticket.called
            for other, line in self._lines.items()
            if (other.adapter, other.user) == (key.adapter, key.user)
            for ticket in line
        )

    def reserve(self, adapter: str, chat: str, keys: Collection[ConversationKey]) -> None:
        """Until `free`, call nobody from this chat in these conversations of its own except for what is owed there."""
        self._reserved[adapter, chat] = keys

    def free(self, adapter: str, chat: str | None = None) -> None:
        """What was owed in a chat, or in all of an adapter's, has been answered, or cannot be now."""
        for place in [each for each in self._reserved if each[0] == adapter and chat in {None, each[1]}]:
            del self._reserved[place]
        for key in list(self._lines):
            self._call_next(key)

    def interrupt(self, key: ConversationKey) -> None:
        """Stop what is being written, unless somebody waits for it to end: then that comes first."""
        line = self._lines.get(key, [])
        if len(line) == 1:
            line[0].stop()

    @asynccontextmanager
    async def paused(
        self, adapter: str, user: str, *, only: ConversationKey | None = None, shared: Collection[ConversationKey] = ()
    ) -> AsyncIterator[None]:
        """Stop everything that is being written for one person in all chats, and hold the lines while this lasts.

        With `only`, of all the lines that one alone; `shared` are conversations with others to be held too.
        """

        def held(key: ConversationKey) -> bool:
            if only is not None:
                return key == only
            return (key.adapter, key.user) == (adapter, user) or key in shared

        self._paused.append(held)
        try:
            for ticket in self._served(held):
                ticket.stop()
            await self._until(lambda: not self._served(held))
            yield
        finally:
            self._paused.remove(held)
            for key in list(self._lines):
                self._call_next(key)

    async def drain(self, timeout_s: float) -> None:
        """Send those who wait away, let those who are served finish within `timeout_s` seconds, then stop them."""
        self._closing = True
        for key in list(self._lines):
            self._call_next(key)
        if await empty_within(self._lines, self._left, timeout_s):
            return
        for line in self._lines.values():
            line[0].restarting = True
            line[0].stop()
        # What was written is still to be stored and shown; a platform that hangs must not keep the daemon from ending.
        if not await empty_within(self._lines, self._left, _GRACE_S):
            _LOGGER.warning("%d answers could not be delivered before the end", len(self._lines))

    def _call_next(self, key: ConversationKey) -> None:
        line = self._lines.get(key, [])
        if self._closing:
            for ticket in line:
                if not ticket.called:
                    ticket.close()
        elif line and not line[0].called and not self._is_held(key, line[0]):
            line[0].call()

    def _is_held(self, key: ConversationKey, first: Ticket) -> bool:
        reserved = self._reserved.get((first.message.adapter, first.message.chat), ())
        return any(held(key) for held in self._paused) or (first.owed is None and first.message.own_key in reserved)

    def _served(self, held: Callable[[ConversationKey], bool]) -> list[Ticket]:
        return [line[0] for key, line in self._lines.items() if held(key) and line[0].served]

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Return when `condition` holds, which only a ticket that leaves can bring about."""
        while not condition():
            self._left.clear()
            await self._left.wait()


def _index(line: Sequence[Ticket], owed: int | None) -> int:
    """Where a new ticket stands: what is owed comes in the order of its ids, before all that waits and is not."""
    if owed is None:
        return len(line)
    before = (each.called or (each.owed is not None and each.owed < owed) for each in line)
    return next((index for index, stays in enumerate(before) if not stays), len(line))
