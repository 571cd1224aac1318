"""What the disk does to the daemon."""

import resource
import sqlite3
from contextlib import closing

from bot.errors import StorageError
from tests.support.faulty_daemon import FaultyDaemon


def _told(daemon: FaultyDaemon) -> int:
    return sum(StorageError.user_text in text for text in daemon.server.texts(daemon.ann))


async def test_no_room_to_write_is_said_and_survived(daemon: FaultyDaemon) -> None:
    """A disk that takes no byte more: the person is told in plain words; with room again the daemon goes on."""
    async with daemon.living() as process:
        daemon.ann.say("Tell me about the sea.")
        await daemon.until_settled()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        daemon.ann.say("Tell me about the wind.")
        await daemon.server.until(lambda: _told(daemon))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        daemon.ann.say("Tell me about the rain.")
        await daemon.until(lambda: daemon.query("SELECT 1 FROM turns WHERE text LIKE '%rain%' AND status = 'done'"))
        await daemon.until_settled()
        assert process.poll() is None
    assert _told(daemon) == 1
    assert daemon.query("PRAGMA integrity_check") == [("ok",)]


async def test_a_locked_database_is_said_and_survived(daemon: FaultyDaemon) -> None:
    """Another program that keeps the database to itself costs the messages of that time only."""
    async with daemon.living() as process:
        daemon.ann.say("Tell me about the sea.")
        await daemon.until_settled()
        with closing(sqlite3.connect(daemon.hearthbot.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            daemon.ann.say("Tell me about the wind.")
            await daemon.server.until(lambda: _told(daemon))
            other.execute("ROLLBACK")
        daemon.ann.say("Tell me about the rain.")
        await daemon.until(lambda: daemon.query("SELECT 1 FROM turns WHERE text LIKE '%rain%' AND status = 'done'"))
        await daemon.until_settled()
        assert process.poll() is None
    assert _told(daemon) == 1


async def test_a_damaged_page_is_told_to_the_admin(daemon: FaultyDaemon) -> None:
    """The daemon starts, keeps the file, and the talk goes on."""
    async with daemon.living():
        daemon.ann.say("Tell me about the sea.")
        await daemon.until_settled()
    path = daemon.hearthbot.database
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'turns'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    async with daemon.living():
        await daemon.server.until(lambda: any("damaged" in text for text in daemon.server.texts(daemon.ann)))
        daemon.ann.say("Tell me about the rain.")
        await daemon.until(lambda: daemon.query("SELECT 1 FROM turns WHERE text LIKE '%rain%' AND status = 'done'"))
        await daemon.until_settled()
    assert list(path.parent.glob("hearthbot.damaged-*.db"))
