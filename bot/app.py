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
from bot.stop_signals import StopSignals
from bot.supervisor import Supervisor

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
        supervisors = [
            Supervisor(
                name, partial(create, backend.core), core=backend.core, backoff=self._backoff, notify=self._notify
            )
            for name, create in self._adapters.items()
        ]
        ended = asyncio.create_task(self._supervise(supervisors), name="adapters")
        lost = asyncio.create_task(backend.wait_lost(), name="engine watch")
        stopping = asyncio.create_task(signals.first.wait(), name="signal")
        try:
            await asyncio.wait({ended, lost, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                await self._drain(supervisors, backend, LOST_LIMIT_S if lost.done() else self._shutdown_timeout_s)
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
                    if ended.failure is not None:
                        # The last one's failure ends the daemon, and is what the command line says then.
                        log.log(logging.ERROR if running else logging.INFO, "%s stopped: %s", ended.name, ended.failure)
                    elif running and not ended.draining:
                        others = ", ".join(each.name for each in running.values())
                        self._notify(f"{ended.name} was left; the daemon goes on with {others}. Ctrl-C stops it.")
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _drain(self, supervisors: Sequence[Supervisor], backend: Backend, timeout_s: float) -> None:
        log.info("stopping; replies under way may take %g s", timeout_s)
        try:
            async with asyncio.timeout(timeout_s + DELIVERY_LIMIT_S):
                # At the same time: an adapter's drain may return only when its last reply is shown.
                await asyncio.gather(*(self._drain_one(each) for each in supervisors), backend.drain(timeout_s))
        except TimeoutError:
            log.warning("not every reply could be delivered before the end")

    @staticmethod
    async def _drain_one(supervisor: Supervisor) -> None:
        try:
            await supervisor.drain()
        except Exception:
            log.exception("%s did not stop taking messages properly", supervisor.name)
