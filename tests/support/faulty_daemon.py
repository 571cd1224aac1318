"""The daemon as a process with the real small model, for tests that do it harm."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from tests.support.bot_api import BotApiServer, FakeChat
from tests.support.hearthbot_process import Hearthbot

CONFIGURATION = """
engine: {{n_ctx: 1024, max_parallel: 2, n_threads: 1, tune: off, prewarm: false}}
generation: {{temperature: 0, max_tokens: {max_tokens}}}
permissions: {{open: true, quotas: {quotas}, users: {{admin_ids: ["telegram:{admin}"]}}}}
storage: {{busy_timeout_s: 0.1}}
model: {model}
adapters:
  web: {{enabled: false}}
  telegram:
    token_env: TELEGRAM_TOKEN
    base_url: {base_url}
    base_file_url: {base_file_url}
    edit_interval_s: 0.5
history: {{retention_days: {retention_days}}}
"""
_LIMIT_S = 90.0
_LOOK_S = 0.05


@dataclass(slots=True, kw_only=True)
class FaultyDaemon:
    """Ann is its admin; it can be killed and started again, and what it has stored can be looked at from outside."""

    hearthbot: Hearthbot
    server: BotApiServer
    ann: FakeChat
    max_tokens: int = 24
    model: Path | None = None
    program: Sequence[str] = (sys.executable, "-m", "bot.cli", "run")
    quotas: str = "{}"
    retention_days: str = "null"
    process: "subprocess.Popen[str] | None" = None
    """The life that goes on."""
    sees_alone: bool = False
    """Whether its database is on a mount that nobody else sees."""

    @asynccontextmanager
    async def living(self) -> AsyncIterator["subprocess.Popen[str]"]:
        """One life, once it polls. It is killed in the end, if it still runs then."""
        self.hearthbot.configure(
            CONFIGURATION.format(
                base_url=self.server.base_url,
                base_file_url=self.server.base_file_url,
                admin=self.ann.user,
                max_tokens=self.max_tokens,
                model=f"{{path: {self.model}}}" if self.model else "{}",
                quotas=self.quotas,
                retention_days=self.retention_days,
            )
        )
        self.hearthbot.environment["TELEGRAM_TOKEN"] = self.server.token
        before = len(self.server.polls)
        self.process = process = self._start()
        try:
            await self.until(lambda: len(self.server.polls) > before + 1 or process.poll() is not None)
            assert process.poll() is None, "it does not start"
            yield process
        finally:
            process.kill()
            await asyncio.to_thread(process.wait)

    @property
    def said(self) -> str:
        """What all its lives have logged."""
        return self._log_file.read_text(errors="replace")

    @property
    def _log_file(self) -> Path:
        return self.hearthbot.home / "daemon.log"

    def _start(self) -> "subprocess.Popen[str]":
        # A file, since nobody empties a pipe meanwhile, and a daemon that cannot log stands still.
        with self._log_file.open("a") as log:
            return subprocess.Popen(
                self.program,
                stdin=subprocess.DEVNULL,
                stderr=log,
                text=True,
                env=self.hearthbot.environment,
                cwd=self.hearthbot.home,
            )

    def query(self, sql: str, *values: object) -> list[tuple[str, ...]]:
        """Rows that it has stored."""
        database = self._copied() if self.sees_alone else self.hearthbot.database
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute(sql, values).fetchall()

    def seen(self, path: Path) -> Path:
        """A path as the process sees it, from here."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/root{path}")

    def _copied(self) -> Path:
        """A copy of the database: SQLite takes the path of `seen` for this process's own."""
        copy = self.hearthbot.home / "copy.db"
        for end in ("-wal", ""):
            shutil.copyfile(self.seen(Path(f"{self.hearthbot.database}{end}")), f"{copy}{end}")
        return copy

    async def answer(self, topic: str) -> None:
        """Have Ann ask about it, and return when she was answered."""
        self.ann.say(f"Tell me about the {topic}.")
        asked = "SELECT 1 FROM turns WHERE text LIKE ? AND status = 'done'"
        await self.until(lambda: self.query(asked, f"%{topic}%"))
        await self.until_settled()

    async def until_settled(self) -> None:
        """Return when none of the messages that were stored waits for an answer any more, as the database says."""
        await self.until(lambda: not self.query("SELECT 1 FROM answers WHERE state NOT IN ('delivered', 'dropped')"))

    async def until(self, condition: Callable[[], object]) -> None:
        """Return when something outside the server has come true."""
        await asyncio.to_thread(_wait, condition)


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(_LOOK_S)
