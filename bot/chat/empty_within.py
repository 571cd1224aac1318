"""Waiting for the last one to leave."""

import asyncio
from collections.abc import Sized


async def empty_within(inside: Sized, left: asyncio.Event, seconds: float) -> bool:
    """Whether nobody is inside after `seconds` at most. `left` is set whenever somebody leaves."""
    try:
        async with asyncio.timeout(seconds):
            while inside:
                left.clear()
                await left.wait()
    except TimeoutError:
        return False
    return True
