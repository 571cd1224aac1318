"""Waiting for something that nobody announces."""

import asyncio
from collections.abc import Callable

_LOOK_S = 0.002
"""A loop that looks without a rest keeps the interpreter's lock, and no other thread gets on."""


async def until(condition: Callable[[], object]) -> None:
    """Return when `condition` holds."""
    while not condition():
        await asyncio.sleep(_LOOK_S)
