"""`hearthbot run` and `hearthbot chat`: everything that talks is put together here."""

import asyncio
import logging
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from bot.app import App
from bot.cli.options import load_configuration
from bot.config import LoadedConfig
from bot.errors import ConfigError, MissingDependencyError, StorageError
from bot.fleet import AdapterFactory, Fleet
from bot.live.config_change import Adapters
from bot.live.config_watch import ConfigWatch
from bot.live.reload_signal import ReloadSignal
from bot.live.reload_triggers import ReloadTriggers
from bot.live.reloader import LiveParts, Reloader
from bot.loader import AdapterLoader
from bot.logs import configure
from bot.ops.caretaker import Caretaker
from bot.ops.last_life import LastLife
from bot.ops.service_manager import ServiceManager
from bot.ops.watchdog import Watchdog
from bot.paths import Paths
from bot.settings import AdapterSettings
from bot.terminal_log import log_beside_terminal

if TYPE_CHECKING:
    from bot.backend import Backend

log = logging.getLogger(__name__)

CONSOLE = "console"
WEB = "web"


def run(config: Path | None) -> None:
    """Live with every configured adapter, and with the console where there is a terminal."""
    load = partial(load_configuration, config)
    daemon = Daemon(load=load, loaded=load(), paths=Paths.of_user(), terminal=_at_terminal())
    daemon.live(daemon.configured)


def chat(config: Path | None, *, user: str | None, as_json: bool) -> None:
    """Live with the console alone."""
    load = partial(load_configuration, config)
    daemon = Daemon(load=load, loaded=load(), paths=Paths.of_user(), terminal=_at_terminal())
    output: Literal["text", "json"] | None = "json" if as_json else None
    daemon.live(lambda loaded: {CONSOLE: daemon.console(loaded, user=user, output=output)})


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


class Daemon:
    """Settings, folders and adapters of one life."""

    def __init__(self, *, load: Callable[[], LoadedConfig], loaded: LoadedConfig, paths: Paths, terminal: bool) -> None:
        """`load` reads the configuration again; `terminal`: a person sits at standard input and output."""
        self._load = load
        self._loaded = loaded
        self._paths = paths
        self._terminal = terminal
        self._loader = AdapterLoader()
        self._manager = ServiceManager.of_process()

    def configured(self, loaded: LoadedConfig) -> Adapters:
        """Return the adapters that are to run. Raises `ConfigError` when there is none."""
        sections = loaded.settings.adapters
        chosen = {name: each for name, each in sections.items() if each.enabled and name != CONSOLE}
        if WEB not in sections and (web := self._default_web()) is not None:
            chosen[WEB] = web
        console = sections.get(CONSOLE)
        if self._terminal and (console is None or console.enabled):
            chosen[CONSOLE] = self.console(loaded)
        if not chosen:
            file = loaded.path or "config.yaml (`hearthbot config init` writes one)"
            raise ConfigError(
                "There is nobody to talk to: no adapter is configured, and standard input and output are no terminal. "
                f"Add one under 'adapters' in {file}, or use `hearthbot chat`, which reads messages line by line."
            )
        return chosen

    def _default_web(self) -> AdapterSettings | None:
        """The web on this machine alone, where the file says nothing of it and its packages are installed."""
        try:
            return self._loader.settings_type(WEB)()
        except MissingDependencyError:
            return None

    def console(self, loaded: LoadedConfig, **overrides: str | None) -> AdapterSettings:
        """Return the console's settings, with this user's folders where the file names none."""
        kind = self._loader.settings_type(CONSOLE)
        given = loaded.settings.adapters.get(CONSOLE, kind())
        folders = {"history_file": str(self._paths.console_history), "export_folder": str(self._paths.exports)}
        stronger = {key: value for key, value in overrides.items() if value is not None}
        values: dict[str, Any] = {**folders, **given.model_dump(exclude_none=True), **stronger}
        return kind.model_validate(values)

    def live(self, choose: Callable[[LoadedConfig], Adapters]) -> None:
        """Run the adapters that `choose` finds in the configuration, until the end. Raises what `App.run` raises."""
        adapters = choose(self._loaded)
        try:
            self._paths.create()
            self._log(self._loaded, adapters)
        except OSError as error:
            raise StorageError(f"{error.filename} cannot be created: {error.strerror}") from error
        asyncio.run(self._live(choose, adapters))

    async def _live(self, choose: Callable[[LoadedConfig], Adapters], adapters: Adapters) -> None:
        reloader = Reloader(
            current=self._loaded,
            running=adapters,
            load=self._load,
            choose=choose,
            factory=self._factory,
            log_to=lambda loaded: self._log(loaded, choose(loaded)),
            announced=self._reloading,
        )
        with ReloadSignal() as hangup:
            app = App(
                open_backend=partial(self._backend, adapters, reloader),
                adapters={name: self._factory(name, each) for name, each in adapters.items()},
                shutdown_timeout_s=lambda: reloader.current.settings.engine.shutdown_timeout,
                notify=notify,
                beside=partial(self._look_after, adapters, reloader, hangup),
            )
            await app.run()

    @asynccontextmanager
    async def _backend(self, adapters: Adapters, reloader: Reloader) -> AsyncIterator["Backend"]:
        # Imported here, because it brings llama.cpp along: a mistake in the configuration is said before that.
        from bot.backend import open_backend  # noqa: PLC0415
        from bot.ops.graphics_check import idle_card_notice  # noqa: PLC0415

        async with open_backend(
            self._loaded.settings, paths=self._paths, notify=notify, reload=reloader.reload
        ) as backend:
            self._ready(adapters, backend.engine.status().model)
            if (idle := idle_card_notice(self._loaded.settings.engine.n_gpu_layers)) is not None:
                notify(idle)
                log.warning("%s", idle)
            await self._offer_claim(backend, adapters)
            yield backend

    @staticmethod
    async def _offer_claim(backend: "Backend", adapters: Adapters) -> None:
        """Show how to become the first admin, where people can come who are not known by a terminal or a key."""
        if set(adapters) - {CONSOLE, WEB}:
            await backend.core.offer_claim()

    async def _look_after(
        self, adapters: Adapters, reloader: Reloader, hangup: ReloadSignal, backend: "Backend", fleet: Fleet
    ) -> None:
        reloader.attach(
            LiveParts(
                chat=backend.core, engine=backend.engine, fleet=fleet, applied=partial(self._offer_claim, backend)
            )
        )
        triggers = ReloadTriggers(
            reloader=reloader,
            watch=ConfigWatch(self._loaded.path or self._paths.config_file),
            hangup=hangup,
            hung_up=lambda: self._terminal and not _at_terminal(),
            tell_admins=backend.core.tell_admins,
        )
        watchdog = Watchdog(self._manager, heartbeat_s=backend.engine.heartbeat, status=partial(_status, backend))
        caretaker = Caretaker(
            adapters=lambda: backend.core.adapters,
            free_space=lambda: (
                shutil.disk_usage(self._paths.database_at(self._loaded.settings.storage.path).parent).free
            ),
            damaged=lambda: backend.is_damaged,
            tell_admins=backend.core.tell_admins,
            delete_before=backend.delete_before,
            retention_days=lambda: reloader.current.settings.history.retention_days,
        )
        last_life = LastLife(self._paths.running_mark) if set(adapters) != {CONSOLE} else None
        cut_off = ["I was cut off, and have started again."] if last_life and last_life.begin() else []
        self._manager.ready()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(caretaker.run(*cut_off, *backend.news), name="caretaker")
                tasks.create_task(triggers.run(), name="reload")
                tasks.create_task(watchdog.run(), name="watchdog")
        finally:
            self._manager.stopping()
            if last_life and not backend.engine.lost:
                last_life.end()

    def _factory(self, name: str, settings: AdapterSettings) -> AdapterFactory:
        kind = self._loader.load(name)
        return lambda core: kind(name=name, settings=settings, core=core)

    def _log(self, loaded: LoadedConfig, adapters: Adapters) -> None:
        settings, secrets = loaded.settings.logging, loaded.secrets()
        if self._terminal or set(adapters) == {CONSOLE}:
            log_beside_terminal(settings, secrets=secrets, file=self._paths.log_file)
        else:
            configure(settings, secrets=secrets)

    @contextmanager
    def _reloading(self) -> Iterator[None]:
        self._manager.reloading()
        try:
            yield
        finally:
            self._manager.ready()

    def _ready(self, adapters: Adapters, model: str) -> None:
        settings = self._loaded.settings
        persona = settings.personas[settings.persona].name or settings.persona
        if self._terminal:
            leave = "Ctrl-D leaves" if CONSOLE in adapters else "Ctrl-C stops the daemon"
            notify(f"{model} · {persona} · {leave}, /help shows what I can do")
        else:
            log.info("ready: model %s, persona %s", model, persona)


def _status(backend: "Backend") -> str:
    """What the daemon does, for `systemctl status`."""
    engine, rate = backend.engine.status(), backend.engine.figures().decode_tokens_per_s
    up = [adapter.name for adapter in backend.core.adapters if adapter.phase == "up"]
    lost = [adapter.name for adapter in backend.core.adapters if adapter.phase in {"retrying", "stopped"}]
    parts = [f"serving: {', '.join(up) or 'nobody yet'}"]
    parts += [f"lost: {', '.join(lost)}"] if lost else []
    parts += [f"{engine.running} being answered, {engine.waiting} waiting"]
    parts += [f"{rate:.0f} tok/s"] if rate else []
    parts += [] if engine.loaded else ["model asleep"]
    return "; ".join(parts)


def notify(text: str) -> None:
    """Show a line to whoever started the command."""
    typer.echo(text, err=True)
