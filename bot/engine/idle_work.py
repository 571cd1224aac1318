"""What is done once nobody has been answered for a while."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bot.engine.timers import Timers

_READ_AHEAD_AFTER_S = 0.3
"""How long after a reply the next prompt's beginning is read: people who send two messages in a row come first."""
_SAVE_AFTER_S = 30.0
"""How long after a reply the idle conversations' KV states are written to disk."""


class IdleWork:
    """Reads ahead, saves KV states, and frees the model's memory. Belongs to the event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        read_ahead: Callable[[], None],
        save: Callable[[], None],
        unload: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._loop = loop
        self._read_ahead = read_ahead
        self._save = save
        self._unload = unload
        self._timers = Timers(loop)
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, *, unload_s: float | None) -> None:
        """Nobody is being answered any more. `unload_s` is after how many seconds to unload; None is never."""
        self._timers.start("read ahead", _READ_AHEAD_AFTER_S, self._read_ahead)
        if "save" not in self._timers:
            self._timers.start("save", _SAVE_AFTER_S, self._save)
        if unload_s is not None:
            self._timers.start("unload", unload_s, self._start_unloading)

    def put_off(self) -> None:
        """Somebody needs the model."""
        self._timers.stop("read ahead")
        self._timers.stop("unload")

    def stop(self) -> None:
        """Begin nothing any more."""
        self._timers.stop_all()

    def _start_unloading(self) -> None:
        task = self._loop.create_task(self._unload(), name="unload")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
