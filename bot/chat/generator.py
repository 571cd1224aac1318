"""What the chat needs of the engine."""

from collections.abc import Sequence
from typing import Protocol

from bot.adapter import WatchedModel
from bot.messages import ConversationKey


class TextGenerator(WatchedModel, Protocol):
    """Writes replies. The engine is one; tests of the chat script another."""

    async def forget(self, users: Sequence[str]) -> None:
        """Drop what is kept of these users' evaluated prompts; users as in the requests."""
        ...


def engine_user(adapter: str, user: str) -> str:
    """How a person is called in requests."""
    return f"{adapter}:{user}"


def owner(key: ConversationKey) -> str:
    """Whose a conversation is in requests: one that several people share belongs to its chat, as if that were one."""
    return key.user or f"chat/{key.chat}/{key.thread}"


def summary_user(adapter: str, user: str) -> str:
    """The same in what the model writes for itself about a person: in the line it is nobody's turn but its own."""
    return f"summary of {engine_user(adapter, user)}"
