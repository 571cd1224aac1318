"""Closing things at the end, one failure not keeping the others from being closed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

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
