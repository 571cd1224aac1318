"""What is done about a damaged database at the start: it is set aside, and a new one takes over what can be read."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import DamagedDatabaseError
from bot.storage.database import Database, damage_mark
from bot.storage.failure import storage_error
from bot.storage.file_version import FileVersion
from bot.storage.migrations import MIGRATIONS

log = logging.getLogger(__name__)

SMALL = 64 << 20
"""Bytes up to which a file is read at every start. Half a million turns, 200 MiB, take a second from memory, and from a
slow disk as long as that needs to read all of them."""
_COMPANIONS = ("-wal", "-shm")


async def open_or_salvage(path: Path, *, busy_timeout_s: float) -> tuple[Database, tuple[str, ...]]:
    """Open the database, whole or what is left of it; also returns what the admins have to know about that.

    Reads the whole file once where it is small, was not closed by whoever had it last, or damage was met in it since.
    Raises `StorageError` as `Database.open` does for everything but damage to a file that is certainly hearthbot's and
    of a version that this one knows.
    """
    path = await asyncio.to_thread(path.resolve)
    try:
        return await _open_whole(path, busy_timeout_s), ()
    except DamagedDatabaseError as error:
        if not (await asyncio.to_thread(FileVersion.of_header, path)).is_known:
            raise
        log.error("%s", error)  # noqa: TRY400 - the sentence says it all
        kept, rows = await asyncio.to_thread(_replace, path)
    news = (
        f"My database was damaged. I kept it as {kept} and go on with a new one that has what could still be read "
        f"({rows} rows); some messages may be missing. To put a backup back instead: hearthbot restore FILE"
    )
    log.error("%s", news)
    return await Database.open(path, busy_timeout_s=busy_timeout_s), (news,)


async def _open_whole(path: Path, busy_timeout_s: float) -> Database:
    doubtful = await asyncio.to_thread(_is_doubtful, path)
    database = await Database.open(path, busy_timeout_s=busy_timeout_s)
    try:
        if doubtful:
            await _check(database, path)
            await asyncio.to_thread(damage_mark(path).unlink, missing_ok=True)
    except BaseException:
        await database.aclose()
        raise
    return database


def _is_doubtful(path: Path) -> bool:
    """Whether the file is worth its reading. The last one to close it leaves no log beside it."""
    log_left = Path(f"{path}-wal")
    return (
        damage_mark(path).exists()
        or (log_left.exists() and log_left.stat().st_size > 0)
        or (path.exists() and path.stat().st_size <= SMALL)
    )


async def _check(database: Database, path: Path) -> None:
    found = (await database.fetch("PRAGMA quick_check(1)"))[0][0]
    if found != "ok":
        raise DamagedDatabaseError(f"{path}: the database is damaged ({found})")


def _replace(path: Path) -> tuple[Path, int]:
    """Put a new file in the place of the damaged one; returns where that is now, and how many rows were taken over."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    kept = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))  # conversations are private
        with closing(sqlite3.connect(fresh, isolation_level=None)) as target:
            rows = _take_over(path, target)
        # Before the file itself: a log that stays behind would be read into the new one.
        for companion in _COMPANIONS:
            with suppress(FileNotFoundError):
                Path(f"{path}{companion}").rename(f"{kept}{companion}")
        path.rename(kept)
        fresh.rename(path)
        damage_mark(path).unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise storage_error(path, error) from error
    finally:
        fresh.unlink(missing_ok=True)
    return kept, rows


def _take_over(path: Path, target: sqlite3.Connection) -> int:
    with closing(sqlite3.connect(path, isolation_level=None)) as damaged:
        try:
            version: int = damaged.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError:
            version = len(MIGRATIONS)  # then no row can be read either
        target.execute("PRAGMA foreign_keys = ON")
        target.execute("BEGIN")
        for statement in (statement for step in MIGRATIONS[:version] for statement in step):
            target.execute(statement)
        target.execute(f"PRAGMA user_version = {version}")
        # In the order of their creation, so that what is referred to is there first.
        tables = [
            name
            for (name,) in target.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
            )
        ]
        rows = sum(_insert(target, name, row) for name in tables for row in _readable(damaged, name))
        target.execute("COMMIT")
    return rows


def _readable(damaged: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    """Rows from the front up to the damage, and from the back down to it."""
    for order in ("", "DESC"):
        with suppress(sqlite3.DatabaseError):
            names = damaged.execute("SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,))
            keys = ", ".join(f"{name} {order}" for (name,) in names) or f"rowid {order}"
            yield from damaged.execute(f"SELECT * FROM {table} ORDER BY {keys}")  # noqa: S608
            return


def _insert(target: sqlite3.Connection, table: str, row: tuple[object, ...]) -> int:
    """Rubbish is of the wrong type, or refers to nothing, and is left out."""
    try:
        marks = ", ".join("?" * len(row))
        return target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row).rowcount  # noqa: S608
    except sqlite3.IntegrityError:
        return 0
