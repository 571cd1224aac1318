"""Ending a task of one's own."""

import asyncio


async def stop(task: asyncio.Task[None] | None) -> None:
    """Cancel it, and return when it has ended."""
    if task is None:
        return
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # marked as seen: whoever stops a task does not care what became of it
