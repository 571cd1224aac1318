"""What the chat needs of the engine."""

from collections.abc import Sequence
from typing import Protocol

from bot.engine.generation import Generation
from bot.engine.request import ChatMessage, EngineStatus, GenerationRequest
from bot.settings import ReasoningMode


class TextGenerator(Protocol):
    """Writes replies. The engine is one; tests of the chat script another."""

    @property
    def n_ctx(self) -> int:
        """Window of one conversation, in tokens: prompt and reply together."""
        ...

    def submit(self, request: GenerationRequest) -> Generation:
        """Put a request in the line.

        Raises `PromptTooLongError`, `InvalidRequestError`, `QueueFullError` or `EngineLostError`, or reports them by
        the generation's `GenerationFailed`.
        """
        ...

    async def count_prompt_tokens(
        self, messages: Sequence[ChatMessage], *, reasoning: ReasoningMode = "hide", continue_final: bool = False
    ) -> int:
        """Exact size of the prompt that the chat template makes of these messages, in the model's own tokens."""
        ...

    async def forget(self, users: Sequence[str]) -> None:
        """Drop what is kept of these users' evaluated prompts; users as in the requests."""
        ...

    def status(self) -> EngineStatus:
        """What it is doing now."""
        ...


def engine_user(adapter: str, user: str) -> str:
    """How a person is called in requests."""
    return f"{adapter}:{user}"


def summary_user(adapter: str, user: str) -> str:
    """The same in what the model writes for itself about a person: in the line it is nobody's turn but its own."""
    return f"summary of {engine_user(adapter, user)}"
