"""What the Bot API answers instead of a result."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ApiError(Exception):
    """https://core.telegram.org/bots/api#making-requests and `#responseparameters`."""

    code: int
    description: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The body of the answer."""
        body = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(what: str, **parameters: Any) -> ApiError:
    """400: the call itself is wrong."""
    return ApiError(400, f"Bad Request: {what}", parameters)


def forbidden(what: str) -> ApiError:
    """403: the bot may not."""
    return ApiError(403, f"Forbidden: {what}")


def conflict(what: str) -> ApiError:
    """409: somebody else does it."""
    return ApiError(409, f"Conflict: {what}")


def too_many(retry_after: int) -> ApiError:
    """429: later."""
    return ApiError(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})
