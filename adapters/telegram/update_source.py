"""Where updates come from."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from telegram import Update

Take = Callable[[Update], Awaitable[None]]
"""Takes one update over; may wait until there is room for it, and nothing more is to come meanwhile."""
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
"""What Telegram is to tell: https://core.telegram.org/bots/api#update"""


class UpdateSource(Protocol):
    """Hands over each update once, whatever becomes of it."""

    async def start(self) -> None:
        """Get ready; updates are not lost from now on. Raises `TelegramError`, and `AdapterError`."""
        ...

    async def run(self) -> None:
        """Hand updates over until cancelled. Raises `AdapterError` when that makes no sense any more."""
        ...

    async def drain(self) -> None:
        """Take nothing more in, after `run` has ended. Raises `TelegramError`."""
        ...

    async def aclose(self) -> None:
        """Free everything; safe at any time."""
        ...
