"""How the OpenAPI document shows errors."""

from typing import Any

from typing_extensions import TypedDict

REASONS = {
    400: "something in the request is wrong or not supported",
    401: "no key, or one that is not known",
    403: "whoever holds this key was shut out, or a page of another host asks",
    404: "not here",
    413: "the body is too large",
    415: "the body is not said to be JSON",
    429: "the line is full, or the key's limits are reached",
    499: "the client went away",
    500: "the server failed",
    503: "the model is not available",
}


class ErrorDetail(TypedDict):
    """What is wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorObject(TypedDict):
    """An error in OpenAI's shape."""

    error: ErrorDetail


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these errors."""
    return {status: {"model": ErrorObject, "description": REASONS[status]} for status in statuses}


GENERATION = refusals(400, 401, 403, 404, 413, 429, 500, 503)
"""Of whatever writes."""
