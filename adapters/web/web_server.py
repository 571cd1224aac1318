"""uvicorn as a guest in the daemon's event loop."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Generator

import uvicorn
from fastapi import FastAPI

from adapters.web.patient_protocol import PatientProtocol
from bot.errors import PermanentAdapterError, RetryableAdapterError

BACKLOG = 128
"""Connections that the kernel may hold back for us."""
KEEP_ALIVE_S = 30
"""Seconds that a connection without a request stays open."""


class WebServer(uvicorn.Server):
    """Serves an application on sockets that are open when `listen` returns. Takes no signals: the daemon has them."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
            )
        )
        self._ready = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._sockets: list[socket.socket] = []

    async def listen(self, host: str, port: int) -> int:
        """Open the port, and return it; connections are being answered then.

        Raises `PermanentAdapterError` for an address that cannot be listened on.
        """
        self._sockets = await _listening(host, port)
        self._serving = asyncio.create_task(self.serve(self._sockets), name="web server")
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ready, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._serving.done():
            raise RetryableAdapterError("the web server did not start") from self._serving.exception()
        bound: int = self._sockets[0].getsockname()[1]
        return bound

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell `listen` that it is done."""
        await super().startup(sockets)
        self._ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to the daemon."""
        yield

    async def wait(self) -> None:
        """Return when `finish` has let it end. Raises `RetryableAdapterError` when it ended by itself."""
        if self._serving is None:
            raise RuntimeError("wait was called before listen")
        await asyncio.wait({self._serving})
        if not self.should_exit:
            raise RetryableAdapterError("the web server ended unexpectedly") from self._serving.exception()

    async def finish(self) -> None:
        """Accept nothing more, and return when every answer under way was sent."""
        self.should_exit = True
        if self._serving is not None:
            await asyncio.wait({self._serving})

    async def abort(self) -> None:
        """Close everything now."""
        self.should_exit = self.force_exit = True
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        for listener in getattr(self, "servers", ()):
            listener.close()
        for each in self._sockets:
            each.close()


async def _listening(host: str, port: int) -> list[socket.socket]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise PermanentAdapterError(f"{host} is not an address; set adapters.web.host") from error
    sockets: list[socket.socket] = []
    for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
        if sockets and not port:
            address = (address[0], sockets[0].getsockname()[1], *address[2:])  # noqa: PLW2901 - one port for all
        try:
            sockets.append(socket.create_server(address, family=family, backlog=BACKLOG, dualstack_ipv6=False))
        except OSError as error:
            for each in sockets:
                each.close()
            raise PermanentAdapterError(_reason(error, host, port)) from error
    return sockets


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is taken by another program; stop it, or set adapters.web.port"
    if error.errno == errno.EACCES:
        return f"this user may not listen on port {port}; set adapters.web.port to one above 1023"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine; set adapters.web.host"
    return f"cannot listen on port {port} of {host}: {error.strerror}"
