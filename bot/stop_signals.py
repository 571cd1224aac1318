"""SIGTERM and SIGINT as events."""

import asyncio
import signal
from types import TracebackType
from typing import Self

STOPPING = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Takes the stop signals while it is entered. The first asks to stop, the second to stop now.

    The handler only sets an event; everything else is done by whoever waits for it.
    """

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        self._number = 0

    @property
    def exit_code(self) -> int:
        """What a shell reports for a process that this signal ended: 128 and its number."""
        return 128 + self._number

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.add_signal_handler(number, self._received, number)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop = asyncio.get_running_loop()
        for number in STOPPING:
            loop.remove_signal_handler(number)

    def _received(self, number: int) -> None:
        self._number = number
        (self.second if self.first.is_set() else self.first).set()
