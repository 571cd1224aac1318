"""What Telegram's errors mean to the core.

The Bot API tells errors apart by their description alone, so that is what is looked at here, and nowhere else.
"""

from datetime import timedelta

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.errors import (
    AdapterError,
    ChatGoneError,
    ChatMovedError,
    DeliveryError,
    FormatRefusedError,
    MessageGoneError,
    NotSentError,
    PermanentAdapterError,
    RateLimitedError,
    RetryableAdapterError,
)

_REFUSALS: tuple[tuple[tuple[str, ...], type[DeliveryError]], ...] = (
    (("message to edit not found", "message can't be", "message_id_invalid", "message to delete"), MessageGoneError),
    (
        (
            "chat not found",
            "thread not found",
            "topic_deleted",
            "topic_closed",
            "peer_id_invalid",
            "chat_write_forbidden",
            "not enough rights",
            "have no rights",
            "user not found",
        ),
        ChatGoneError,
    ),
    (("can't parse", "entit", "url"), FormatRefusedError),
)
_SAME = "message is not modified"


def delivery_error(error: TelegramError) -> DeliveryError:
    """What a `ReplyTarget` raises for it."""
    match error:
        case RetryAfter():
            return RateLimitedError(pause_s(error))
        case ChatMigrated():
            return ChatMovedError(str(error.new_chat_id))
        case Forbidden():
            return ChatGoneError(error.message)
        case BadRequest():
            described = error.message.lower()
            kinds = (kind for parts, kind in _REFUSALS if any(part in described for part in parts))
            return next(kinds, DeliveryError)(error.message)
        case NetworkError() if _was_not_sent(error):
            return NotSentError(error.message)
        case _:
            return DeliveryError(error.message)


def changes_nothing(error: TelegramError) -> bool:
    """Whether an edit was refused because the message reads like that already."""
    return isinstance(error, BadRequest) and _SAME in error.message.lower()


def pause_s(error: RetryAfter) -> float:
    """How long Telegram wants to be left alone, in seconds."""
    pause = error.retry_after
    return pause.total_seconds() if isinstance(pause, timedelta) else float(pause)


def adapter_error(error: TelegramError, name: str) -> AdapterError:
    """What `start` and `wait` raise for it; `name` is the section's."""
    match error:
        case InvalidToken():
            # Its own text has the token in it.
            return PermanentAdapterError(
                f"Telegram does not accept adapters.{name}.token: copy it again from @BotFather "
                f"(/mybots, the bot, API Token), and see that adapters.{name}.base_url is right"
            )
        case Conflict():
            return RetryableAdapterError(
                "another program fetches this bot's messages with the same token, so each gets only some of them "
                f"({error.message}): stop the other one, or give this one a bot of its own (@BotFather: /newbot)"
            )
        case RetryAfter():
            return RetryableAdapterError(f"Telegram asks for a pause of {pause_s(error):g} s")
        case _:
            return RetryableAdapterError(f"Telegram cannot be reached: {error.message}")


def _was_not_sent(error: NetworkError) -> bool:
    """Whether Telegram certainly knows nothing of the call: no connection was made, or a server in front refused it."""
    cause = error.__cause__
    return isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError))
