"""One user's conversation, kept by the client as chat clients keep it."""

from benchmarks.contender import Contender, Turn
from benchmarks.workload import SYSTEM
from bot.request import ChatMessage


class Conversation:
    """The messages so far, oldest first, after the persona."""

    def __init__(self, user: str, *, window: int | None = None, may_shift: bool = False) -> None:
        """`window` is what a prompt and its reply may take, in tokens.

        When they would take more, the older half of the turns is dropped. `may_shift` lets the contender cut them out
        of its cache.
        """
        self.user = user
        self.messages: list[ChatMessage] = [SYSTEM]
        self.cuts = 0
        self._window = window
        self._may_shift = may_shift
        self._used = 0

    async def say(self, contender: Contender, text: str, *, max_tokens: int) -> Turn:
        """Say something and keep the reply."""
        self.messages.append(ChatMessage(role="user", content=text))
        if self._window is not None and self._used + len(text) // 3 + max_tokens > self._window:
            self._drop_half()
        turn = await contender.turn(
            self.messages,
            user=self.user,
            max_tokens=max_tokens,
            conversation=self.user,
            shift=self._may_shift,
        )
        self.messages.append(ChatMessage(role="assistant", content=turn.text))
        self._used = self._size(turn)
        return turn

    def _drop_half(self) -> None:
        """Whole exchanges, the oldest; the persona and the new message stay."""
        exchanges = (len(self.messages) - 2) // 2
        del self.messages[1 : 1 + 2 * ((exchanges + 1) // 2)]
        self.cuts += 1

    def _size(self, turn: Turn) -> int:
        """Tokens of the conversation now, estimated high (3 characters a token) where nobody tells."""
        if turn.prompt_tokens is not None:
            return turn.prompt_tokens + turn.completion_tokens + 8
        return sum(len(message.content) // 3 + 8 for message in self.messages)
