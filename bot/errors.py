"""The exception tree. Errors are told apart by type, never by their text."""

from typing import ClassVar


class HearthbotError(Exception):
    """Base of every error this project raises on purpose.

    `str(error)` is for the log and the owner. A process that ends because of it exits with `exit_code`.
    """

    exit_code: ClassVar[int] = 1


class ConfigError(HearthbotError):
    """The YAML file, a command line option or an environment variable is wrong; the text says which and where."""

    exit_code = 2


class MissingDependencyError(ConfigError):
    """Something was asked for whose Python packages are not installed; the text says what to install."""


class ModelLoadError(HearthbotError):
    """The model file is missing, damaged or does not fit this machine."""

    exit_code = 3


class StorageError(HearthbotError):
    """The database cannot be opened, read or written."""

    exit_code = 4
    user_text: ClassVar[str] = (
        "I cannot write anything down at the moment, so I must not answer. "
        "Please tell the owner of this bot that its storage needs a look."
    )


class DamagedDatabaseError(StorageError):
    """What stands in the file is not what SQLite wrote there."""


class EngineLostError(HearthbotError):
    """The inference engine failed for good. The process ends, so that its supervisor starts a fresh one."""

    exit_code = 5
    code: ClassVar[str] = "engine_lost"
    http_status: ClassVar[int] = 503
    user_text: ClassVar[str] = "The model has stopped working and is being restarted. Please try again in a minute."


class RequestError(HearthbotError):
    """One request cannot be served; the daemon goes on.

    `code` is stable and for programs, `http_status` for the HTTP API, `user_text` is safe to show in a chat.
    """

    code: ClassVar[str] = "request_failed"
    http_status: ClassVar[int] = 500

    def __init__(self, user_text: str, detail: str = "") -> None:
        """`detail` is added for the log only."""
        super().__init__(f"{user_text} ({detail})" if detail else user_text)
        self.user_text = user_text


class InvalidRequestError(RequestError):
    """The request asks for something that cannot be done."""

    code = "invalid_request"
    http_status = 400


class PromptTooLongError(InvalidRequestError):
    """The prompt can never fit the context window."""

    code = "context_length_exceeded"

    def __init__(self, prompt_tokens: int, limit: int) -> None:
        """`prompt_tokens` is the size of the prompt and `limit` the most that fits, both in tokens."""
        super().__init__(
            f"This is too long for me: {prompt_tokens} tokens, and I can read {limit} at once. "
            "Please shorten it or send it in parts."
        )
        self.prompt_tokens = prompt_tokens
        self.limit = limit


class SchemaError(InvalidRequestError):
    """A schema cannot be read, or asks for what cannot be held to while the model writes."""

    code = "invalid_schema"


class ExtractionError(RequestError):
    """Nothing valid could be read out of a text; the text says what was found and what is wrong with it."""

    code = "extraction_failed"
    http_status = 422


class DocumentError(InvalidRequestError):
    """A file cannot be read; the text names it, and the limit or what to do."""

    code = "document_refused"


class QueueFullError(RequestError):
    """The waiting line, or this user's part of it, is full."""

    code = "queue_full"
    http_status = 429


class StoppingError(RequestError):
    """The daemon ends, and there is no time for this any more."""

    code = "stopped"
    http_status = 503

    def __init__(self) -> None:
        super().__init__("I am being stopped. Please try again in a minute.")


class QuotaExceededError(RequestError):
    """A person has used up what the owner allows; the text says when there is more."""

    code = "quota_exceeded"
    http_status = 429


class AdapterError(HearthbotError):
    """Base of what an adapter's `start` and `wait` raise."""


class PermanentAdapterError(AdapterError):
    """Trying again cannot help (a wrong token, a missing intent). The text says what to fix."""


class RetryableAdapterError(AdapterError):
    """The network or the platform failed; the supervisor tries again with backoff."""


class DeliveryError(HearthbotError):
    """Base of what a `ReplyTarget` raises. It, and any other exception, is tried again, and then kept for later.

    Nobody knows then whether the message got through all the same: what is sent again is marked as a possible copy.
    """


class NotSentError(DeliveryError):
    """The platform was not reached, or refused for now: nothing was shown, so trying again makes no copy."""


class RateLimitedError(DeliveryError):
    """The platform wants a pause."""

    def __init__(self, retry_after_s: float) -> None:
        """`retry_after_s` is the pause, in seconds."""
        super().__init__(f"the platform asks for a pause of {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class FormatRefusedError(DeliveryError):
    """The platform does not take the formatting; the same text will do as plain text."""


class MessageGoneError(DeliveryError):
    """The message to be edited was deleted or is too old; a new one will do."""


class ChatGoneError(DeliveryError):
    """Nothing can be delivered there any more: blocked, kicked, deleted. It is not tried again."""


class ChatMovedError(DeliveryError):
    """The chat goes on under another id (a Telegram group that became a supergroup)."""

    def __init__(self, chat: str) -> None:
        """`chat` is the new id."""
        super().__init__(f"the chat goes on as {chat}")
        self.chat = chat
