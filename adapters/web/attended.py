"""Work for a client who may go away meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from adapters.web.api_error import ApiError

Result = TypeVar("Result")
CLIENT_GONE = 499
"""nginx's status for this, which nobody reads."""


async def attended(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Wait for `work`, which is cancelled when the client goes away."""
    working = asyncio.create_task(work)
    watching = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ApiError(CLIENT_GONE, "The client is gone.", code="client_gone")
        return working.result()
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
