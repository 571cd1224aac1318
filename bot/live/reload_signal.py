"""SIGHUP as an event."""

import asyncio
import signal
from types import TracebackType
from typing import Self


class ReloadSignal:
    """Takes SIGHUP while it is entered: `systemctl reload`, or a terminal that was closed."""

    def __init__(self) -> None:
        self._received = asyncio.Event()

    async def wait(self) -> None:
        """Return after the next one; several that came meanwhile are one."""
        await self._received.wait()
        self._received.clear()

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._received.set)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
