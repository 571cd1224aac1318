"""Start, supervise, drain, close."""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import NoReturn, Protocol

from bot.adapter import Adapter, ChatCore
from bot.backoff import Backoff
from bot.errors import AdapterError
from bot.in_flight import InFlight
from bot.stop_signals import StopSignals
from bot.supervisor import Supervisor

log = logging.getLogger(__name__)

LOST_LIMIT_S = 5.0
"""Seconds for telling everybody who waits that the engine is lost."""
FORCED_LIMIT_S = 2.0
"""Seconds for giving terminals and connections back after a second signal."""


class Backend(Protocol):
    """What the adapters stand on: storage, engine and chat, started."""

    @property
    def core(self) -> ChatCore:
        """Answers messages."""
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


class App:
    """One life of the daemon."""

    def __init__(
        self,
        *,
        open_backend: Callable[[], AbstractAsyncContextManager[Backend]],
        adapters: Mapping[str, Callable[[ChatCore], Adapter]],
        shutdown_timeout_s: float,
        notify: Callable[[str], None],
        backoff: Backoff | None = None,
        exit_now: Callable[[int], NoReturn] = os._exit,
    ) -> None:
        """`notify` shows a line to whoever started the daemon."""
        self._open_backend = open_backend
        self._adapters = adapters
        self._shutdown_timeout_s = shutdown_timeout_s
        self._notify = notify
        self._backoff = backoff or Backoff()
        self._exit_now = exit_now

    async def run(self) -> None:
        """Run until the last adapter has ended or a signal came.

        SIGTERM and SIGINT let replies under way finish; a second one ends the process at once, with 128 and the
        signal's number. Raises `AdapterError` when the adapters have failed, `EngineLostError`, what the start of
        the backend raises, and `InterruptedStartError`.
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
            finally:
                forced.cancel()
                life.cancel()
                await asyncio.gather(forced, life, return_exceptions=True)

    async def _live(self, signals: StopSignals) -> None:
        async with AsyncExitStack() as stack:
            await self._serve(await self._start(stack, signals), signals)

    async def _start(self, stack: AsyncExitStack, signals: StopSignals) -> Backend:
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

    async def _serve(self, backend: Backend, signals: StopSignals) -> None:
        in_flight = InFlight(backend.core)
        supervisors = [
            Supervisor(name, partial(create, in_flight), backoff=self._backoff)
            for name, create in self._adapters.items()
        ]
        ended = asyncio.create_task(self._supervise(supervisors), name="adapters")
        lost = asyncio.create_task(backend.wait_lost(), name="engine watch")
        stopping = asyncio.create_task(signals.first.wait(), name="signal")
        try:
            await asyncio.wait({ended, lost, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await self._drain(supervisors, in_flight, LOST_LIMIT_S if lost.done() else self._shutdown_timeout_s)
            if lost.done():
                lost.result()
        finally:
            for task in (ended, lost, stopping):
                task.cancel()
            await asyncio.gather(ended, lost, stopping, return_exceptions=True)
        failures = [f"{each.name}: {each.failure}" for each in supervisors if each.failure is not None]
        if failures and not signals.first.is_set():
            raise AdapterError("; ".join(failures))

    async def _supervise(self, supervisors: Sequence[Supervisor]) -> None:
        running = {asyncio.create_task(each.run(), name=each.name): each for each in supervisors}
        try:
            while running:
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    ended = running.pop(task)
                    task.result()
                    if running and ended.failure is None and not ended.draining:
                        others = ", ".join(each.name for each in running.values())
                        self._notify(f"{ended.name} was left; the daemon goes on with {others}. Ctrl-C stops it.")
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _drain(self, supervisors: Sequence[Supervisor], in_flight: InFlight, limit_s: float) -> None:
        log.info("stopping; %d messages are being answered", in_flight.count)
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.gather(*(self._drain_one(each) for each in supervisors))
                await in_flight.wait_idle()
        except TimeoutError:
            log.warning("stopped %d answers that did not finish within %g s", in_flight.count, limit_s)

    @staticmethod
    async def _drain_one(supervisor: Supervisor) -> None:
        try:
            await supervisor.drain()
        except Exception:
            log.exception("%s did not stop taking messages properly", supervisor.name)
