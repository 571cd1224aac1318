"""Copies of the database, made and put back while others use it."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import StorageError
from bot.storage.failure import storage_error
from bot.storage.file_version import FileVersion

Progress = Callable[[int, int], None]
"""Gets how many pages are done, and of how many."""
_PAGES = 256
"""Copied in one go, a megabyte; in between others may write."""


async def back_up(database: Path, target: Path, *, progress: Progress) -> None:
    """Copy the whole database as it is at one moment into a new file. KV states and models are no part of it.

    Whoever writes meanwhile goes on; the copy is complete or not there. Raises `StorageError`.
    """
    await asyncio.to_thread(_back_up, database, target, progress)


async def restore(backup: Path, database: Path, *, progress: Progress) -> Path | None:
    """Put a backup in the place of what the database holds; returns where a copy of that was kept, if there was any.

    One transaction of SQLite: a daemon that is running sees the old content or the new, never a mixture. Raises
    `StorageError` for a file that is damaged, no backup of hearthbot's, or written by a newer version.
    """
    return await asyncio.to_thread(_restore, backup, database, progress)


def _back_up(database: Path, target: Path, progress: Progress) -> None:
    if not database.is_file():
        raise StorageError(f"there is nothing to back up yet: no {database}")
    if target.exists():
        raise StorageError(f"{target} exists already and is left as it is; give another name")
    partial = target.with_name(f".{target.name}.part")
    try:
        _copy(database, partial, progress)
        with closing(sqlite3.connect(partial)) as copy:
            # One file that can be read from a disk that cannot be written to.
            copy.execute("PRAGMA journal_mode = DELETE")
        os.link(partial, target)  # unlike a rename, this never takes the place of a file that has appeared meanwhile
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StorageError(f"{target}: cannot be written: {reason}") from error
    finally:
        partial.unlink(missing_ok=True)


def _restore(backup: Path, database: Path, progress: Progress) -> Path | None:
    _check(backup)
    kept: Path | None = None
    if database.exists():
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        kept = database.with_name(f"{database.stem}.before-restore-{stamp}{database.suffix}")
        _copy(database, kept, progress)
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _copy(backup, database, progress)
    return kept


def _check(backup: Path) -> None:
    if not backup.is_file():
        raise StorageError(f"{backup}: no such file")
    try:
        with closing(sqlite3.connect(f"{backup.absolute().as_uri()}?mode=ro", uri=True)) as source:
            found = FileVersion(
                application=source.execute("PRAGMA application_id").fetchone()[0],
                schema=source.execute("PRAGMA user_version").fetchone()[0],
            )
            damage = [row[0] for row in source.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
    except sqlite3.Error as error:
        raise storage_error(backup, error) from error
    if not found.is_ours:
        raise StorageError(f"{backup}: this is no backup of hearthbot")
    found.refuse_newer(backup)
    if damage:
        raise StorageError(f"{backup} is damaged and was not restored: {'; '.join(damage)}")


def _copy(source: Path, target: Path, progress: Progress) -> None:
    """Copy by SQLite's online backup, https://www.sqlite.org/backup.html."""
    if not target.exists():
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))  # conversations are private
    try:
        with closing(sqlite3.connect(source)) as reader, closing(sqlite3.connect(target)) as writer:
            reader.backup(writer, pages=_PAGES, progress=lambda _, left, total: progress(total - left, total))
    except sqlite3.Error as error:
        raise storage_error(target, error) from error
