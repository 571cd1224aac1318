"""The inference lock: one thread that everything touching the llama context runs on."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
_LOGGER = logging.getLogger(__name__)


class InferenceLock:
    """Serialises access to the llama context on one worker thread.

    Holding the lock is running on that thread. Between commands the thread calls `step` as long as that has work.
    """

    def __init__(
        self,
        *,
        step: Callable[[], bool],
        on_lost: Callable[[BaseException], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`step` does one unit of work and tells whether there is more.

        `on_lost` is called once, on the thread, when `step` or a posted command fails: nothing runs afterwards.
        """
        self._step = step
        self._on_lost = on_lost
        self._clock = clock
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing = False
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def held(self) -> bool:
        """Whether the caller is the thread that may touch the context."""
        return threading.current_thread() is self._thread

    def busy_s(self) -> float:
        """Seconds that the thread has spent in what it is doing now, be it a step or a command; 0 while it waits."""
        since = self._busy_since
        return 0.0 if since is None else self._clock() - since

    def post(self, command: Callable[[], None]) -> None:
        """Run a command on the thread, between two steps. Its failure loses the engine."""
        self._inbox.put(command)

    def call(self, command: Callable[[], T]) -> "Future[T]":
        """Run a command on the thread; its result or exception is the future's."""
        future: Future[T] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(command())
            except Exception as error:  # noqa: BLE001 - the caller gets whatever it was
                future.set_exception(error)

        self.post(run)
        return future

    def close(self) -> None:
        """Finish the current step and the commands posted so far, then end the thread. Blocks until it has ended."""
        self.post(self._close)
        if self._thread.is_alive():
            self._thread.join()

    def _close(self) -> None:
        self._closing = True

    def _run(self) -> None:
        try:
            busy = False
            while not self._closing:
                self._drain_inbox(wait=not busy)
                self._busy_since = self._clock()
                busy = self._step()
        except BaseException as error:  # the thread ends here, and its owner must learn why
            _LOGGER.critical("the inference thread failed", exc_info=error)
            self._on_lost(error)

    def _drain_inbox(self, *, wait: bool) -> None:
        try:
            if wait:
                self._busy_since = None
            command = self._inbox.get(block=wait)
            while True:
                self._busy_since = self._clock()
                command()
                command = self._inbox.get_nowait()
        except queue.Empty:
            return
