"""Where the console puts the files that the core hands out."""

import asyncio
import os
from pathlib import Path


class ExportFolder:
    """A folder in which no file is ever overwritten."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def save(self, name: str, data: bytes) -> Path:
        """Write a file and return its path; a number is added to a name that is taken. Raises `OSError`."""
        return await asyncio.to_thread(self._save, Path(name).name, data)

    def _save(self, name: str, data: bytes) -> Path:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = 1
        while True:
            stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a Path gives the same only with more code
            path = self._path / (name if number == 1 else f"{stem}-{number}{suffix}")
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                number += 1
                continue
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(data)
            return path
