"""Examines an installation the way a start would use it."""

import platform
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.check import Check
from bot.config import LoadedConfig
from bot.engine.gpu_devices import gpu_devices
from bot.errors import ConfigError, StorageError
from bot.loader import AdapterLoader
from bot.ops.alarms import LITTLE_SPACE
from bot.ops.graphics_card import graphics_cards
from bot.ops.graphics_check import graphics_check
from bot.ops.machine_check import clock_check, processor_check
from bot.ops.model_check import ModelCheck
from bot.ops.service_check import service_check
from bot.paths import Paths
from bot.storage.database import Database

LIBRARIES = ("llama-cpp-python", "pydantic", "aiosqlite", "prompt-toolkit")


class Doctor:
    """Makes one check after another. What would stop a start is a failure; what would only hurt is a warning."""

    def __init__(self, *, load: Callable[[], LoadedConfig], paths: Paths, notify: Callable[[str], None]) -> None:
        """`load` reads the configuration and raises `ConfigError`; `notify` shows that something slow goes on."""
        self._load = load
        self._notify = notify
        self._paths = paths

    async def examine(self) -> AsyncIterator[Check]:
        """Yield findings as they are made. Nothing that needs a broken part is examined after it."""
        yield self._python()
        yield self._libraries()
        yield processor_check()
        yield graphics_check(graphics_cards(), gpu_devices())
        yield clock_check()
        yield service_check(Path(sys.argv[0]))
        try:
            loaded = self._load()
        except ConfigError as error:
            fix = "correct the file; `hearthbot config check` reads it again"
            yield Check(name="configuration", status="fail", found=str(error), fix=fix, exit_code=error.exit_code)
            return
        yield Check(name="configuration", status="ok", found=str(loaded.path or "built-in defaults, no file found"))
        yield await self._storage(loaded)
        async for check in self._adapters(loaded):
            yield check
        async for check in ModelCheck(loaded.settings, paths=self._paths, notify=self._notify).examine():
            yield check

    @staticmethod
    def _python() -> Check:
        found = (
            f"{platform.python_version()} on {platform.system()} {platform.machine()}, SQLite {sqlite3.sqlite_version}"
        )
        return Check(name="python", status="ok", found=f"{found}, {sys.executable}")

    @staticmethod
    def _libraries() -> Check:
        found, missing = [], []
        for name in LIBRARIES:
            try:
                found.append(f"{name} {version(name)}")
            except PackageNotFoundError:
                missing.append(name)
        if missing:
            fix = "install hearthbot again, with what it needs: pip install --force-reinstall hearthbot"
            return Check(name="libraries", status="fail", found=f"missing: {', '.join(missing)}", fix=fix, exit_code=1)
        return Check(name="libraries", status="ok", found=", ".join(found))

    async def _storage(self, loaded: LoadedConfig) -> Check:
        settings = loaded.settings.storage
        path = self._paths.database_at(settings.path)
        try:
            database = await Database.open(path, busy_timeout_s=settings.busy_timeout_s)
            try:
                damage = await database.integrity()
            finally:
                await database.aclose()
        except StorageError as error:
            fix = "make the file and its folder writable, or set storage.path to another place"
            return Check(name="storage", status="fail", found=str(error), fix=fix, exit_code=error.exit_code)
        if damage:
            fix = f"stop hearthbot and put a backup in the place of {path}, or move it away to begin anew"
            found = f"{path} is damaged: {'; '.join(damage[:3])}"
            return Check(name="storage", status="fail", found=found, fix=fix, exit_code=StorageError.exit_code)
        free = shutil.disk_usage(path.parent).free
        found = f"{path}, {path.stat().st_size / 2**20:.1f} MiB, {free / 2**30:.1f} GiB free"
        if free < LITTLE_SPACE:
            return Check(name="storage", status="warn", found=found, fix="make space on this disk")
        return Check(name="storage", status="ok", found=found)

    async def _adapters(self, loaded: LoadedConfig) -> AsyncIterator[Check]:
        """What the platforms say about their sections; those that are switched off are not asked."""
        loader = AdapterLoader()
        for name, settings in loaded.settings.adapters.items():
            if settings.enabled:
                for check in await loader.load(name).examine(name, settings):
                    yield check
