"""What was typed before, kept in a file."""

import logging
import os
from pathlib import Path

from prompt_toolkit.history import FileHistory

log = logging.getLogger(__name__)


class TypedLines(FileHistory):
    """A history file that only its owner can read, and whose loss disturbs nobody."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path

    def load_history_strings(self) -> list[str]:
        """Return what was typed before, newest first; nothing where the file cannot be read."""
        try:
            return list(super().load_history_strings())
        except OSError as error:
            log.warning("cannot read the console's history %s: %s", self._path, error.strerror)
            return []

    def store_string(self, string: str) -> None:
        """Add what was typed; a full disk costs the entry, not the talk."""
        try:
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            super().store_string(string)
        except OSError as error:
            log.warning("cannot write the console's history %s: %s", self._path, error.strerror)
