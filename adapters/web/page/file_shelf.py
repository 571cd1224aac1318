"""Files that wait to be fetched, in memory."""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import uuid4

MOST_BYTES = 64 * 1024 * 1024
"""Of everybody together; the oldest are let go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedFile:
    """A file of one person."""

    user: str
    name: str
    media_type: str
    data: bytes


class FileShelf:
    """Keeps what was uploaded until it is sent, and what was offered until it is taken along."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._files: OrderedDict[str, ShelvedFile] = OrderedDict()
        self._bytes = 0

    def put(self, file: ShelvedFile) -> str:
        """Keep a file; its id."""
        file_id = uuid4().hex
        self._files[file_id] = file
        self._bytes += len(file.data)
        while self._bytes > self._most_bytes and len(self._files) > 1:
            _, dropped = self._files.popitem(last=False)
            self._bytes -= len(dropped.data)
        return file_id

    def get(self, file_id: str, user: str) -> ShelvedFile | None:
        """A file of this person; None where it was let go, and for anybody else."""
        file = self._files.get(file_id)
        return file if file is not None and file.user == user else None
