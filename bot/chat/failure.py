"""What a person is told when something goes wrong, and what the log is told."""

import logging

from bot.errors import EngineLostError, ModelLoadError, RequestError, StorageError
from bot.messages import ReplyError

_LOGGER = logging.getLogger(__name__)


def report(error: Exception) -> ReplyError:
    """Log the error with its detail, and return the words for the chat, which have none of it."""
    match error:
        case RequestError():
            _LOGGER.info("refused: %s", error)
            return ReplyError(code=error.code, text=error.user_text)
        case EngineLostError():
            _LOGGER.error("the engine is lost: %s", error)
            return ReplyError(code=error.code, text=error.user_text)
        case ModelLoadError():
            _LOGGER.error("the model cannot be loaded: %s", error)
            return ReplyError(
                code="model_unavailable",
                text="My model cannot be loaded right now. Please tell the owner of this bot.",
            )
        case StorageError():
            _LOGGER.error("storage: %s", error)
            return ReplyError(code="storage_failed", text=error.user_text)
        case _:
            _LOGGER.error("a message could not be answered", exc_info=error)
            return ReplyError(
                code="internal_error",
                text="Something went wrong on my side. It was written to the log; please try again.",
            )
