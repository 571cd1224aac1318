"""SQLite's and the system's errors as `StorageError`, with texts that tell the owner what to do."""

import sqlite3
from pathlib import Path

from bot.errors import DamagedDatabaseError, StorageError

_ADVICE = {
    sqlite3.SQLITE_BUSY: "another process keeps the database locked; "
    "stop it (a second daemon, a backup, a database browser) or raise storage.busy_timeout_s",
    sqlite3.SQLITE_LOCKED: "another process keeps the database locked; "
    "stop it (a second daemon, a backup, a database browser) or raise storage.busy_timeout_s",
    sqlite3.SQLITE_READONLY: "the file or its folder is read-only; "
    "give the daemon's user write permission to both, and check that the disk is not mounted read-only",
    sqlite3.SQLITE_PERM: "access is denied; give the daemon's user read and write permission",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; "
    "give the daemon's user read and write permission to it and to its folder, or set storage.path to another file",
    sqlite3.SQLITE_FULL: "the disk is full; free some space, the daemon goes on by itself then",
    sqlite3.SQLITE_IOERR: "the disk reports an error; check its free space, its cable and the system log",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restart the daemon, which keeps a copy and goes on with "
    "what can still be read, or restore a backup",
    sqlite3.SQLITE_NOTADB: "this is not an SQLite database; "
    "set storage.path to another file, or move this one away to start with an empty one",
}
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_DATABASE_MOVED = "the file was moved or deleted while it was in use; restart the daemon"
_PRIMARY = 0xFF  # the low byte of an extended result code: https://www.sqlite.org/rescode.html


def storage_error(path: Path, error: sqlite3.Error | OSError) -> StorageError:
    """Say what is wrong with the database at `path`; a cause without advice keeps SQLite's own words."""
    if isinstance(error, OSError):
        return StorageError(
            f"{path}: cannot be created ({error}); "
            "give the daemon's user write permission to the folder, or set storage.path to another place"
        )
    # Errors of the sqlite3 module itself (a wrong number of values) have no code.
    code: int | None = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return StorageError(f"{path}: {error}")
    advice = _DATABASE_MOVED if code == sqlite3.SQLITE_READONLY_DBMOVED else _ADVICE.get(code & _PRIMARY)
    cause = f"{error}, {error.sqlite_errorname}"
    kind = DamagedDatabaseError if code & _PRIMARY in _DAMAGE else StorageError
    return kind(f"{path}: {advice} ({cause})" if advice else f"{path}: {cause}")
