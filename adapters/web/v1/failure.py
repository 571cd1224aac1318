"""What went wrong with a generation, as the API says it."""

import logging

from adapters.web.api_error import ApiError
from bot.errors import (
    EngineLostError,
    PromptTooLongError,
    QueueFullError,
    RequestError,
    StoppingError,
    StorageError,
)

RETRY_AFTER_S = 5
"""Seconds after which a full line is worth another try: a short reply on a slow box."""
_LOGGER = logging.getLogger(__name__)
_PASSING = (QueueFullError, EngineLostError, StoppingError)


def failure(error: RequestError | EngineLostError) -> ApiError:
    """As an answer to the client."""
    headers = {"retry-after": str(RETRY_AFTER_S)} if isinstance(error, _PASSING) else None
    param = "messages" if isinstance(error, PromptTooLongError) else None
    return ApiError(error.http_status, error.user_text, code=error.code, param=param, headers=headers)


def stopped() -> ApiError:
    """For a generation that somebody else than the client ended: the daemon stops, or an admin."""
    return ApiError(503, "This answer was stopped by the server.", code="stopped", headers={"retry-after": "5"})


def not_stored(error: StorageError) -> ApiError:
    """For a database that cannot be read or written; what is the matter is the owner's to know."""
    _LOGGER.error("a request could not be served: %s", error)
    return ApiError(503, error.user_text, code="storage_failed")
