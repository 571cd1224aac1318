"""Work that a cancel must not leave half done."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end and return its result; a cancel that came meanwhile is raised only then."""
    task = asyncio.ensure_future(work)
    cancel: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancel = error
    if cancel is not None:
        # The failure is read, so that it is not reported as lost; the cancel takes precedence.
        task.exception()
        raise cancel
    return task.result()
