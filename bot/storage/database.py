"""The SQLite file: opening it safely, and the one way to read and write it."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Self

import aiosqlite

from bot.errors import DamagedDatabaseError, StorageError
from bot.storage.failure import storage_error
from bot.storage.log_sync import LogSync
from bot.storage.migrator import migrate_once
from bot.storage.transaction import Transaction, Value

_LOGGER = logging.getLogger(__name__)
_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables: https://www.sqlite.org/stricttables.html
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    # The log is synced after a commit, not in it: a power cut loses nothing either, as home boxes have no battery, but
    # nobody else waits for the disk meanwhile.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",
)
_WAL_RETRY_S = 0.02


class Database:
    """One connection to the file, shared by every coroutine of this process.

    Reads and transactions take turns, so one coroutine's rollback never takes another's statements along. Other
    processes may use the same file. Every error of SQLite comes out as `StorageError`.
    """

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        """Use `open`; this does not prepare the file."""
        self._connection = connection
        self._path = path
        self._log = LogSync(path)
        self._turn = asyncio.Lock()
        self._closed = False
        self._prepared = False
        self._damaged = False

    @classmethod
    async def open(cls, path: Path, *, busy_timeout_s: float) -> Self:
        """Open the file, with its folder created where missing, and bring its schema up to date.

        `busy_timeout_s` is how long a statement waits for another process's lock. What is created is for this user
        alone (0600, folder 0700). Raises `StorageError`.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StorageError(
                f"SQLite {sqlite3.sqlite_version} is too old, {'.'.join(map(str, _OLDEST_SQLITE))} is needed; "
                "use a Python that was built with a newer one"
            )
        try:
            path = await asyncio.to_thread(_prepare_file, path)
            # isolation_level=None: transactions begin where this file says so, not where the sqlite3 module guesses.
            connection = await aiosqlite.connect(path, timeout=busy_timeout_s, isolation_level=None)
        except (sqlite3.Error, OSError) as error:
            raise storage_error(path, error) from error
        connection.row_factory = sqlite3.Row
        database = cls(connection, path)
        try:
            await database._prepare(busy_timeout_s)
        except BaseException:
            await database.aclose()
            raise
        return database

    async def aclose(self) -> None:
        """Wait for the statements under way, then close. Anything later raises `StorageError`."""
        async with self._turn:
            if self._closed:
                return
            self._closed = True
            await self._log.aclose()
            try:
                await self._connection.close()
            except sqlite3.Error as error:
                raise storage_error(self._path, error) from error

    @property
    def damaged(self) -> bool:
        """Whether a statement has met damage in the file. The next start looks at all of it then."""
        return self._damaged

    @asynccontextmanager
    async def transaction(self, *, synced: bool = True) -> AsyncIterator[Transaction]:
        """Statements that are all kept when the block ends, and all undone when it raises or is cancelled.

        `synced` waits until not even a power cut undoes them. A transaction is not to be opened inside another: it
        would wait for itself.
        """
        async with self._turn:
            with self._errors():
                try:
                    await self._connection.execute_fetchall("BEGIN IMMEDIATE")
                    yield Transaction(self._connection)
                    await self._connection.commit()
                except BaseException:
                    # The connection runs what it is handed in order, and is handed the rollback before this coroutine
                    # can be suspended again. So a cancelled statement, or commit, still runs to its end first, and
                    # whoever comes next finds no open transaction. After a commit there is nothing to roll back.
                    with suppress(sqlite3.Error):
                        await self._connection.rollback()
                    raise
        if synced:
            await self.sync()

    async def fetch(self, sql: str, /, **values: Value) -> list[sqlite3.Row]:
        """Rows of one reading statement, as `Transaction.run`."""
        async with self._turn:
            with self._errors():
                return await Transaction(self._connection).run(sql, **values)

    async def write(self, sql: str, /, *, synced: bool = True, **values: Value) -> list[sqlite3.Row]:
        """What one statement returns that is a transaction by itself; one trip to the database's thread, not three."""
        rows = await self.fetch(sql, **values)
        if synced:
            await self.sync()
        return rows

    async def sync(self) -> None:
        """Return when not even a power cut undoes what was committed before."""
        if self._closed:
            return  # which has synced it
        try:
            await self._log.sync()
        except OSError as error:
            raise StorageError(f"{self._path}: the disk reports an error ({error}); check it and its cable") from error

    async def erase_deleted(self) -> None:
        """Rewrite the files without what was deleted, so that no byte of it is left in them.

        Takes about a second per hundred megabytes. Raises `StorageError` where another process reads on for so long
        that the write-ahead log cannot be emptied; calling it again completes the work.
        """
        async with self._turn:
            with self._errors():
                try:
                    await self._connection.execute_fetchall("VACUUM")
                finally:
                    emptied = await self._empty_log()
        if not emptied:
            raise StorageError(
                f"{self._path}: deleted, but traces are left in the -wal file because another process is reading the "
                "database; stop it and repeat the deletion"
            )

    async def integrity(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the file, in its words; empty for a sound one. Reads the whole file.

        Raises `StorageError` where the damage prevents even looking.
        """
        damage = tuple(row[0] for row in await self.fetch("PRAGMA integrity_check") if row[0] != "ok")
        if damage:
            self._remember_damage()
        return damage or tuple(
            f"row {row['rowid']} of {row['table']} refers to a missing row of {row['parent']}"
            for row in await self.fetch("PRAGMA foreign_key_check")
        )

    async def _prepare(self, busy_timeout_s: float) -> None:
        with self._errors():
            # SQLite's own lower() knows ASCII alone.
            await self._connection.create_function("casefold", 1, str.casefold, deterministic=True)
            for pragma in _PRAGMAS:
                await self._connection.execute_fetchall(pragma)
            await self._enter_wal(busy_timeout_s)
        while True:
            async with self.transaction() as transaction:
                version = await migrate_once(transaction, path=self._path)
            if version is None:
                break
            _LOGGER.info("%s: schema %d", self._path, version)
        with self._errors():
            # A process that was killed between a deletion and its erasing left the text in the log.
            await self._empty_log()
        self._prepared = True

    async def _enter_wal(self, busy_timeout_s: float) -> None:
        """SQLite does not wait here when two processes create the file at the same moment, so this does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + busy_timeout_s
        while True:
            try:
                rows = list(await self._connection.execute_fetchall("PRAGMA journal_mode = WAL"))
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or loop.time() >= deadline:
                    raise
                await asyncio.sleep(_WAL_RETRY_S)
                continue
            if rows[0][0] != "wal":
                raise StorageError(
                    f"{self._path}: this file system cannot hold a write-ahead log; "
                    "set storage.path to a file on a local disk"
                )
            return

    async def _empty_log(self) -> bool:
        """Move the write-ahead log into the database and cut it to nothing; False when a reader prevented it."""
        rows = list(await self._connection.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)"))
        return not rows[0]["busy"]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        if self._closed:
            raise StorageError(f"{self._path}: the database is closed")
        try:
            yield
        except sqlite3.Error as error:
            found = storage_error(self._path, error)
            if isinstance(found, DamagedDatabaseError):
                self._remember_damage()
            raise found from error

    def _remember_damage(self) -> None:
        # Before that it may be anybody's file, and whoever opens it hears of the damage anyway.
        if self._prepared and not self._damaged:
            self._damaged = True
            with suppress(OSError):
                damage_mark(self._path).touch(mode=0o600)


def damage_mark(path: Path) -> Path:
    """A file that stands beside a database in which damage was met."""
    return path.with_name(f"{path.name}-damaged")


def _prepare_file(path: Path) -> Path:
    """Create the file, private to this user, and the folders that are missing; return its real path.

    An existing file is not opened: closing it again would drop the locks that SQLite holds on it in this process
    (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    path = Path(os.path.realpath(path))
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if path.is_dir():
        raise StorageError(f"{path}: this is a folder; set storage.path to a file in it")
    return path
