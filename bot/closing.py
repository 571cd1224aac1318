"""Ending things at the end, one failure not keeping the others from being closed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

log = logging.getLogger(__name__)

CLOSE_LIMIT_S = 10.0
"""Seconds that one clean-up may take before the next one begins."""


async def close(name: str, aclose: Callable[[], Awaitable[None]], *, limit_s: float = CLOSE_LIMIT_S) -> None:
    """Call `aclose`. What it raises, and that it takes too long, is logged and goes no further."""
    try:
        async with asyncio.timeout(limit_s):
            await aclose()
    except TimeoutError:
        log.exception("%s did not close within %g s", name, limit_s)
    except Exception:
        log.exception("%s did not close properly", name)


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], *, name: str) -> AsyncIterator[None]:
    """Let `work` go on in a task of its own while this lasts. What it raises is logged and goes no further."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s has stopped working", task.get_name(), exc_info=error)
