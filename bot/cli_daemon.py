"""`hearthbot run` and `hearthbot chat`: everything that talks is put together here."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import typer

from bot.adapter import Adapter, ChatCore
from bot.app import App, Backend
from bot.cli_options import load_configuration
from bot.config import LoadedConfig
from bot.errors import ConfigError, MissingDependencyError, StorageError
from bot.loader import AdapterLoader
from bot.logs import configure
from bot.paths import Paths
from bot.settings import AdapterSettings
from bot.terminal_log import log_beside_terminal

log = logging.getLogger(__name__)

CONSOLE = "console"
WEB = "web"


def run(config: Path | None) -> None:
    """Live with every configured adapter, and with the console where there is a terminal."""
    daemon = Daemon(loaded=load_configuration(config), paths=Paths.of_user(), terminal=_at_terminal())
    daemon.live(daemon.configured())


def chat(config: Path | None, *, user: str | None, as_json: bool) -> None:
    """Live with the console alone."""
    daemon = Daemon(loaded=load_configuration(config), paths=Paths.of_user(), terminal=_at_terminal())
    output: Literal["text", "json"] | None = "json" if as_json else None
    daemon.live({CONSOLE: daemon.console(user=user, output=output)})


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


class Daemon:
    """Settings, folders and adapters of one life."""

    def __init__(self, *, loaded: LoadedConfig, paths: Paths, terminal: bool) -> None:
        """`terminal`: a person sits at standard input and output."""
        self._loaded = loaded
        self._settings = loaded.settings
        self._paths = paths
        self._terminal = terminal
        self._loader = AdapterLoader()

    def configured(self) -> Mapping[str, AdapterSettings]:
        """Return the adapters that are to run. Raises `ConfigError` when there is none."""
        chosen = {name: each for name, each in self._settings.adapters.items() if each.enabled and name != CONSOLE}
        if WEB not in self._settings.adapters and (web := self._default_web()) is not None:
            chosen[WEB] = web
        console = self._settings.adapters.get(CONSOLE)
        if self._terminal and (console is None or console.enabled):
            chosen[CONSOLE] = self.console()
        if not chosen:
            file = self._loaded.path or "config.yaml (`hearthbot config init` writes one)"
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

    def console(self, **overrides: str | None) -> AdapterSettings:
        """Return the console's settings, with this user's folders where the file names none."""
        kind = self._loader.settings_type(CONSOLE)
        given = self._settings.adapters.get(CONSOLE, kind())
        folders = {"history_file": str(self._paths.console_history), "export_folder": str(self._paths.exports)}
        stronger = {key: value for key, value in overrides.items() if value is not None}
        values: dict[str, Any] = {**folders, **given.model_dump(exclude_none=True), **stronger}
        return kind.model_validate(values)

    def live(self, adapters: Mapping[str, AdapterSettings]) -> None:
        """Run until the end. Raises what `App.run` raises."""
        try:
            self._paths.create()
            self._log(beside_terminal=self._terminal or set(adapters) == {CONSOLE})
        except OSError as error:
            raise StorageError(f"{error.filename} cannot be created: {error.strerror}") from error
        app = App(
            open_backend=partial(self._backend, adapters),
            adapters={name: self._factory(name, each) for name, each in adapters.items()},
            shutdown_timeout_s=self._settings.engine.shutdown_timeout,
            notify=notify,
        )
        asyncio.run(app.run())

    @asynccontextmanager
    async def _backend(self, adapters: Mapping[str, AdapterSettings]) -> AsyncIterator[Backend]:
        # Imported here, because it brings llama.cpp along: a mistake in the configuration is said before that.
        from bot.backend import open_backend  # noqa: PLC0415

        async with open_backend(self._settings, paths=self._paths, notify=notify) as backend:
            self._ready(adapters, backend.engine.status().model)
            if set(adapters) != {CONSOLE}:
                await backend.core.offer_claim()
            yield backend

    def _factory(self, name: str, settings: AdapterSettings) -> Callable[[ChatCore], Adapter]:
        kind = self._loader.load(name)
        return lambda core: kind(name=name, settings=settings, core=core)

    def _log(self, *, beside_terminal: bool) -> None:
        settings, secrets = self._settings.logging, self._loaded.secrets()
        if beside_terminal:
            log_beside_terminal(settings, secrets=secrets, file=self._paths.log_file)
        else:
            configure(settings, secrets=secrets)

    def _ready(self, adapters: Mapping[str, AdapterSettings], model: str) -> None:
        persona = self._settings.personas[self._settings.persona].name or self._settings.persona
        if self._terminal:
            leave = "Ctrl-D leaves" if CONSOLE in adapters else "Ctrl-C stops the daemon"
            notify(f"{model} · {persona} · {leave}, /help shows what I can do")
        else:
            log.info("ready: model %s, persona %s", model, persona)


def notify(text: str) -> None:
    """Show a line to whoever started the command."""
    typer.echo(text, err=True)
