"""The schema grows step by step, each step whole, and never backwards."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.storage.database import Database
from bot.storage.migrations import APPLICATION_ID, MIGRATIONS
from bot.storage.migrator import migrate_once

OpenDatabase = Callable[..., Awaitable[Database]]
SCHEMA = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"


def build(path: Path, version: int) -> None:
    """Make the file as the program of `version` left it."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statements in MIGRATIONS[:version]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
async def test_every_earlier_version_is_brought_up_to_date(
    version: int, path: Path, tmp_path: Path, open_database: OpenDatabase
) -> None:
    """A file of any earlier version gets the schema that a new file gets."""
    build(path, version)
    fresh = await open_database(tmp_path / "fresh.db")
    upgraded = await open_database()
    assert [tuple(row) for row in await upgraded.fetch(SCHEMA)] == [tuple(row) for row in await fresh.fetch(SCHEMA)]
    assert (await upgraded.fetch("PRAGMA user_version"))[0][0] == len(MIGRATIONS)
    assert (await upgraded.fetch("PRAGMA application_id"))[0][0] == APPLICATION_ID
    assert await upgraded.integrity() == ()


async def test_newer_schema_is_refused(path: Path, open_database: OpenDatabase) -> None:
    """A file that a newer version has written is left as it is, and the text says what to do."""
    await (await open_database()).aclose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StorageError, match=r"newer hearthbot .* install that version again"):
        await open_database()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS) + 1


@pytest.mark.parametrize("user_version", [0, 1, 70])
async def test_database_of_another_program_is_refused(
    user_version: int, path: Path, open_database: OpenDatabase
) -> None:
    """Tables are never added to somebody else's database, whatever version number it carries."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.execute(f"PRAGMA user_version = {user_version}")
    with pytest.raises(StorageError, match="belongs to another program"):
        await open_database()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("bookmarks",)]


async def test_failed_step_leaves_the_version_before_it(database: Database, path: Path) -> None:
    """A step that fails half way takes its tables, and its version, back with it."""
    broken = (*MIGRATIONS, ("CREATE TABLE extra (id INTEGER)", "CREATE TABLE extra (id INTEGER)"))
    with pytest.raises(StorageError, match="already exists"):
        async with database.transaction() as transaction:
            await migrate_once(transaction, path=path, migrations=broken)
    assert (await database.fetch("PRAGMA user_version"))[0][0] == len(MIGRATIONS)
    assert await database.fetch("SELECT 1 FROM sqlite_schema WHERE name = 'extra'") == []


async def test_one_step_is_taken_at_a_time(database: Database, path: Path) -> None:
    """Each step is reported with the version it leads to, and then there is none left."""
    longer = (*MIGRATIONS, ("CREATE TABLE extra (id INTEGER)",))
    async with database.transaction() as transaction:
        assert await migrate_once(transaction, path=path, migrations=longer) == len(MIGRATIONS) + 1
        assert await migrate_once(transaction, path=path, migrations=longer) is None
