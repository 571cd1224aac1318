"""Puts another configuration into effect."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from bot.chat.personas import Personas
from bot.config import LoadedConfig
from bot.errors import ConfigError, HearthbotError
from bot.fleet import AdapterFactory, Fleet
from bot.live.config_change import Adapters, ConfigChange
from bot.request import ChatMessage
from bot.settings import AdapterSettings, Configuration, EngineSettings, ModelSettings

log = logging.getLogger(__name__)

_DELIVERY_LIMIT_S = 10.0
"""Seconds beyond the time for writing, in which an adapter may show what was written."""


class ReloadableChat(Protocol):
    """What is needed of the chat."""

    async def apply(self, configuration: Configuration) -> None:
        """Go on with another configuration."""
        ...


class ReloadableEngine(Protocol):
    """What is needed of the engine."""

    async def reload(
        self, model: ModelSettings, engine: EngineSettings, *, personas: Sequence[Sequence[ChatMessage]]
    ) -> None:
        """Change the model or its settings, drained; on failure the old one comes back."""
        ...

    def use_personas(self, personas: Sequence[Sequence[ChatMessage]]) -> None:
        """Read these ahead from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveParts:
    """What runs, and takes changes."""

    chat: ReloadableChat
    engine: ReloadableEngine
    fleet: Fleet
    applied: Callable[[Adapters], Awaitable[None]]
    """What is to be done when another configuration is in effect, with the adapters that it wants."""


class Reloader:
    """One reload at a time, each whole or not at all: what is wrong is found before anything is touched.

    The model comes first, because it is what may fail. Then the chat goes on with the new settings between two
    messages, and adapters whose section differs are restarted, each alone.
    """

    def __init__(
        self,
        *,
        current: LoadedConfig,
        running: Adapters,
        load: Callable[[], LoadedConfig],
        choose: Callable[[LoadedConfig], Adapters],
        factory: Callable[[str, AdapterSettings], AdapterFactory],
        log_to: Callable[[LoadedConfig], None],
        announced: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`load` reads the file again; `choose` says which adapters a configuration wants to run, `factory` makes them.

        `log_to` sets logging up. `announced` is entered while a reload is under way. All but the last raise
        `ConfigError`.
        """
        self._current = current
        self._running = dict(running)
        self._load = load
        self._choose = choose
        self._factory = factory
        self._log_to = log_to
        self._announced = announced
        self._parts: LiveParts | None = None
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> LoadedConfig:
        """The configuration that is in effect."""
        return self._current

    def attach(self, parts: LiveParts) -> None:
        """Everything is up; from now on there is something to change."""
        self._parts = parts

    async def reload(self) -> ConfigChange:
        """Read the file again and put it into effect; returns what was different.

        Adapters may still be restarting when this returns, so that one of them can still say how it went. Whoever
        cancels this does not stop the reload half way. Raises `ConfigError` and `ModelLoadError`, after which
        everything is as it was.
        """
        told: asyncio.Future[ConfigChange] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._reload(told), name="reload")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(told)

    async def settled(self) -> None:
        """Return when no reload is under way any more."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def aclose(self) -> None:
        """Break off what is under way, for the end of the daemon."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reload(self, told: asyncio.Future[ConfigChange]) -> None:
        async with self._one_at_a_time:
            try:
                with self._announced():
                    change = await self._apply()
            except BaseException as error:
                if not told.cancelled():
                    told.set_exception(error)
                    told.exception()  # read here, in case that nobody waits any more
                if not isinstance(error, Exception):
                    raise
            else:
                if not told.cancelled():
                    told.set_result(change)
                await self._change_adapters(change)

    async def _apply(self) -> ConfigChange:
        if self._parts is None:
            raise ConfigError("the daemon is still starting; try again when it is up")
        # In a thread: the first look at an adapter's section imports its platform's library.
        loaded = await asyncio.to_thread(self._load)
        old, new = self._current.settings, loaded.settings
        wanted = self._choose(loaded)
        change = ConfigChange.between(old, new, running=self._running, wanted=wanted)
        self._log_to(loaded)
        try:
            await self._change_model(self._parts.engine, change, old, new)
        except HearthbotError:
            self._log_to(self._current)
            raise
        await self._parts.chat.apply(new)
        self._current = loaded
        self._running |= {name: wanted[name] for name in (*change.started, *change.restarted)}
        for name in change.stopped:
            del self._running[name]
        await self._parts.applied(wanted)
        if change:
            log.info("the configuration was read again; %s", change)
        return change

    @staticmethod
    async def _change_model(
        engine: ReloadableEngine, change: ConfigChange, old: Configuration, new: Configuration
    ) -> None:
        heads = Personas.of(new).heads
        if change.model:
            await engine.reload(new.model, new.engine, personas=heads)
        elif heads != Personas.of(old).heads:
            engine.use_personas(heads)

    async def _change_adapters(self, change: ConfigChange) -> None:
        if self._parts is None:
            return
        fleet = self._parts.fleet
        limit_s = self._current.settings.engine.shutdown_timeout + _DELIVERY_LIMIT_S
        with fleet.changing():
            for name in (*change.stopped, *change.restarted):
                await fleet.stop(name, timeout_s=limit_s)
            for name in (*change.restarted, *change.started):
                fleet.start(name, self._factory(name, self._running[name]))
