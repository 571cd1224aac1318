"""A damaged database does not keep the daemon from starting, and nothing that can still be read is lost."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import DamagedDatabaseError, StorageError
from bot.storage import salvage
from bot.storage.database import Database
from bot.storage.migrations import APPLICATION_ID, MIGRATIONS
from bot.storage.salvage import open_or_salvage

TURNS = 400
_CONVERSATION = (
    "INSERT INTO conversations (adapter, chat, thread, user, persona, created_ms) VALUES ('a', '', '', '', '', 0)"
)
_TURN = (
    "INSERT INTO turns (conversation_id, message_id, sender_name, text, status, persona, created_ms) "
    "VALUES (1, :id, '', :text, 'pending', '', 0)"
)


@pytest.fixture
async def talked(path: Path) -> Path:
    """A database with one admin and one long conversation, closed."""
    database = await Database.open(path, busy_timeout_s=1)
    async with database.transaction() as transaction:
        await transaction.run("INSERT INTO people VALUES ('telegram', '1', 'Ann', 'admin', 0)")
        await transaction.run(_CONVERSATION)
        for number in range(TURNS):
            await transaction.run(_TURN, id=str(number), text=f"message {number} " * 20)
    await database.aclose()
    return path


def spoil(path: Path, at: int, content: bytes) -> None:
    """Overwrite what is there."""
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def page_of(path: Path, text: str) -> int:
    """Where the page begins that holds the text."""
    return path.read_bytes().index(text.encode()) // 4096 * 4096


async def test_a_sound_database_is_left_as_it_is(talked: Path) -> None:
    """Nothing is moved, and there is nothing to tell."""
    database, news = await open_or_salvage(talked, busy_timeout_s=1)
    await database.aclose()
    assert news == ()
    assert [each.name for each in talked.parent.iterdir()] == [talked.name]


async def test_what_can_be_read_is_taken_over(talked: Path) -> None:
    """A page of rubbish in the middle costs its own rows; the rest is there, the file is kept, and it is told."""
    spoil(talked, page_of(talked, "message 200 "), b"\xa5" * 4096)
    damaged = talked.read_bytes()
    database, news = await open_or_salvage(talked, busy_timeout_s=1)
    try:
        assert await database.integrity() == ()
        kept = [int(row["message_id"]) for row in await database.fetch("SELECT message_id FROM turns ORDER BY id")]
        assert {*range(150), *range(250, TURNS)} <= set(kept)
        assert TURNS - 30 < len(kept) < TURNS
        assert [row["role"] for row in await database.fetch("SELECT role FROM people")] == ["admin"]
    finally:
        await database.aclose()
    (aside,) = talked.parent.glob("hearthbot.damaged-*.db")
    assert aside.read_bytes() == damaged
    assert talked.stat().st_mode & 0o777 == 0o600
    assert str(aside) in news[0]
    assert "hearthbot restore" in news[0]


async def test_where_nothing_can_be_read_a_new_one_is_begun(talked: Path) -> None:
    """All but the header is rubbish."""
    spoil(talked, 100, b"\xa5" * (talked.stat().st_size - 100))
    database, news = await open_or_salvage(talked, busy_timeout_s=1)
    try:
        assert await database.fetch("SELECT * FROM turns") == []
        assert "(0 rows)" in news[0]
    finally:
        await database.aclose()


async def test_a_damaged_database_of_an_older_version_is_brought_up_to_date(path: Path) -> None:
    """Its rows are put into its own schema, and go through every later step."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in (*MIGRATIONS[0], "PRAGMA user_version = 1"):
            connection.execute(statement)
        connection.execute(_CONVERSATION)
        for number in range(TURNS):
            connection.execute(_TURN, {"id": str(number), "text": f"message {number} " * 20})
    spoil(path, page_of(path, "message 200 "), b"\xa5" * 4096)
    database, news = await open_or_salvage(path, busy_timeout_s=1)
    try:
        assert news
        assert (await database.fetch("PRAGMA user_version"))[0][0] == len(MIGRATIONS)
        assert (await database.fetch("SELECT count(*) FROM turns"))[0][0] > TURNS / 2
    finally:
        await database.aclose()


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda path: path.write_bytes(b"These are my notes, please keep them.\n" * 200),
        lambda path: spoil(path, 68, b"NOTE"),
        lambda path: spoil(path, 60, (len(MIGRATIONS) + 1).to_bytes(4, "big")),
    ],
    ids=["notes", "another program's", "a newer version's"],
)
async def test_what_may_not_be_ours_is_refused_and_not_moved(talked: Path, spoiled: Callable[[Path], None]) -> None:
    """Damaged or not, only a file with the header that this version writes is touched."""
    spoil(talked, page_of(talked, "message 200 "), b"\xa5" * 4096)
    spoiled(talked)
    before = talked.read_bytes()
    with pytest.raises(StorageError):
        await open_or_salvage(talked, busy_timeout_s=1)
    assert talked.read_bytes() == before
    assert not list(talked.parent.glob("*damaged*"))


@pytest.mark.parametrize("reason", ["small", "log left", "damage met"])
async def test_a_file_is_read_where_there_is_a_reason_to(
    talked: Path, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is small, whoever had it last was killed, or damage was met in it."""
    spoil(talked, page_of(talked, "message 200 "), b"\xa5" * 4096)
    if reason != "small":
        monkeypatch.setattr(salvage, "SMALL", 0)
    if reason == "log left":
        with closing(sqlite3.connect(talked, isolation_level=None)) as connection:
            connection.execute("INSERT INTO adapter_values VALUES ('a', 'b', 'c', NULL)")
            shutil.copy(f"{talked}-wal", talked.with_name("log"))
        talked.with_name("log").rename(f"{talked}-wal")
    if reason == "damage met":
        database = await Database.open(talked, busy_timeout_s=1)
        with pytest.raises(DamagedDatabaseError):
            await database.fetch("SELECT * FROM turns")
        assert database.damaged
        await database.aclose()
    database, news = await open_or_salvage(talked, busy_timeout_s=1)
    await database.aclose()
    assert news
    assert not talked.with_name(f"{talked.name}-damaged").exists()


async def test_a_large_file_that_was_closed_is_not_read(talked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history of years must not keep the daemon from starting for half a minute."""
    spoil(talked, page_of(talked, "message 200 "), b"\xa5" * 4096)
    monkeypatch.setattr(salvage, "SMALL", 0)
    database, news = await open_or_salvage(talked, busy_timeout_s=1)
    await database.aclose()
    assert news == ()


async def test_a_mark_beside_a_sound_file_is_taken_away(talked: Path) -> None:
    """A backup was put in its place meanwhile."""
    mark = talked.with_name(f"{talked.name}-damaged")
    mark.touch()
    database, news = await open_or_salvage(talked, busy_timeout_s=1)
    await database.aclose()
    assert (news, mark.exists()) == ((), False)


async def test_a_locked_database_is_no_damaged_one(talked: Path) -> None:
    """Somebody else who writes is a reason to wait or to stop, not to begin anew."""
    with closing(sqlite3.connect(talked, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="locked") as refused:
            await open_or_salvage(talked, busy_timeout_s=0.01)
    assert not isinstance(refused.value, DamagedDatabaseError)
    assert not list(talked.parent.glob("*damaged*"))


def test_the_header_is_where_sqlite_documents_it(tmp_path: Path) -> None:
    """Application and version stand at fixed places of the file."""
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 3")
    header = (tmp_path / "a.db").read_bytes()[:100]
    assert header[68:72] == b"HBOT"
    assert header[60:64] == b"\x00\x00\x00\x03"
