"""Server-sent events."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

from anyio import create_task_group
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from adapters.web.api_error import ApiError

PATIENCE_S = 2.0
"""Seconds in which a request may still be refused with a status of its own; then the stream begins."""
KEEP_ALIVE_S = 10.0
"""Seconds of silence after which a comment is sent, so that no proxy and no client takes the stream for dead."""
WAITING = b": waiting in line\n\n"
COMMENT = b": keep-alive\n\n"
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The answer, or its stream"}
}
"""The `responses` of a route that may stream."""
DONE = b"data: [DONE]\n\n"


def event(data: Any, name: str | None = None) -> bytes:
    """One event. `name` is its type, where it has one."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n").encode()


def error_event(error: ApiError) -> bytes:
    """How a stream that has begun says that it failed."""
    return event(error.body)


class EventStream(Response):
    """Sends events as they come. A client that goes away closes the generator at once, and so ends what feeds it."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        *,
        failed: Callable[[ApiError], bytes] = error_event,
        patience_s: float = PATIENCE_S,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        """An `ApiError` that `events` raises before its first event is the answer; a later one is sent as `failed`."""
        self.status_code = 200
        self.background = None
        self._events = events
        self._failed = failed
        self._patience_s = patience_s
        self._keep_alive_s = keep_alive_s
        self._sent_at = 0.0
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        try:
            async with create_task_group() as group:

                async def leave_with_client() -> None:
                    while (await receive())["type"] != "http.disconnect":
                        pass
                    group.cancel_scope.cancel()

                group.start_soon(leave_with_client)
                await self._answer(scope, receive, send)
                group.cancel_scope.cancel()
        finally:
            await self._events.aclose()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = asyncio.ensure_future(anext(self._events))
        try:
            await asyncio.wait({first}, timeout=self._patience_s)
            if first.done() and isinstance(error := first.exception(), ApiError):
                await error.response()(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with create_task_group() as group:
                group.start_soon(self._keep_alive, send)
                await self._send_all(first, send)
                group.cancel_scope.cancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)

    async def _send_all(self, first: "asyncio.Future[bytes]", send: Send) -> None:
        try:
            await self._send(await first, send)
            async for chunk in self._events:
                await self._send(chunk, send)
        except StopAsyncIteration:
            return
        except ApiError as error:
            await self._send(self._failed(error), send)

    async def _send(self, chunk: bytes, send: Send) -> None:
        self._sent_at = asyncio.get_running_loop().time()
        await send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def _keep_alive(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        self._sent_at = loop.time()
        while True:
            silent = loop.time() - self._sent_at
            if silent >= self._keep_alive_s:
                await self._send(COMMENT, send)
            else:
                await asyncio.sleep(self._keep_alive_s - silent)
