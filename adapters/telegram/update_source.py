"""Where updates come from."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from telegram import Update

Take = Callable[[Update], Awaitable[asyncio.Event]]
"""Takes one update over; may wait until there is room for it, and nothing more is to come meanwhile.

The event is set as soon as the update may be confirmed: what came with it does not get lost any more.
"""
LONGEST_STORING_S = 30.0
"""Seconds for that. A database that is busy is given up before."""
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
