"""Keeps browsers from being used against this server."""

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.web.address import is_ip_address
from adapters.web.api_error import ApiError


def own_names(host: str) -> frozenset[str]:
    """Under which names this machine is asked for, beside its addresses."""
    machine = socket.gethostname().lower()
    return frozenset({"localhost", machine, f"{machine.partition('.')[0]}.local", host.lower()})


class HostGuard:
    """An ASGI layer that refuses names this server does not have, and pages of other servers.

    A page elsewhere can point its own name at this machine's address and then read the answers (DNS rebinding): its
    requests have that name in `Host`. An address cannot be pointed anywhere, so every address is let through.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], origins: Iterable[str]) -> None:
        """`origins` are pages of other hosts that may use this server, such as `https://chat.example.org`."""
        self._app = app
        self._hosts = frozenset(each.lower() for each in hosts)
        self._origins = frozenset(each.lower().rstrip("/") for each in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, or refuse."""
        refusal = self._refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refusal.response()(scope, receive, send)

    def _refusal(self, headers: Headers) -> ApiError | None:
        host = headers.get("host", "").lower()
        name = _name(host)
        if name not in self._hosts and not is_ip_address(name):
            return ApiError(
                403,
                "This server does not know the name it was asked for; its owner can add it to allowed_hosts.",
                code="host_not_allowed",
            )
        origin = headers.get("origin", "").lower()
        if origin and origin not in self._origins and urlsplit(origin).netloc != host:
            return ApiError(
                403,
                "Pages of other servers may not use this one; its owner can add them to allowed_origins.",
                code="origin_not_allowed",
            )
        return None


def _name(host: str) -> str:
    """The name or address in a `Host` header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
