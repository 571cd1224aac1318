"""Taking messages in, until there are no more or the daemon stops."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Intake:
    """Reads one message after another from `read`, which returns None at the end, until it is closed."""

    def __init__(self, read: Callable[[], Coroutine[Any, Any, str | None]]) -> None:
        self._read = read
        self._closed = asyncio.Event()

    def close(self) -> None:
        """Take nothing more in; a `next` that waits returns None."""
        self._closed.set()

    async def next(self) -> str | None:
        """Return the next message, or None when there is none to come."""
        if self._closed.is_set():
            return None
        reading = asyncio.create_task(self._read(), name="console input")
        closing = asyncio.create_task(self._closed.wait(), name="console input closing")
        try:
            await asyncio.wait({reading, closing}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else None
        finally:
            reading.cancel()
            closing.cancel()
            await asyncio.gather(reading, closing, return_exceptions=True)
