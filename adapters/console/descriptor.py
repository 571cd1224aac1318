"""File descriptors in the event loop, whatever is behind them.

No thread is parked in a read that a signal could not end, and a reader that has stopped reading blocks nobody.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

PIPE_BUF = 4096
"""Bytes that a pipe takes at once when it is ready for writing (POSIX: at least 512; Linux: 4096)."""


async def readable(descriptor: int) -> None:
    """Return when a read would not block."""
    loop = asyncio.get_running_loop()
    await _ready(descriptor, loop.add_reader, loop.remove_reader)


async def write(descriptor: int, data: bytes) -> None:
    """Write everything. Raises `BrokenPipeError` when nobody reads any more."""
    loop = asyncio.get_running_loop()
    rest = memoryview(data)
    while rest:
        await _ready(descriptor, loop.add_writer, loop.remove_writer)
        rest = rest[os.write(descriptor, rest[:PIPE_BUF]) :]


async def _ready(descriptor: int, add: Callable[..., Any], remove: Callable[[int], Any]) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    try:
        add(descriptor, _resolve, ready)
    except PermissionError:
        return  # epoll refuses regular files: they are always ready
    try:
        await ready
    finally:
        remove(descriptor)


def _resolve(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
