"""What the disk does to the daemon."""

import resource
import shlex
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from bot.errors import StorageError
from tests.support.faulty_daemon import FaultyDaemon
from tests.support.mount_space import with_mounts


def _told(daemon: FaultyDaemon) -> int:
    return sum(StorageError.user_text in text for text in daemon.server.texts(daemon.ann))


async def test_no_room_to_write_is_said_and_survived(daemon: FaultyDaemon) -> None:
    """A disk that is full: the person is told in plain words, the admin beforehand; with room again it goes on."""
    folder = daemon.hearthbot.database.parent
    folder.mkdir(parents=True)
    daemon.program = with_mounts([f"mount -t tmpfs -o size=4m none {shlex.quote(str(folder))}"], daemon.program)
    daemon.sees_alone = True
    async with daemon.living() as process:
        await daemon.answer("sea")
        await daemon.server.until(lambda: any("nearly full" in text for text in daemon.server.texts(daemon.ann)))
        ballast = daemon.seen(folder) / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
        assert shutil.disk_usage(ballast.parent).free == 0
        daemon.ann.say("Tell me about the wind.")
        await daemon.server.until(lambda: _told(daemon))
        ballast.unlink()
        await daemon.answer("rain")
        assert process.poll() is None
        assert daemon.query("PRAGMA integrity_check") == [("ok",)]
    assert _told(daemon) == 1


async def test_files_that_grow_no_more_are_said_and_survived(daemon: FaultyDaemon) -> None:
    """A limit of the system on the size of a file is as good as a full disk."""
    async with daemon.living() as process:
        await daemon.answer("sea")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        daemon.ann.say("Tell me about the wind.")
        await daemon.server.until(lambda: _told(daemon))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await daemon.answer("rain")
        assert process.poll() is None
    assert _told(daemon) == 1
    assert daemon.query("PRAGMA integrity_check") == [("ok",)]


async def test_a_database_that_is_read_only_stops_the_start(daemon: FaultyDaemon) -> None:
    """Nobody would be remembered: it ends with the exit code of storage, says what to do, and changes nothing."""
    async with daemon.living():
        await daemon.answer("sea")
    database = daemon.hearthbot.database
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = database.read_bytes()
    for place in (database, database.parent):
        name = shlex.quote(str(place))
        mounts = [f"mount --bind {name} {name}", f"mount -o remount,bind,ro {name}"]
        ended = subprocess.run(
            with_mounts(mounts, daemon.program),
            check=False,
            capture_output=True,
            text=True,
            env=daemon.hearthbot.environment,
            cwd=daemon.hearthbot.home,
            timeout=60,
        )
        assert ended.returncode == StorageError.exit_code, ended.stderr
        assert "write permission" in ended.stderr
        assert database.read_bytes() == kept


async def test_a_database_that_becomes_read_only_is_said_and_survived(daemon: FaultyDaemon) -> None:
    """As a disk does that has failed: the messages of that time are told about, and afterwards it goes on."""
    async with daemon.living() as process:
        await daemon.answer("sea")
        with _immutable(daemon.hearthbot.database):
            daemon.ann.say("Tell me about the wind.")
            await daemon.server.until(lambda: _told(daemon))
        await daemon.answer("rain")
        assert process.poll() is None
    assert _told(daemon) == 1
    assert daemon.query("PRAGMA integrity_check") == [("ok",)]


@contextmanager
def _immutable(database: Path) -> Iterator[None]:
    """The file, its log and their folder, for everybody, root and open files included."""
    files = [str(database), f"{database}-wal", str(database.parent)]
    tried = subprocess.run(["chattr", "+i", *files], check=False, capture_output=True, text=True)
    try:
        if tried.returncode:
            pytest.skip(f"this file system makes no file immutable: {tried.stderr.strip()}")
        yield
    finally:
        subprocess.run(["chattr", "-i", *files], check=False, capture_output=True)


async def test_a_locked_database_is_said_and_survived(daemon: FaultyDaemon) -> None:
    """Another program that keeps the database to itself costs the messages of that time only."""
    async with daemon.living() as process:
        await daemon.answer("sea")
        with closing(sqlite3.connect(daemon.hearthbot.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            daemon.ann.say("Tell me about the wind.")
            await daemon.server.until(lambda: _told(daemon))
            other.execute("ROLLBACK")
        await daemon.answer("rain")
        assert process.poll() is None
    assert _told(daemon) == 1


async def test_a_damaged_page_is_told_to_the_admin(daemon: FaultyDaemon) -> None:
    """The daemon starts, keeps the file, and the talk goes on."""
    async with daemon.living():
        await daemon.answer("sea")
    path = daemon.hearthbot.database
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'turns'").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)
    async with daemon.living():
        await daemon.server.until(lambda: any("damaged" in text for text in daemon.server.texts(daemon.ann)))
        await daemon.answer("rain")
    assert list(path.parent.glob("hearthbot.damaged-*.db"))
