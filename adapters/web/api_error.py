"""Errors in OpenAI's shape."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse


class ApiError(Exception):
    """A request that is answered with an error. `message` is shown to the client."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`param` names the field of the request that is wrong."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})
        if status == HTTPStatus.UNAUTHORIZED:
            self.headers.setdefault("www-authenticate", "Bearer")

    @property
    def body(self) -> dict[str, Any]:
        """What the client reads."""
        return {
            "error": {"message": self.message, "type": _kind(self.status), "param": self.param, "code": self.code},
        }

    def response(self) -> JSONResponse:
        """The answer to the request."""
        return JSONResponse(self.body, status_code=self.status, headers=self.headers)


def _kind(status: int) -> str:
    """OpenAI's `type`, which their clients print."""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return "authentication_error" if status == HTTPStatus.UNAUTHORIZED else "permission_error"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limit_error"
    return "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
