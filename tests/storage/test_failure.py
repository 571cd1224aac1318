"""Every way in which the file can be unusable has a text that names it and says what to do."""

import sqlite3
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.storage.failure import storage_error

PATH = Path("/data/hearthbot.db")


def coded(code: int, name: str) -> sqlite3.OperationalError:
    """An error as the sqlite3 module raises it for a result code."""
    error = sqlite3.OperationalError("the library's words")
    error.sqlite_errorcode = code
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize(
    ("code", "name", "advice"),
    [
        (sqlite3.SQLITE_BUSY, "SQLITE_BUSY", "raise storage.busy_timeout_s"),
        (sqlite3.SQLITE_BUSY_RECOVERY, "SQLITE_BUSY_RECOVERY", "another process"),
        (sqlite3.SQLITE_LOCKED, "SQLITE_LOCKED", "another process"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "SQLITE_READONLY_DIRECTORY", "read-only"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED", "moved or deleted"),
        (sqlite3.SQLITE_PERM, "SQLITE_PERM", "permission"),
        (sqlite3.SQLITE_CANTOPEN, "SQLITE_CANTOPEN", "cannot be opened"),
        (sqlite3.SQLITE_FULL, "SQLITE_FULL", "disk is full"),
        (sqlite3.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE", "disk reports an error"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "SQLITE_CORRUPT_INDEX", "restore a backup"),
        (sqlite3.SQLITE_NOTADB, "SQLITE_NOTADB", "not an SQLite database"),
        (sqlite3.SQLITE_TOOBIG, "SQLITE_TOOBIG", "the library's words"),
    ],
)
def test_result_code_becomes_advice(code: int, name: str, advice: str) -> None:
    """The log gets the path, what to do, and SQLite's own name for the error; extended codes count as their family."""
    text = str(storage_error(PATH, coded(code, name)))
    assert text.startswith(f"{PATH}: ")
    assert advice in text
    assert name in text


def test_error_without_a_code_keeps_its_words() -> None:
    """What the sqlite3 module raises by itself is passed on with the path."""
    assert str(storage_error(PATH, sqlite3.ProgrammingError("bad value"))) == f"{PATH}: bad value"


def test_system_error_names_its_cause() -> None:
    """A folder that cannot be made is reported with the system's reason and a way out."""
    text = str(storage_error(PATH, PermissionError(13, "Permission denied", "/data")))
    assert "Permission denied: '/data'" in text
    assert "storage.path" in text


def test_chats_are_told_nothing_internal() -> None:
    """The text for a chat has no path in it, whatever the log says."""
    assert "/" not in StorageError.user_text
    assert str(PATH) not in storage_error(PATH, coded(sqlite3.SQLITE_FULL, "SQLITE_FULL")).user_text
