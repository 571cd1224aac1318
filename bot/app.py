"""Start, supervise, drain, close."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from bot.adapter import ChatCore
from bot.backoff import Backoff
from bot.closing import running
from bot.errors import AdapterError
from bot.fleet import AdapterFactory, Fleet
from bot.stop_signals import StopSignals

log = logging.getLogger(__name__)

LOST_LIMIT_S = 5.0
"""Seconds for telling everybody who waits that the engine is lost."""
DELIVERY_LIMIT_S = 10.0
"""Seconds beyond the time for writing, in which adapters may show what was written."""
FORCED_LIMIT_S = 2.0
"""Seconds for giving terminals and connections back after a second signal."""


class Backend(Protocol):
    """What the adapters stand on: storage, engine and chat, started."""

    @property
    def core(self) -> ChatCore:
        """Answers messages."""
        ...

    async def drain(self, timeout_s: float) -> None:
        """Return when everybody has been answered one way or the other; replies may take `timeout_s` to finish."""
        ...

    async def wait_lost(self) -> None:
        """Raise `EngineLostError` when the engine is lost; until then, wait."""
        ...


class InterruptedStartError(Exception):
    """A signal came before everything was up."""

    def __init__(self, exit_code: int) -> None:
        """`exit_code` is 128 and the signal's number."""
        super().__init__(exit_code)
        self.exit_code = exit_code


B = TypeVar("B", bound=Backend)


async def nothing(_: Backend, __: Fleet) -> None:
    """Do nothing beside the adapters."""


class App(Generic[B]):
    """One life of the daemon."""

    def __init__(
        self,
        *,
        open_backend: Callable[[], AbstractAsyncContextManager[B]],
        adapters: Mapping[str, AdapterFactory],
        shutdown_timeout_s: Callable[[], float],
        notify: Callable[[str], None],
        beside: Callable[[B, Fleet], Coroutine[Any, Any, None]] = nothing,
        backoff: Backoff | None = None,
        exit_now: Callable[[int], NoReturn] = os._exit,
    ) -> None:
        """`shutdown_timeout_s` is asked when it is needed; `notify` shows a line to whoever started the daemon.

        `beside` goes on while the adapters run, and is cancelled before they are stopped.
        """
        self._open_backend = open_backend
        self._adapters = adapters
        self._shutdown_timeout_s = shutdown_timeout_s
        self._notify = notify
        self._beside = beside
        self._backoff = backoff or Backoff()
        self._exit_now = exit_now

    async def run(self) -> None:
        """Run until the last adapter has ended or a signal came.

        SIGTERM and SIGINT let replies under way finish; a second one ends the process at once, with 128 and the
        signal's number, and so does the first one before everything is up. Raises `AdapterError` when the adapters
        have failed, `EngineLostError`, and what the start of the backend raises.
        """
        with StopSignals() as signals:
            life = asyncio.create_task(self._live(signals), name="app")
            forced = asyncio.create_task(signals.second.wait(), name="second signal")
            try:
                await asyncio.wait({life, forced}, return_when=asyncio.FIRST_COMPLETED)
                if not life.done():
                    log.warning("stopping at once")
                    life.cancel()
                    await asyncio.wait({life}, timeout=FORCED_LIMIT_S)
                    # The engine's thread may be in the middle of something long: it is not waited for.
                    self._exit_now(signals.exit_code)
                await life
            except InterruptedStartError as error:
                self._exit_now(error.exit_code)  # a thread may still be busy with loading the model
            finally:
                forced.cancel()
                life.cancel()
                await asyncio.gather(forced, life, return_exceptions=True)

    async def _live(self, signals: StopSignals) -> None:
        async with AsyncExitStack() as stack:
            await self._serve(await self._start(stack, signals), signals)

    async def _start(self, stack: AsyncExitStack, signals: StopSignals) -> B:
        opening = asyncio.create_task(stack.enter_async_context(self._open_backend()), name="start")
        stopping = asyncio.create_task(signals.first.wait(), name="signal")
        try:
            await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                raise InterruptedStartError(signals.exit_code)
            return opening.result()
        finally:
            opening.cancel()
            stopping.cancel()
            await asyncio.gather(opening, stopping, return_exceptions=True)

    async def _serve(self, backend: B, signals: StopSignals) -> None:
        fleet = Fleet(core=backend.core, backoff=self._backoff, notify=self._notify)
        for name, create in self._adapters.items():
            fleet.start(name, create)
        ended = asyncio.create_task(fleet.wait(), name="adapters")
        lost = asyncio.create_task(backend.wait_lost(), name="engine watch")
        stopping = asyncio.create_task(signals.first.wait(), name="signal")
        try:
            async with running(self._beside(backend, fleet), name="beside"):
                await asyncio.wait({ended, lost, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await self._drain(fleet, backend, LOST_LIMIT_S if lost.done() else self._shutdown_timeout_s())
            if lost.done():
                lost.result()
            if ended.done():
                ended.result()
        finally:
            for task in (ended, lost, stopping):
                task.cancel()
            await asyncio.gather(ended, lost, stopping, return_exceptions=True)
            await fleet.aclose()
        if fleet.failures and not signals.first.is_set():
            raise AdapterError("; ".join(fleet.failures))

    async def _drain(self, fleet: Fleet, backend: Backend, timeout_s: float) -> None:
        log.info("stopping; replies under way may take %g s", timeout_s)
        try:
            async with asyncio.timeout(timeout_s + DELIVERY_LIMIT_S):
                # At the same time: an adapter's drain may return only when its last reply is shown.
                await asyncio.gather(fleet.drain(), backend.drain(timeout_s))
        except TimeoutError:
            log.warning("not every reply could be delivered before the end")
