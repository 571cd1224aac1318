"""A file that is not all there yet."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self


def beside(target: Path, suffix: str) -> Path:
    """A file that belongs to `target`: `.etag` holds its version at the publisher, for most models their SHA-256."""
    return target.with_name(target.name + suffix)


class PartialFile:
    """Bytes of a download, kept between attempts and hashed as they come. A context manager."""

    def __init__(self, path: Path) -> None:
        """Open what is there and hash it."""
        self._file = path.open("ab+")
        self._file.seek(0)
        self._hash = hashlib.file_digest(self._file, "sha256")
        self.size = self._file.tell()
        """Bytes so far."""

    def append(self, data: bytes) -> None:
        """Add the next bytes."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def clear(self) -> None:
        """Drop everything."""
        self._file.truncate(0)
        self._hash = hashlib.sha256()
        self.size = 0

    def finish(self) -> str:
        """Bring everything to the disk; return the SHA-256 in hexadecimal."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._hash.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
