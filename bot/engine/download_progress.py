"""Shows how far a download is."""

from collections.abc import Callable
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


class DownloadProgress(Protocol):
    """What a download tells of itself. Sizes are in bytes."""

    def begin(self, name: str, total: int, done: int) -> None:
        """A file of `total` bytes starts, `done` of them being there already."""

    def advance(self, size: int) -> None:
        """`size` more have come; negative when the server starts the file again."""

    def end(self) -> None:
        """The file is complete, or its download was broken off."""


class LineProgress:
    """Plain lines: one at the start and one for every tenth."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._name = ""
        self._total = self._done = self._tenths = 0

    def begin(self, name: str, total: int, done: int) -> None:
        """Say what is coming."""
        self._name, self._total, self._done = name, total, done
        self._tenths = self._tenths_done()
        there = f", {readable_size(done)} of it already here" if done else ""
        self._write(f"downloading {name}: {readable_size(total)}{there}")

    def advance(self, size: int) -> None:
        """Write a line at each tenth."""
        self._done += size
        if self._tenths_done() > self._tenths:
            self._tenths = self._tenths_done()
            self._write(f"downloading {self._name}: {self._tenths * 10}% of {readable_size(self._total)}")

    def end(self) -> None:
        """Nothing more to say."""

    def _tenths_done(self) -> int:
        return self._done * 10 // max(1, self._total)


class BarProgress:
    """A bar with speed and remaining time, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )

    def begin(self, name: str, total: int, done: int) -> None:
        """Draw the bar."""
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        self._progress.add_task(name, total=total, completed=done)
        self._progress.start()

    def advance(self, size: int) -> None:
        """Move the bar."""
        self._progress.advance(self._progress.task_ids[0], size)

    def end(self) -> None:
        """Leave the bar as it stands and free the terminal."""
        self._progress.stop()


def progress_on(console: Console, write: Callable[[str], None]) -> DownloadProgress:
    """A bar where `console` is a terminal, else lines to `write`."""
    return BarProgress(console) if console.is_terminal else LineProgress(write)


def readable_size(size: int) -> str:
    """Bytes as people read them, such as `1.2 GiB`."""
    amount = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:  # noqa: PLR2004 - bytes in a KiB
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"
