import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.messages import ConversationKey
from bot.storage import backup
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.database import Database
from bot.storage.migrations import MIGRATIONS


def quiet(_done: int, _total: int) -> None:
    """Nobody looks at the progress."""


def key(user: str) -> ConversationKey:
    """A private chat."""
    return ConversationKey(adapter="test", chat=user, thread="", user=user)


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    """A database with one conversation, of ann."""
    path = tmp_path / "hearthbot.db"
    opened = await Database.open(path, busy_timeout_s=5)
    await ConversationRepository(opened).start_new(key("ann"), persona="hearth")
    await opened.aclose()
    return path


async def users(path: Path) -> list[str]:
    """Whose conversations are stored there."""
    opened = await Database.open(path, busy_timeout_s=5)
    try:
        return [each.key.user for each in await ConversationRepository(opened).all()]
    finally:
        await opened.aclose()


async def test_a_backup_is_made_beside_a_writer(database: Path, tmp_path: Path) -> None:
    """It has what was committed, and only that; the writer is not held up."""
    opened = await Database.open(database, busy_timeout_s=5)
    async with opened.transaction() as transaction:
        await transaction.run("UPDATE conversations SET user = 'half way'")
        await backup.back_up(database, tmp_path / "copy.db", progress=quiet)
    await opened.aclose()
    assert await users(tmp_path / "copy.db") == ["ann"]
    assert await users(database) == ["half way"]


async def test_a_backup_is_one_private_file(database: Path, tmp_path: Path) -> None:
    """Nothing lies beside it, and nobody else may read it."""
    folder = tmp_path / "usb"
    folder.mkdir()
    await backup.back_up(database, folder / "copy.db", progress=quiet)
    assert [path.name for path in folder.iterdir()] == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600


async def test_a_file_that_exists_is_left_as_it_is(database: Path, tmp_path: Path) -> None:
    """It may be an older backup."""
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(StorageError, match="exists already"):
        await backup.back_up(database, tmp_path / "copy.db", progress=quiet)
    assert (tmp_path / "copy.db").read_text() == "mine"


async def test_a_backup_that_fails_leaves_nothing(database: Path, tmp_path: Path) -> None:
    """A folder that does not exist is said, with its name."""
    with pytest.raises(StorageError, match="missing"):
        await backup.back_up(database, tmp_path / "missing" / "copy.db", progress=quiet)
    assert not (tmp_path / "missing").exists()


async def test_restoring_brings_back_what_was_there(database: Path, tmp_path: Path) -> None:
    """What had come since is kept in a copy beside it."""
    await backup.back_up(database, tmp_path / "copy.db", progress=quiet)
    opened = await Database.open(database, busy_timeout_s=5)
    await ConversationRepository(opened).start_new(key("bob"), persona="hearth")
    await opened.aclose()
    kept = await backup.restore(tmp_path / "copy.db", database, progress=quiet)
    assert kept is not None
    assert await users(database) == ["ann"]
    assert await users(kept) == ["ann", "bob"]


async def test_a_process_that_is_running_sees_what_was_restored(database: Path, tmp_path: Path) -> None:
    """Its connection stays usable: the content changed in one transaction."""
    await backup.back_up(database, tmp_path / "copy.db", progress=quiet)
    opened = await Database.open(database, busy_timeout_s=5)
    await ConversationRepository(opened).start_new(key("bob"), persona="hearth")
    await backup.restore(tmp_path / "copy.db", database, progress=quiet)
    assert [each.key.user for each in await ConversationRepository(opened).all()] == ["ann"]
    assert await opened.integrity() == ()
    await opened.aclose()


async def test_restoring_works_where_nothing_was_stored(database: Path, tmp_path: Path) -> None:
    """On a new machine."""
    await backup.back_up(database, tmp_path / "copy.db", progress=quiet)
    fresh = tmp_path / "new machine" / "hearthbot.db"
    assert await backup.restore(tmp_path / "copy.db", fresh, progress=quiet) is None
    assert await users(fresh) == ["ann"]


async def _not_hearthbots(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()


async def _newer(path: Path) -> None:
    await (await Database.open(path, busy_timeout_s=5)).aclose()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()


async def _no_database(path: Path) -> None:
    await asyncio.to_thread(path.write_text, "dear diary")


async def _damaged(path: Path) -> None:
    opened = await Database.open(path, busy_timeout_s=5)
    repository = ConversationRepository(opened)
    for number in range(200):
        await repository.start_new(key(f"user {number}"), persona="hearth" * 20)
    await opened.aclose()
    content = bytearray(path.read_bytes())
    content[-8192:-4096] = b"\xff" * 4096
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_not_hearthbots, "no backup of hearthbot"),
        (_newer, "newer hearthbot"),
        (_no_database, "not an SQLite database"),
        (_damaged, "damaged"),
    ],
)
async def test_what_is_no_sound_backup_is_not_restored(
    database: Path, tmp_path: Path, spoil: Callable[[Path], Awaitable[None]], said: str
) -> None:
    """And what is stored stays as it is."""
    await spoil(tmp_path / "bad.db")
    with pytest.raises(StorageError, match=said):
        await backup.restore(tmp_path / "bad.db", database, progress=quiet)
    assert await users(database) == ["ann"]
