"""Things to be done later, unless they are put off again."""

import asyncio
from collections.abc import Callable


class Timers:
    """Named timers of an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._running: dict[str, asyncio.TimerHandle] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._running

    def start(self, name: str, seconds: float, callback: Callable[[], None]) -> None:
        """Call back after some seconds; a timer of the same name is replaced."""

        def fire() -> None:
            del self._running[name]
            callback()

        self.stop(name)
        self._running[name] = self._loop.call_later(seconds, fire)

    def stop(self, name: str) -> None:
        """Forget a timer, if it runs."""
        if name in self._running:
            self._running.pop(name).cancel()

    def stop_all(self) -> None:
        """Forget all of them."""
        for name in list(self._running):
            self.stop(name)
