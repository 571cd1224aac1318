"""What the bot has not fetched yet.

https://core.telegram.org/bots/api#getting-updates
"""

import asyncio
from typing import Any

from tests.support.bot_api.api_error import conflict

NOT_BY_DEFAULT = {"chat_member", "message_reaction", "message_reaction_count"}


class UpdateQueue:
    """Keeps updates until a later offset confirms them. One poller at a time: a new one ends the one before."""

    def __init__(self) -> None:
        self._updates: list[dict[str, Any]] = []
        self._next_id = 1000
        self._changed = asyncio.Event()
        self._poller: asyncio.Future[None] | None = None
        self.allowed: list[str] = []

    @property
    def pending(self) -> list[dict[str, Any]]:
        """What is not confirmed."""
        return list(self._updates)

    @property
    def polled(self) -> bool:
        """Somebody waits for updates now."""
        return self._poller is not None and not self._poller.done()

    def add(self, kind: str, content: Any) -> int:
        """Put an update in; one that the bot does not want is dropped. Returns its id."""
        self._next_id += 1
        if kind in (self.allowed or {kind} - NOT_BY_DEFAULT):
            self._updates.append({"update_id": self._next_id, kind: content})
            self._changed.set()
        return self._next_id

    def add_raw(self, **update: Any) -> int:
        """Put in what no bot expects."""
        self._next_id += 1
        self._updates.append({"update_id": self._next_id, **update})
        self._changed.set()
        return self._next_id

    def drop(self) -> None:
        """Forget what is pending."""
        self._updates.clear()

    def pop(self) -> dict[str, Any]:
        """Take the oldest, for a webhook."""
        return self._updates.pop(0)

    async def get(self, *, offset: int, limit: int, timeout_s: float) -> list[dict[str, Any]]:
        """Wait for updates from `offset` on; what is before it is confirmed. Raises `ApiError` 409."""
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(None)
        here = self._poller = asyncio.get_running_loop().create_future()
        if offset < 0:
            self._updates = self._updates[offset:]
        else:
            self._updates = [each for each in self._updates if each["update_id"] >= offset]
        try:
            async with asyncio.timeout(timeout_s or None) as limited:
                while not self._updates and timeout_s:
                    self._changed.clear()
                    changed = asyncio.ensure_future(self._changed.wait())
                    await asyncio.wait({changed, here}, return_when=asyncio.FIRST_COMPLETED)
                    changed.cancel()
                    if here.done():
                        raise conflict(
                            "terminated by other getUpdates request; make sure that only one bot instance is running"
                        )
        except TimeoutError:
            if not limited.expired():
                raise
        finally:
            if not here.done():
                here.cancel()
        return self._updates[:limit]
