"""The sign that an answer is on its way."""

import asyncio

from bot.chat.clock import Clock
from bot.chat.delivering.channel import Channel
from bot.chat.delivering.stopping import stop
from bot.errors import DeliveryError

# Telegram shows the sign for 5 s, Discord for 10: https://core.telegram.org/bots/api#sendchataction
_INTERVAL_S = 4.5


class TypingSign:
    """Is shown from `start` to `end`, once."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self._channel = channel
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Show it; more calls change nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._type(), name="typing")

    async def end(self) -> None:
        """Show it no more."""
        await stop(self._task)

    async def _type(self) -> None:
        while True:
            try:
                await self._channel.sign(lambda target: target.typing())
            except DeliveryError:
                return  # the answer itself finds out what that means
            await self._clock.sleep(_INTERVAL_S)
