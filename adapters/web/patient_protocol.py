"""HTTP connections that neither come in any number nor stay open for ever."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from adapters.web.api_error import ApiError

MOST_CONNECTIONS = 256
"""More are told to come back later."""
REQUEST_S = 30.0
"""Seconds that a client may take to send a whole request."""
READ_S = 30.0
"""Seconds that a client may leave what was sent to it unread."""
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 5\r\nconnection: close\r\n"
    b"content-length: 145\r\n\r\n"
    b'{"error":{"message":"Too many connections. Please try again in a few seconds.","type":"server_error",'
    b'"param":null,"code":"too_many_connections"}}'
)


class PatientProtocol(H11Protocol):
    """uvicorn's protocol has no limits for clients that are slow on purpose; these are added here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one too many; give the others time for their request."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.write(BUSY)
            transport.close()
            return
        self._request_timer = self.loop.call_later(REQUEST_S, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_request_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Give time for the request until it is complete."""
        if self._request_timer is None:
            self._request_timer = self.loop.call_later(REQUEST_S, self._too_slow)
        super().data_received(data)
        if self.conn.their_state in {h11.DONE, h11.MUST_CLOSE}:
            self._stop_request_timer()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is written to."""
        self._read_timer = self.loop.call_later(READ_S, self._too_slow)
        super().pause_writing()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or has a head that is too long, in the shape of every other error."""
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            self.transport.abort()  # in the middle of an answer there is no place for another one
            return
        error = ApiError(400, f"{msg} Its head may be too long, or it is not HTTP.", code="invalid_http").response()
        head = h11.Response(status_code=400, headers=[*error.raw_headers, (b"connection", b"close")])
        for event in (head, h11.Data(data=bytes(error.body)), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _stop_request_timer(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _too_slow(self) -> None:
        self.transport.abort()
