"""The keys of the configuration."""

import hmac
from collections.abc import Mapping
from hashlib import sha256

from fastapi import Request

from adapters.web.api_error import ApiError
from adapters.web.principal import LOCAL, Allowance, Principal
from adapters.web.settings import ApiKeySettings


class ApiKeys:
    """Knows a key by its hash: what is compared is no secret, and takes the same time whatever is sent."""

    def __init__(self, settings: Mapping[str, ApiKeySettings]) -> None:
        self._holders = tuple(
            (
                _hash(each.key.get_secret_value()),
                Principal(
                    name=name,
                    admin=each.admin,
                    allowance=Allowance(
                        max_tokens=each.max_tokens,
                        max_requests=each.max_requests,
                        requests_per_minute=each.requests_per_minute,
                    ),
                ),
            )
            for name, each in settings.items()
            if each.key is not None
        )

    def holder(self, key: str) -> Principal | None:
        """Whose key it is."""
        hashed = _hash(key)
        found = None
        for known, principal in self._holders:  # every one is compared, also after a match
            if hmac.compare_digest(known, hashed):
                found = principal
        return found

    def principal(self, request: Request) -> Principal | None:
        """Whoever sends a key as a bearer token, and anybody where there are no keys. Raises `ApiError`."""
        if not self._holders:
            return Principal(name=LOCAL)
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if (holder := self.holder(key.strip())) is None:
            raise ApiError(401, "This API key is not known here.", code="invalid_api_key")
        return holder


def _hash(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogateescape")).digest()
