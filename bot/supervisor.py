"""Keeps one adapter running."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from random import Random

from bot.adapter import Adapter, ChatCore
from bot.backoff import Backoff
from bot.closing import close
from bot.errors import PermanentAdapterError, RetryableAdapterError

log = logging.getLogger(__name__)


class Supervisor:
    """Starts an adapter, waits for its end, and tries again with a new one when it may help."""

    def __init__(
        self,
        name: str,
        create: Callable[[], Adapter],
        *,
        core: ChatCore,
        backoff: Backoff,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
        notify: Callable[[str], None] = log.info,
    ) -> None:
        """`sleep` and `clock` are in seconds; `create` makes a fresh adapter for each attempt.

        `notify` shows a line to whoever started the daemon.
        """
        self.name = name
        self.failure: str | None = None
        """Why the adapter stopped for good; None while it runs, and when it simply had nothing more to do."""
        self._create = create
        self._core = core
        self._backoff = backoff
        self._sleep = sleep
        self._clock = clock
        self._notify = notify
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._up: Adapter | None = None
        self.draining = False
        """Whether it was told to end."""

    async def run(self) -> None:
        """Return when the adapter has ended: left, drained, or failed for good."""
        failures = 0
        while not self.draining:
            began = self._clock()
            try:
                await self._run_once()
            except PermanentAdapterError as error:
                self.failure = str(error)
                self._core.disconnected(self.name, "stopped", self.failure)
                return
            except Exception as error:
                failures = 1 if self._clock() - began >= self._backoff.stable_s else failures + 1
                delay = self._backoff.delay_s(failures, self._random)
                expected = isinstance(error, RetryableAdapterError)
                reason = str(error) if expected else f"failed unexpectedly ({type(error).__name__})"
                log.warning(
                    "%s: %s; trying again in %.0f s", self.name, reason, delay, exc_info=None if expected else error
                )
                self._core.disconnected(self.name, "retrying", reason)
                if not self.draining:
                    await self._sleep(delay)
            else:
                log.info("%s has ended", self.name)
                return

    async def drain(self) -> None:
        """Stop taking messages in, and do not start again."""
        self.draining = True
        if self._up is not None:
            await self._up.drain()

    async def _run_once(self) -> None:
        adapter = self._create()
        try:
            await self._core.connecting(self.name)
            await adapter.start()
            if self.draining:
                return
            self._up = adapter
            self._core.connected(self.name, adapter.target)
            log.info("%s is up", self.name)
            if (line := adapter.announcement()) is not None:
                self._notify(line)
            await adapter.wait()
        finally:
            if self._up is not None:
                self._core.disconnected(self.name, "left")
            self._up = None
            await close(self.name, adapter.aclose)
