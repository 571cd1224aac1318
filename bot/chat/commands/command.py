"""One command: how it is declared, and what it is given when somebody uses it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.chat.delivery import Delivery
from bot.chat.ticket import Ticket
from bot.messages import CommandSpec, IncomingMessage, ReplyDone


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCall:
    """A command as somebody has just given it."""

    argument: str
    """What followed the name, without space around it; may have several lines."""
    message: IncomingMessage
    admin: bool
    delivery: Delivery

    async def say(self, text: str) -> None:
        """Answer it."""
        await self.delivery.end(ReplyDone(text=text))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImmediateCommand:
    """Runs at once, also while a reply is being written."""

    spec: CommandSpec
    run: Callable[[CommandCall], Awaitable[None]]
    any_argument: bool = False
    """What follows the name does not matter, although none is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCommand:
    """Waits in the conversation's line like a message, because it changes what the next message meets."""

    spec: CommandSpec
    run: Callable[[CommandCall, Ticket], Awaitable[None]]
    any_argument: bool = False
    """As above."""
    interrupts: bool = False
    """Whoever gives it does not want what is being written any more."""


Command = ImmediateCommand | LineCommand
