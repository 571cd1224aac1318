"""Tells the service manager that the daemon is alive, while it is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.ops.service_manager import ServiceManager

log = logging.getLogger(__name__)

STATUS_EVERY_S = 5.0
"""How often the line of `systemctl status` is looked at, where no watchdog asks for more."""


class Watchdog:
    """Runs in the event loop, so that a loop that hangs does not feed, and feeds only while the engine's thread moves.

    A decode that hangs cannot be interrupted from within the process: the manager ends it and starts a new one.
    """

    def __init__(
        self,
        manager: ServiceManager,
        *,
        heartbeat_s: Callable[[], float],
        status: Callable[[], str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`heartbeat_s` is for how long the inference thread has been in one step, in seconds; 0 when it is idle."""
        self._manager = manager
        self._heartbeat_s = heartbeat_s
        self._status = status
        self._sleep = sleep
        self._hung = False

    async def run(self) -> None:
        """Go on until cancelled."""
        limit = self._manager.watchdog_s
        # systemd's own advice is half of the time; a third leaves room for a busy machine.
        every = min(limit / 3, STATUS_EVERY_S) if limit else STATUS_EVERY_S
        while True:
            silent = self._heartbeat_s()
            self._manager.status(self._status())
            if limit:
                self._feed(silent, limit)
            await self._sleep(every)

    def _feed(self, silent_s: float, limit_s: float) -> None:
        hung = silent_s >= limit_s
        if hung and not self._hung:
            log.error("the model has not moved for %.0f s; the service manager will start the daemon again", silent_s)
        self._hung = hung
        if not hung:
            self._manager.alive()
