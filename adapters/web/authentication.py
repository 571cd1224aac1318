"""Finds out who is asking, by each way there is."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import Depends, Request

from adapters.web.api_error import ApiError
from adapters.web.principal import Principal


class Authenticator(Protocol):
    """One way to prove who one is."""

    def principal(self, request: Request) -> Principal | None:
        """Who it is; None where the request does not try this way. Raises `ApiError` for a try that fails."""
        ...


class Authentication:
    """Asks its authenticators in turn."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = tuple(authenticators)

    def principal(self, request: Request) -> Principal | None:
        """Who is asking; None for a stranger. Raises `ApiError` for a wrong key."""
        for each in self._authenticators:
            if (found := each.principal(request)) is not None:
                return found
        return None


def somebody(request: Request) -> Principal | None:
    """A dependency: who is asking, or None."""
    authentication: Authentication = request.app.state.context.authentication
    return authentication.principal(request)


def known(principal: Annotated[Principal | None, Depends(somebody)]) -> Principal:
    """A dependency: who is asking. Strangers are refused."""
    if principal is None:
        raise ApiError(
            401,
            "No API key was given. Send it as the header `Authorization: Bearer YOUR_KEY`.",
            code="invalid_api_key",
        )
    return principal


def admin(principal: Annotated[Principal, Depends(known)]) -> Principal:
    """A dependency: an admin who is asking. Others are refused."""
    if not principal.admin:
        raise ApiError(403, "This is for admins only.", code="forbidden")
    return principal


MaybeSomebody = Annotated[Principal | None, Depends(somebody)]
Known = Annotated[Principal, Depends(known)]
Admin = Annotated[Principal, Depends(admin)]
