"""Somebody in a chat app, as far as the core can tell."""

import time

from bot.adapter import ReplyLimits
from bot.messages import OutgoingMessage


class Listener:
    """A `ReplyTarget` that knows when it was first shown something."""

    limits = ReplyLimits(edit_interval_s=1.0)

    def __init__(self) -> None:
        self._asked = time.perf_counter()
        self.first_s: float | None = None
        """Seconds from its creation until something was shown."""

    async def send(self, message: OutgoingMessage) -> str:  # noqa: ARG002 - whatever it is
        """A message."""
        if self.first_s is None:
            self.first_s = time.perf_counter() - self._asked
        return "1"

    async def edit(self, message_id: str, message: OutgoingMessage) -> None:
        """The same message, longer."""

    async def delete(self, message_id: str) -> None:
        """Not the answer."""

    async def draft(self, message: OutgoingMessage) -> None:
        """Not wanted."""

    async def typing(self) -> None:
        """Not shown."""

    async def send_file(self, name: str, data: bytes, caption: str) -> None:
        """Not wanted."""
