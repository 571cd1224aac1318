"""The adapters that run."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bot.adapter import Adapter, ChatCore
from bot.backoff import Backoff
from bot.supervisor import Supervisor

log = logging.getLogger(__name__)

AdapterFactory = Callable[[ChatCore], Adapter]


class Fleet:
    """Each adapter under a supervisor of its own. They can be started and stopped at any time, one by one."""

    def __init__(self, *, core: ChatCore, backoff: Backoff, notify: Callable[[str], None]) -> None:
        """`notify` shows a line to whoever started the daemon."""
        self._core = core
        self._backoff = backoff
        self._notify = notify
        self._running: dict[str, tuple[Supervisor, asyncio.Task[None]]] = {}
        self._failures: dict[str, str] = {}
        self._changes = 0
        self._over = asyncio.Event()
        self._error: BaseException | None = None

    @property
    def failures(self) -> list[str]:
        """Which adapters have failed for good, and why."""
        return [f"{name}: {failure}" for name, failure in self._failures.items()]

    def start(self, name: str, create: AdapterFactory) -> None:
        """Run one more adapter."""
        self._failures.pop(name, None)
        supervisor = Supervisor(
            name, partial(create, self._core), core=self._core, backoff=self._backoff, notify=self._notify
        )
        task = asyncio.create_task(supervisor.run(), name=name)
        self._running[name] = supervisor, task
        task.add_done_callback(lambda _: self._ended(name, supervisor, task))

    async def stop(self, name: str, *, timeout_s: float) -> None:
        """Let one adapter's replies finish within `timeout_s` seconds, and close it; nothing where it does not run."""
        self._failures.pop(name, None)
        if name not in self._running:
            return
        supervisor, task = self._running[name]
        try:
            async with asyncio.timeout(timeout_s):
                await self._drain_one(supervisor)
        except TimeoutError:
            log.warning("%s: not every reply could be delivered before it was stopped", name)
        task.cancel()
        await asyncio.wait({task})

    @contextmanager
    def changing(self) -> Iterator[None]:
        """While this lasts, the last adapter's end is not the end of all."""
        self._changes += 1
        try:
            yield
        finally:
            self._changes -= 1
            self._check_over()

    async def wait(self) -> None:
        """Return when the last adapter has ended."""
        self._check_over()
        await self._over.wait()
        if self._error is not None:
            raise self._error

    async def drain(self) -> None:
        """Stop all of them from taking messages in, and from starting again."""
        await asyncio.gather(*(self._drain_one(supervisor) for supervisor, _ in self._running.values()))

    async def aclose(self) -> None:
        """End all of them at once."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, name: str, supervisor: Supervisor, task: asyncio.Task[None]) -> None:
        if self._running.get(name) == (supervisor, task):
            del self._running[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = error
            self._over.set()
        elif supervisor.failure is not None:
            self._failures[name] = supervisor.failure
            # The last one's failure ends the daemon, and is what the command line says then.
            log.log(logging.ERROR if self._running else logging.INFO, "%s stopped: %s", name, supervisor.failure)
        elif self._running and not supervisor.draining and not task.cancelled():
            others = ", ".join(self._running)
            self._notify(f"{name} was left; the daemon goes on with {others}. Ctrl-C stops it.")
        self._check_over()

    def _check_over(self) -> None:
        if not self._running and not self._changes:
            self._over.set()

    @staticmethod
    async def _drain_one(supervisor: Supervisor) -> None:
        try:
            await supervisor.drain()
        except Exception:
            log.exception("%s did not stop taking messages properly", supervisor.name)
