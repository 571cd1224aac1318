"""What Discord's errors mean for the core, for the supervisor and for the owner."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
import discord

from bot.errors import (
    ChatGoneError,
    DeliveryError,
    FormatRefusedError,
    MessageGoneError,
    NotSentError,
    PermanentAdapterError,
    RateLimitedError,
    RetryableAdapterError,
)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION = 10003, 10008, 10015, 10062
OLD_EDITS, INVALID_WEBHOOK_TOKEN, INVALID_FORM, THREAD_ARCHIVED = 30046, 50027, 50035, 50083
THREAD_EXISTS = 160004

_MESSAGE_GONE = {UNKNOWN_MESSAGE, OLD_EDITS, THREAD_ARCHIVED}
_TOO_MANY_REQUESTS, _FORBIDDEN, _UNAUTHORIZED = 429, 403, 401
_DEFAULT_PAUSE_S = 5.0
_NETWORK = (OSError, aiohttp.ClientError, TimeoutError)
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
_AUTHENTICATION_FAILED = 4004


class ExpiredError(Exception):
    """An interaction's token serves no more, or never did; the channel itself has to do."""


@contextmanager
def told() -> Iterator[None]:
    """Raise what Discord answers as the `DeliveryError` that the core acts on."""
    try:
        yield
    except discord.RateLimited as error:
        raise RateLimitedError(error.retry_after) from error
    except discord.HTTPException as error:
        raise _meaning(error) from error
    except aiohttp.ClientConnectorError as error:
        raise NotSentError("Discord could not be reached") from error
    except _NETWORK as error:
        raise DeliveryError(f"Discord did not answer: {type(error).__name__}") from error


def _meaning(error: discord.HTTPException) -> Exception:
    if error.code in {UNKNOWN_WEBHOOK, UNKNOWN_INTERACTION, INVALID_WEBHOOK_TOKEN}:
        return ExpiredError()
    if error.status == _TOO_MANY_REQUESTS:
        return RateLimitedError(_pause_s(error))
    if error.code in _MESSAGE_GONE:
        return MessageGoneError(str(error))
    if error.code == UNKNOWN_CHANNEL or error.status == _FORBIDDEN:
        # Blocked, no server in common, kicked, or without the right to write: all of them are 403.
        return ChatGoneError(str(error))
    if error.code == INVALID_FORM:
        return FormatRefusedError(str(error))
    return DeliveryError(str(error))


def _pause_s(error: discord.HTTPException) -> float:
    try:
        return float(error.response.headers["Retry-After"])
    except (KeyError, ValueError):
        return _DEFAULT_PAUSE_S


def connection_error(error: Exception, *, application_id: int | None) -> Exception:
    """Why the adapter cannot start or go on; permanent where the owner must do something.

    What has nothing to do with Discord stays what it is.
    """
    match error:
        case discord.LoginFailure():
            return _wrong_token()
        case discord.ConnectionClosed() if error.code == _AUTHENTICATION_FAILED:
            return _wrong_token()
        case discord.PrivilegedIntentsRequired():
            return PermanentAdapterError(
                "Discord does not let this bot read messages. Switch on “Message Content Intent” under “Privileged "
                f"Gateway Intents” on {bot_page(application_id)} and save; then start again"
            )
        case discord.HTTPException() if error.status == _UNAUTHORIZED:
            return _wrong_token()
        case discord.DiscordException() | OSError() | aiohttp.ClientError() | TimeoutError():
            return RetryableAdapterError(f"Discord cannot be reached ({type(error).__name__})")
        case _:
            return error


def bot_page(application_id: int | None) -> str:
    """The page of the Developer Portal with the token and the intents."""
    place = f"{application_id}/bot" if application_id else ""
    return f"https://discord.com/developers/applications/{place}"


def _wrong_token() -> PermanentAdapterError:
    return PermanentAdapterError(
        "Discord does not know this token. Copy the bot's token again (Developer Portal, your application, Bot, "
        "Reset Token) into adapters.discord.token, or into the variable that token_env names"
    )
