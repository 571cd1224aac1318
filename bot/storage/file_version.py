"""Whose database a file is, and how new."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.errors import StorageError
from bot.storage.migrations import APPLICATION_ID, MIGRATIONS

_HEADER = 100
_SCHEMA, _APPLICATION = slice(60, 64), slice(68, 72)
"""Where user_version and application_id are: https://www.sqlite.org/fileformat.html#the_database_header"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersion:
    """What the header of an SQLite file says about that."""

    application: int
    schema: int
    """How many migrations it has taken."""
    newest: int = len(MIGRATIONS)
    """How many this program knows."""

    @classmethod
    def of_header(cls, path: Path) -> Self:
        """Read it without SQLite, also of a damaged file. Raises `OSError`."""
        with path.open("rb") as file:
            header = file.read(_HEADER)
        return cls(
            application=int.from_bytes(header[_APPLICATION], "big"), schema=int.from_bytes(header[_SCHEMA], "big")
        )

    @property
    def is_ours(self) -> bool:
        """Whether hearthbot has made the file."""
        return self.application == APPLICATION_ID

    @property
    def is_known(self) -> bool:
        """Whether it is ours, and this program can work with it."""
        return self.is_ours and 0 < self.schema <= self.newest

    def refuse_newer(self, path: Path) -> None:
        """Raise `StorageError` for what a newer hearthbot has written."""
        if self.schema > self.newest:
            raise StorageError(
                f"{path}: written by a newer hearthbot (schema {self.schema}, this one knows {self.newest}); "
                "install that version again, or restore the backup from before the upgrade"
            )
