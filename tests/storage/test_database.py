"""Opening the file, and sharing its one connection between coroutines."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiosqlite
import pytest

from bot.errors import StorageError
from bot.storage.database import Database

OpenDatabase = Callable[..., Awaitable[Database]]
INSERT = "INSERT INTO conversations (adapter, chat, thread, user, persona, created_ms) VALUES (:a, '', '', '', '', 0)"
COUNT = "SELECT count(*) FROM conversations"


async def insert(database: Database, adapter: str = "a") -> None:
    """Add one row in a transaction of its own."""
    async with database.transaction() as transaction:
        await transaction.run(INSERT, a=adapter)


async def count(database: Database) -> int:
    """How many rows there are."""
    rows = await database.fetch(COUNT)
    return int(rows[0][0])


async def test_files_are_private(path: Path, tmp_path: Path, open_database: OpenDatabase) -> None:
    """Every missing folder is made for this user alone, and so are the database and its two companions."""
    deep = tmp_path / "made" / "too" / "bot.db"
    await insert(await open_database(deep))
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in deep.parents[:2]} == {0o700}
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in deep.parent.iterdir()} == {
        "bot.db": 0o600,
        "bot.db-wal": 0o600,
        "bot.db-shm": 0o600,
    }


async def test_permissions_of_what_exists_are_the_owners(path: Path, open_database: OpenDatabase) -> None:
    """A file that was made readable for a group, say for a backup, stays so."""
    await (await open_database()).aclose()
    path.chmod(0o640)
    await open_database()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_link_leads_to_a_private_file(tmp_path: Path, open_database: OpenDatabase) -> None:
    """Where the path is a link to a file that does not exist yet, that file is private too."""
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "elsewhere" / "real.db")
    await open_database(link)
    assert stat.S_IMODE((tmp_path / "elsewhere" / "real.db").stat().st_mode) == 0o600


async def test_connection_is_set_up_for_safety(database: Database) -> None:
    """Write-ahead log, its file synced after commits, foreign keys checked, deleted bytes overwritten."""
    pragmas = {
        name: (await database.fetch(f"PRAGMA {name}"))[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 1,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 5000,
    }


async def test_folder_in_place_of_the_file(tmp_path: Path, open_database: OpenDatabase) -> None:
    """A path that is a folder is refused with the way to write it."""
    with pytest.raises(StorageError, match=r"this is a folder; set storage\.path to a file in it"):
        await open_database(tmp_path)


async def test_file_in_place_of_the_folder(tmp_path: Path, open_database: OpenDatabase) -> None:
    """A path below a file is refused with the system's reason."""
    (tmp_path / "note").write_text("")
    with pytest.raises(StorageError, match="Not a directory"):
        await open_database(tmp_path / "note" / "bot.db")


async def test_old_library_is_refused(path: Path, open_database: OpenDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite without strict tables is refused before a file is made."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(StorageError, match=r"too old, 3\.37\.0 is needed"):
        await open_database()
    assert not path.parent.exists()


async def test_other_file_is_refused_and_kept(path: Path, open_database: OpenDatabase) -> None:
    """A file that is no database is reported as such and not written to."""
    path.parent.mkdir()
    content = b"These are my notes, please keep them.\n" * 200
    path.write_bytes(content)
    with pytest.raises(StorageError, match="not an SQLite database"):
        await open_database()
    assert path.read_bytes() == content


async def test_empty_file_becomes_a_database(path: Path, open_database: OpenDatabase) -> None:
    """A start that died between creating the file and filling it is made good by the next one."""
    path.parent.mkdir()
    path.touch()
    assert await count(await open_database()) == 0


async def spoil(path: Path, database: Database, name: str, old: bytes, new: bytes) -> None:
    """Close `database` and replace bytes in the first page of one of its tables or indexes."""
    page_size = (await database.fetch("PRAGMA page_size"))[0][0]
    page = (await database.fetch("SELECT rootpage FROM sqlite_schema WHERE name = :name", name=name))[0][0]
    await database.aclose()
    content = path.read_bytes()
    start, end = (page - 1) * page_size, page * page_size
    assert old in content[start:end]
    path.write_bytes(content[:start] + content[start:end].replace(old, new) + content[end:])


async def test_damaged_table_is_reported(path: Path, database: Database, open_database: OpenDatabase) -> None:
    """Reading a page of rubbish raises advice, and so does a check that cannot get past it."""
    await insert(database)
    await spoil(path, database, "conversations", b"\x00", b"\xa5")
    damaged = await open_database()
    for look in (damaged.fetch("SELECT * FROM conversations"), damaged.integrity()):
        with pytest.raises(StorageError, match="the database is damaged; restart the daemon"):
            await look


async def test_damaged_index_is_listed(path: Path, database: Database, open_database: OpenDatabase) -> None:
    """Damage that leaves the rows readable is found by the check."""
    await insert(database, "telegram")
    await spoil(path, database, "conversations_by_user", b"telegram", b"telegraf")
    damaged = await open_database()
    assert await count(damaged) == 1
    assert await damaged.integrity() == ("row 1 missing from index conversations_by_user",)


async def test_orphan_is_found(path: Path, open_database: OpenDatabase) -> None:
    """A turn whose conversation another program has deleted is listed by `integrity`."""
    await (await open_database()).aclose()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO turns (conversation_id, message_id, sender_name, text, status, persona, created_ms) "
            "VALUES (9, '', '', '', 'pending', '', 0)"
        )
    assert await (await open_database()).integrity() == ("row 1 of turns refers to a missing row of conversations",)


async def test_full_disk_is_survived(database: Database) -> None:
    """A write that finds no room changes nothing and says so; reading goes on, and writing too once there is room."""
    await insert(database)
    pages = (await database.fetch("PRAGMA page_count"))[0][0]
    await database.fetch(f"PRAGMA max_page_count = {pages}")

    async def insert_two() -> None:
        async with database.transaction() as transaction:
            await transaction.run(INSERT, a="small")
            await transaction.run(INSERT, a="large" * 10_000)

    with pytest.raises(StorageError, match="the disk is full; free some space"):
        await insert_two()
    assert await count(database) == 1
    await database.fetch(f"PRAGMA max_page_count = {pages + 100}")
    await insert(database, "large" * 10_000)
    assert await count(database) == 2


async def test_read_only_connection_is_reported(path: Path, open_database: OpenDatabase) -> None:
    """Where SQLite can only read, writing raises the advice on permissions."""
    await (await open_database()).aclose()
    connection = await aiosqlite.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    database = Database(connection, path)
    try:
        with pytest.raises(StorageError, match="the file or its folder is read-only"):
            await insert(database)
        assert await count(database) == 0
    finally:
        await database.aclose()


@pytest.fixture
def common_folder() -> Iterator[Path]:
    """A folder that every user of the machine may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "text"),
    [
        (0o755, None, "cannot be created"),
        (0o755, 0o644, "read-only"),
        (0o755, 0o600, "cannot be opened"),
        (0o700, 0o644, "Permission denied"),
    ],
)
async def test_foreign_file_is_refused(folder_mode: int, file_mode: int | None, text: str, common_folder: Path) -> None:
    """A process that may not write gets advice at start: no file, one to read only, a secret one, a secret folder."""
    path = common_folder / "data" / "bot.db"
    path.parent.mkdir()
    if file_mode is not None:
        await (await Database.open(path, busy_timeout_s=5)).aclose()
        path.chmod(file_mode)
    path.parent.chmod(folder_mode)
    if os.geteuid() != 0:  # the owner of a file may be refused by its mode alone; root never is
        path.parent.chmod(folder_mode & 0o055)
    program = textwrap.dedent(
        """
        import asyncio, concurrent.futures.thread, os, sys  # all of it now: later the library may be out of reach
        from pathlib import Path
        from bot.errors import StorageError
        from bot.storage.database import Database

        async def main():
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            try:
                await Database.open(Path(sys.argv[1]), busy_timeout_s=5)
            except StorageError as error:
                print(error)

        asyncio.run(main())
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    path.parent.chmod(0o700)
    assert done.stdout.startswith(f"{path}: ")
    assert text in done.stdout


async def test_lock_of_another_process_is_waited_for(path: Path, open_database: OpenDatabase) -> None:
    """A transaction that another process has begun delays this one until it ends."""
    database = await open_database(busy_timeout_s=60)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute(INSERT, {"a": "other"})
        waiting = asyncio.create_task(insert(database))
        assert not (await asyncio.wait({waiting}, timeout=0.05))[0]
        other.execute("COMMIT")
        await waiting
    assert await count(database) == 2


async def test_lock_that_stays_is_reported(path: Path, open_database: OpenDatabase) -> None:
    """When the other process does not let go in time, the text says so, and the database is usable afterwards."""
    database = await open_database(busy_timeout_s=0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="another process keeps the database locked"):
            await insert(database)
        other.execute("ROLLBACK")
    await insert(database)
    assert await count(database) == 1


async def test_lock_during_the_first_start_is_reported(path: Path, open_database: OpenDatabase) -> None:
    """A new file that another process keeps locked is waited for no longer than the time set."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="another process keeps the database locked"):
            await open_database(busy_timeout_s=0.05)
        other.execute("ROLLBACK")
    assert await count(await open_database()) == 0


async def test_writer_during_the_first_start_is_waited_for(path: Path, open_database: OpenDatabase) -> None:
    """SQLite itself gives up at once when another process is writing the new file; opening goes on trying."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(open_database(busy_timeout_s=60))
        assert not (await asyncio.wait({opening}, timeout=0.05))[0]
        other.execute("ROLLBACK")
        assert await count(await opening) == 0


async def test_first_starts_at_one_moment(path: Path, open_database: OpenDatabase) -> None:
    """Several that create the same file at once all come up, with one schema."""
    databases = await asyncio.gather(*(open_database(busy_timeout_s=60) for _ in range(8)))
    await asyncio.gather(*(insert(database) for database in databases))
    assert [await count(database) for database in databases] == [8] * 8


async def test_transactions_take_turns(database: Database) -> None:
    """Fifty coroutines at once, half of which fail: exactly the rows of the others are there."""

    async def work(number: int) -> None:
        async with database.transaction() as transaction:
            await transaction.run(INSERT, a=f"{number} first")
            await asyncio.sleep(0)
            await transaction.run(INSERT, a=f"{number} second")
            if number % 2:
                raise LookupError("half of them")

    results = await asyncio.gather(*(work(number) for number in range(50)), return_exceptions=True)
    assert sum(isinstance(result, LookupError) for result in results) == 25
    rows = await database.fetch("SELECT adapter FROM conversations ORDER BY id")
    expected = [f"{number} {part}" for number in range(0, 50, 2) for part in ("first", "second")]
    assert [row["adapter"] for row in rows] == expected


async def test_readers_see_no_open_transaction(database: Database) -> None:
    """A reader waits for the transaction under way instead of seeing what may be undone."""
    inside, gate = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.transaction() as transaction:
            await transaction.run(INSERT, a="a")
            inside.set()
            await gate.wait()
            raise LookupError("undone")

    writer = asyncio.create_task(write())
    await inside.wait()
    reader = asyncio.create_task(count(database))
    await asyncio.sleep(0)
    gate.set()
    assert await reader == 0
    with pytest.raises(LookupError):
        await writer


class Gate:
    """Holds SQLite's thread where it begins a given statement, until it is opened."""

    def __init__(self, statement: str) -> None:
        self.reached = asyncio.Event()
        self._statement = statement
        self._opened = threading.Event()
        self._loop = asyncio.get_running_loop()

    def trace(self, statement: str) -> None:
        """Called by SQLite, in its thread, with every statement."""
        if statement.startswith(self._statement) and not self._opened.is_set():
            self._loop.call_soon_threadsafe(self.reached.set)
            self._opened.wait()

    def open(self) -> None:
        """Let the thread go on."""
        self._opened.set()


@pytest.mark.parametrize("cancels", [1, 3])
@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT", "ROLLBACK"])
async def test_cancel_leaves_no_transaction_behind(statement: str, cancels: int, database: Database) -> None:
    """Cancelled while any statement runs, even repeatedly: whole or not at all, and the next one goes ahead."""
    gate = Gate(statement)
    await database._connection.set_trace_callback(gate.trace)

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.run(INSERT, a="first")
            await transaction.run(INSERT, a="second")
            if statement == "ROLLBACK":
                raise LookupError("on the way out")

    task = asyncio.create_task(work())
    await gate.reached.wait()
    for _ in range(cancels):
        task.cancel()
        await asyncio.sleep(0)
    following = asyncio.create_task(insert(database, "following"))
    gate.open()
    with pytest.raises(asyncio.CancelledError):
        await task
    await following
    rows = await database.fetch("SELECT adapter FROM conversations ORDER BY id")
    expected = ["first", "second", "following"] if statement == "COMMIT" else ["following"]
    assert [row["adapter"] for row in rows] == expected
    assert not database._connection.in_transaction


async def test_cancel_between_statements_undoes_them(database: Database) -> None:
    """Cancelled while the block itself waits, what it has written is gone."""
    inside = asyncio.Event()

    async def work() -> None:
        async with database.transaction() as transaction:
            await transaction.run(INSERT, a="a")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await count(database) == 0


async def test_cancelled_in_the_line_never_begins(database: Database) -> None:
    """Whoever is cancelled while it waits for its turn neither writes nor keeps others waiting."""
    async with database.transaction():
        waiting = asyncio.create_task(insert(database, "cancelled"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await insert(database)
    assert await count(database) == 1


async def test_closing_waits_and_is_final(database: Database) -> None:
    """What is under way is kept, a second close does nothing, and later calls raise instead of hanging."""
    inside, gate = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.transaction() as transaction:
            inside.set()
            await gate.wait()
            await transaction.run(INSERT, a="a")

    writer = asyncio.create_task(write())
    await inside.wait()
    closing_task = asyncio.create_task(database.aclose())
    await asyncio.sleep(0)
    assert not closing_task.done()
    gate.set()
    await writer
    await closing_task
    await database.aclose()
    for use in (count(database), insert(database), database.erase_deleted()):
        with pytest.raises(StorageError, match="the database is closed"):
            await use


async def test_last_close_leaves_one_file(path: Path, database: Database) -> None:
    """After a clean stop everything is in the one file, ready to be copied."""
    await insert(database)
    await database.aclose()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("text", ["half an emoji \ud83d", "a byte \udcff of no encoding"])
async def test_lone_surrogates_are_storable(text: str, database: Database) -> None:
    """Text that no encoding can hold is kept in an escaped form."""
    await insert(database, text)
    stored = (await database.fetch("SELECT adapter FROM conversations"))[0][0]
    assert stored == text.encode("utf-8", "backslashreplace").decode()


async def test_any_other_text_comes_back_unchanged(database: Database) -> None:
    """Line ends, NUL, emoji, right-to-left marks and combining characters survive."""
    text = "a\r\nb\x00c \U0001f469\u200d\U0001f4bb \u202eabc e\u0301"
    await insert(database, text)
    assert (await database.fetch("SELECT adapter FROM conversations"))[0][0] == text
