"""Finds out who is asking, by each way there is, and whether they may."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Protocol

from fastapi import Depends, Request

from adapters.web.api_error import ApiError
from adapters.web.principal import Principal
from bot.adapter import ChatCore


class Authenticator(Protocol):
    """One way to prove who one is."""

    def principal(self, request: Request) -> Principal | None:
        """Who it is; None where the request does not try this way. Raises `ApiError` for a try that fails."""
        ...


class Authentication:
    """Asks its authenticators in turn, and then whether an admin or the configuration has shut that person out."""

    def __init__(self, authenticators: Sequence[Authenticator], *, adapter: str, core: ChatCore) -> None:
        """`adapter` is the web's name, under which the holder of a key is known, such as `web:laptop`."""
        self._authenticators = tuple(authenticators)
        self._adapter = adapter
        self._core = core

    async def principal(self, request: Request) -> Principal | None:
        """Who is asking; None for a stranger. Raises `ApiError` for a wrong key, and for who is blocked."""
        for each in self._authenticators:
            if (found := each.principal(request)) is not None:
                return await self._judged(found)
        return None

    async def _judged(self, found: Principal) -> Principal:
        role = await self._core.door.role(f"{self._adapter}:{found.name}")
        if role == "blocked":
            raise blocked()
        return replace(found, admin=True) if role == "admin" else found


def blocked() -> ApiError:
    """For somebody who has a key, a link or a session, and was shut out since."""
    return ApiError(403, "You have been shut out here. Please ask the owner.", code="blocked")


# All of these are coroutines: FastAPI would send plain functions to another thread, for every request.


async def somebody(request: Request) -> Principal | None:
    """A dependency: who is asking, or None."""
    authentication: Authentication = request.app.state.context.authentication
    return await authentication.principal(request)


async def known(principal: Annotated[Principal | None, Depends(somebody)]) -> Principal:
    """A dependency: who is asking. Strangers are refused."""
    if principal is None:
        raise ApiError(
            401,
            "No API key was given. Send it as the header `Authorization: Bearer YOUR_KEY`.",
            code="invalid_api_key",
        )
    return principal


MaybeSomebody = Annotated[Principal | None, Depends(somebody)]
Known = Annotated[Principal, Depends(known)]
