"""Commits that outlive a power cut."""

import asyncio
import os
from pathlib import Path

_flush = getattr(os, "fdatasync", os.fsync)


class LogSync:
    """Brings SQLite's write-ahead log to the disk, once for all who wait for that at the same time.

    SQLite does the same at each commit with `synchronous = FULL`, but holds up everybody else meanwhile:
    https://www.sqlite.org/pragma.html#pragma_synchronous
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-wal")
        self._file: int | None = None
        self._turn = asyncio.Lock()
        self._asked = self._done = 0

    async def sync(self) -> None:
        """Return when everything that was committed before is on the disk. Raises `OSError`."""
        self._asked += 1
        mine = self._asked
        async with self._turn:
            if self._done >= mine:
                return
            if self._file is None:
                # SQLite keeps this file while the database is open, and has no locks on it that closing it would drop.
                self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
            asked = self._asked
            await asyncio.to_thread(_flush, self._file)
            self._done = asked

    async def aclose(self) -> None:
        """Give the file back."""
        async with self._turn:
            if self._file is not None:
                os.close(self._file)
                self._file = None
