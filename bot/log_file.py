"""A log file that does not grow for ever."""

from contextlib import suppress
from logging import LogRecord
from logging.handlers import WatchedFileHandler
from pathlib import Path

MOST_BYTES = 10 << 20
"""Of the file, and of the one before it, which is kept beside it as `NAME.1`."""


class LogFile(WatchedFileHandler):
    """Begins anew when it has become large, or when somebody, such as logrotate, has taken it away."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def emit(self, record: LogRecord) -> None:
        """Write a record."""
        self._bound()
        super().emit(record)

    def _bound(self) -> None:
        path = Path(self.baseFilename)
        # What is no file (/dev/stderr, a pipe) has no size, and is not moved. Nor is what cannot be: it goes on growing
        # rather than being lost.
        with suppress(OSError):
            if path.is_file() and path.stat().st_size >= MOST_BYTES:
                path.replace(path.with_name(f"{path.name}.1"))  # the handler notices, and opens a new one
