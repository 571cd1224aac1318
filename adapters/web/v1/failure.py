"""What went wrong with a generation, as the API says it."""

from adapters.web.api_error import ApiError
from bot.errors import EngineLostError, PromptTooLongError, QueueFullError, RequestError

RETRY_AFTER_S = 5
"""Seconds after which a full line is worth another try: a short reply on a slow box."""


def failure(error: RequestError | EngineLostError) -> ApiError:
    """As an answer to the client."""
    headers = {"retry-after": str(RETRY_AFTER_S)} if isinstance(error, QueueFullError | EngineLostError) else None
    param = "messages" if isinstance(error, PromptTooLongError) else None
    return ApiError(error.http_status, error.user_text, code=error.code, param=param, headers=headers)


def stopped() -> ApiError:
    """For a generation that somebody else than the client ended: the daemon stops, or an admin."""
    return ApiError(503, "This answer was stopped by the server.", code="stopped", headers={"retry-after": "5"})
