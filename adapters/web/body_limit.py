"""Bounds what is read of requests."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.api_error import ApiError

MIB = 1024 * 1024
PROMPT_BYTES = 4 * MIB
"""Of a request of the API: about a million tokens."""
ALL_BYTES = 64 * MIB
"""Of all requests that are being read at the same time."""


class BodyLimit:
    """An ASGI layer that refuses bodies that are too large, and any while too much is being read already."""

    def __init__(self, app: ASGIApp, *, prompt_bytes: int = PROMPT_BYTES, all_bytes: int = ALL_BYTES) -> None:
        self._app = app
        self._prompt_bytes = prompt_bytes
        self._all_bytes = all_bytes
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application read, and answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._prompt_bytes if scope["path"].startswith("/v1/") else self._all_bytes
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced[:20]) > most:
            await _too_large(most).response()(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            if message["type"] == "http.request":
                size = len(message.get("body", b""))
                read += size
                self._held += size
                if read > most:
                    raise HTTPException(413, _too_large(most).message)
                if self._held > self._all_bytes:
                    raise HTTPException(503, "Too much is being sent here right now.", headers={"retry-after": "2"})
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._held -= read


def _too_large(most: int) -> ApiError:
    return ApiError(413, f"The body is larger than {most // MIB or 1} MiB.", code="request_too_large")
