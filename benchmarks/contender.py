"""What takes part in a benchmark: a server of some kind that answers conversations."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bot.request import ChatMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One reply, as its reader saw it."""

    text: str
    ttft_s: float
    """From sending the request to the first piece of text."""
    total_s: float
    prompt_tokens: int | None
    """None where the contender does not tell."""
    evaluated_tokens: int | None
    """Prompt tokens that were not in its cache; None where it does not tell."""
    completion_tokens: int


class Contender(ABC):
    """An asynchronous context manager: entered, it is loaded and warm; left, nothing of it runs."""

    def __init__(self, name: str) -> None:
        """`name` is how tables call it."""
        self.name = name

    @abstractmethod
    async def start(self) -> None:
        """Load the model."""

    @abstractmethod
    async def stop(self) -> None:
        """End, and give everything back."""

    @abstractmethod
    async def turn(
        self,
        messages: Sequence[ChatMessage],
        *,
        user: str,
        max_tokens: int,
        conversation: str | None = None,
        shift: bool = False,
    ) -> Turn:
        """Write one reply, greedily.

        `conversation` names the one it belongs to; `shift` allows dropped turns to be cut out of its cache. A server
        whose API cannot say these things is not told.
        """

    async def warm_up(self) -> None:
        """Write a reply that is not measured, so that pages are mapped and buffers allocated."""
        messages = (ChatMessage(role="user", content="Say hello."),)
        for _ in range(2):
            await self.turn(messages, user="warm-up", max_tokens=8)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
            await self.warm_up()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
