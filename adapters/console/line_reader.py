"""Standard input as one message a line."""

import os

from adapters.console.descriptor import readable

CHUNK = 65536
"""Bytes asked for at once."""


class LineReader:
    """Reads lines from a file descriptor. Bytes that are not UTF-8 become U+FFFD."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._buffer = bytearray()
        self._ended = False

    async def read(self) -> str | None:
        """Return the next line that is not blank, without its end; None when there is no more."""
        while True:
            end = self._buffer.find(b"\n")
            if end < 0 and not self._ended:
                await self._fill()
                continue
            if not self._buffer:
                return None
            cut = end if end >= 0 else len(self._buffer)
            line = bytes(self._buffer[:cut]).decode("utf-8", errors="replace").removesuffix("\r")
            del self._buffer[: cut + 1]
            if line.strip():
                return line

    async def _fill(self) -> None:
        await readable(self._descriptor)
        data = os.read(self._descriptor, CHUNK)
        self._buffer += data
        self._ended = not data
