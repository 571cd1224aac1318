"""How many messages are being answered."""

import asyncio
from collections.abc import Sequence

from bot.adapter import ChatCore, ReplyTarget
from bot.messages import CommandSpec, IncomingMessage


class InFlight:
    """A `ChatCore` that counts what another one is answering, so that a stop can wait for it."""

    def __init__(self, core: ChatCore) -> None:
        self._core = core
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def commands(self) -> Sequence[CommandSpec]:
        """Every command, in the order of a menu."""
        return self._core.commands

    @property
    def count(self) -> int:
        """Messages that wait for their answer or are being answered."""
        return self._count

    async def handle(self, message: IncomingMessage, target: ReplyTarget) -> None:
        """Answer one message into `target`."""
        self._count += 1
        self._idle.clear()
        try:
            await self._core.handle(message, target)
        finally:
            self._count -= 1
            if self._count == 0:
                self._idle.set()

    async def wait_idle(self) -> None:
        """Return when nothing is being answered."""
        await self._idle.wait()
