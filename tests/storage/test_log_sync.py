"""Commits and power cuts."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import StorageError
from bot.storage import log_sync
from bot.storage.database import Database


class Disk:
    """Brings files down for good only when the test lets it."""

    def __init__(self) -> None:
        self.synced: list[str] = []
        self.lets = threading.Semaphore(0)
        self.asked = threading.Semaphore(0)

    def flush(self, file: int) -> None:
        """Wait, and note which file it was."""
        self.asked.release()
        self.lets.acquire()
        self.synced.append(Path(f"/proc/self/fd/{file}").readlink().name)


@pytest.fixture
def disk(database: Database, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """In place of the real one."""
    slow = Disk()
    monkeypatch.setattr(log_sync, "_flush", slow.flush)
    return slow


async def _insert(database: Database, name: str, *, synced: bool = True) -> None:
    await database.write(
        "INSERT INTO people (adapter, user, name, role, changed_ms) VALUES ('test', :name, :name, 'user', 0)",
        synced=synced,
        name=name,
    )


async def test_a_commit_is_not_said_before_it_is_on_the_disk(database: Database, disk: Disk) -> None:
    """Others may read and write meanwhile; what need not be synced is not."""
    writing = asyncio.create_task(_insert(database, "ann"))
    await asyncio.to_thread(disk.asked.acquire)
    assert len(await database.fetch("SELECT * FROM people")) == 1
    await _insert(database, "ben", synced=False)
    async with database.transaction(synced=False) as transaction:
        await transaction.run("DELETE FROM people WHERE name = 'ben'")
    assert not writing.done()
    disk.lets.release()
    await writing
    assert disk.synced == [f"{Path(database._path).name}-wal"]


async def test_many_who_wait_are_synced_together(database: Database, disk: Disk) -> None:
    """Those who came while one was under way, by the next."""
    first = asyncio.create_task(_insert(database, "0"))
    await asyncio.to_thread(disk.asked.acquire)
    others = [asyncio.create_task(_insert(database, str(number))) for number in range(1, 9)]
    while len(await database.fetch("SELECT * FROM people")) < 9:
        await asyncio.sleep(0)
    disk.lets.release()
    await first
    disk.lets.release()
    await asyncio.gather(*others)
    assert len(disk.synced) == 2


async def test_a_disk_that_fails_is_said(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """To whoever has stored something; the next one tries again."""

    def fail(_file: int) -> None:
        raise OSError(5, "Input/output error")

    flush: Callable[[int], None] = log_sync._flush
    monkeypatch.setattr(log_sync, "_flush", fail)
    with pytest.raises(StorageError, match="disk reports an error"):
        async with database.transaction() as transaction:
            await transaction.run("DELETE FROM people")
    monkeypatch.setattr(log_sync, "_flush", flush)
    await database.sync()


async def test_closing_syncs_by_itself(database: Database, disk: Disk) -> None:
    """Whoever asks afterwards need not wait."""
    await database.aclose()
    await database.sync()
    assert disk.synced == []
