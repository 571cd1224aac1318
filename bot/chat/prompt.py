"""Fits a conversation into the model's window."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.chat.generator import TextGenerator
from bot.chat.personas import Persona
from bot.chat.spoken import spoken
from bot.errors import InvalidRequestError, PromptTooLongError
from bot.request import ChatMessage
from bot.storage.records import Conversation, Turn

Exchange = tuple[ChatMessage, ChatMessage]
"""A person's message and the reply to it."""


def exchanges(turns: Iterable[Turn], conversation: Conversation) -> list[Exchange]:
    """Answered turns, as the model is shown them: word for word, so that they are found in the KV cache."""
    return [
        (
            ChatMessage(role="user", content=spoken(turn, conversation)),
            ChatMessage(role="assistant", content=turn.reply),
        )
        for turn in turns
        if turn.reply is not None
    ]


# More characters than this for each token that fits are refused uncounted: no text that a person writes comes near it,
# and reading a hundred megabytes into tokens would take long and lead nowhere.
_MOST_CHARACTERS_PER_TOKEN = 32
_MOST_SUMMARY_TOKENS = 256
# Most conversations never fill the window, so nothing is summed up for those that may not. The last quarter is usually
# several turns, and in one of the pauses between them, in which people read and think, the summary is written.
_NEARLY_FULL = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the model is shown."""

    messages: tuple[ChatMessage, ...]
    tokens: int
    max_tokens: int
    """Room for the reply: what was asked for, or less where the window is small."""
    dropped: int
    """Exchanges at the start of the history that had to be left out."""
    recapped: bool
    """The summary of earlier exchanges is in it."""


class PromptFitter:
    """Persona, whole exchanges and the new message, within an exact number of tokens.

    The prompt only grows at its end from turn to turn, so that the engine finds its start in the KV cache. When it
    has grown over the window, one large cut makes room for many turns to come, each of which hits the cache again.
    """

    def __init__(self, generator: TextGenerator, *, keep_after_cut: float) -> None:
        """`keep_after_cut` is the share of the budget that a cut leaves in use."""
        self._generator = generator
        self._keep_after_cut = keep_after_cut

    def check_size(self, text: str) -> None:
        """Refuse a text that cannot fit by any count. Raises `InvalidRequestError`."""
        limit = self._generator.n_ctx * _MOST_CHARACTERS_PER_TOKEN
        if len(text) > limit:
            raise InvalidRequestError(
                f"This is far too long for me: {len(text):,} characters, and I can read "
                f"{self._generator.n_ctx:,} tokens at once, which is about {self._generator.n_ctx * 4:,} characters. "
                "Please send a part of it."
            )

    @property
    def summary_tokens(self) -> int:
        """The most that a summary may take: an eighth of the window, and what a few sentences need at most."""
        return min(_MOST_SUMMARY_TOKENS, self._generator.n_ctx // 8)

    def budget(self, persona: Persona) -> int:
        """Tokens that a prompt may have, so that there is room for the reply."""
        return self._generator.n_ctx - min(persona.max_tokens, self._generator.n_ctx // 2)

    def is_nearly_full(self, persona: Persona, tokens: int) -> bool:
        """Whether a conversation of so many tokens will have to be cut soon."""
        return tokens >= self.budget(persona) * _NEARLY_FULL

    async def fit(
        self,
        persona: Persona,
        history: Sequence[Exchange],
        closing: tuple[ChatMessage, ...],
        *,
        recap: Exchange | None = None,
    ) -> Prompt:
        """The prompt that ends with `closing`: the new message, or it and the reply that is to be written on.

        `recap` tells what came before `history`; it stays, unless `closing` has no room beside it. The usual turn costs
        one count. Raises `PromptTooLongError` where `closing` cannot fit even alone.
        """
        budget = self.budget(persona)
        draft = _Draft(self._generator, persona, history, closing, recap)
        kept = len(history)
        tokens = await draft.count(kept) if draft.characters <= budget * _MOST_CHARACTERS_PER_TOKEN else None
        if tokens is None or tokens > budget:
            kept, tokens = await self._cut(draft, budget)
        return self._prompt(draft, kept, tokens)

    async def cut_with_recap(
        self,
        persona: Persona,
        history: Sequence[Exchange],
        closing: tuple[ChatMessage, ...],
        *,
        recap: Exchange,
        covered: int,
    ) -> Prompt:
        """The prompt after a cut: `recap` takes the place of the `covered` oldest exchanges.

        Where it covers a good deal more or less than the usual cut drops, the cut is made in its usual place.
        """
        budget = self.budget(persona)
        draft = _Draft(self._generator, persona, history, closing, recap)
        kept, tokens = await self._cut(draft, budget)
        target = int(budget * self._keep_after_cut)
        following = len(history) - covered
        size = await draft.count(following) if kept != following else tokens
        if draft.recap is not None and target // 2 <= size <= (target + budget) // 2:
            kept, tokens = following, size
        return self._prompt(draft, kept, tokens)

    async def foresee(self, persona: Persona, history: Sequence[Exchange], *, recap: Exchange | None) -> int:
        """How many of the oldest exchanges the next cut will drop, where it is near; never the latest one.

        `recap` is what will stand in for those that were dropped before.
        """
        draft = _Draft(self._generator, persona, history, (ChatMessage(role="user", content=""),), recap)
        used = await draft.count(len(history))
        if not self.is_nearly_full(persona, used):
            return 0
        # What the cut will keep is these last ones, what the summary takes, and exchanges that are still to come.
        target = used - int(self.budget(persona) * (1 - self._keep_after_cut)) - self.summary_tokens
        kept, _ = await self._latest_within(draft, target, await draft.count(0))
        return max(0, len(history) - max(1, kept))

    def _prompt(self, draft: "_Draft", kept: int, tokens: int) -> Prompt:
        return Prompt(
            messages=draft.messages(kept),
            tokens=tokens,
            max_tokens=min(draft.persona.max_tokens, self._generator.n_ctx - tokens),
            dropped=len(draft.history) - kept,
            recapped=draft.recap is not None,
        )

    async def _cut(self, draft: "_Draft", budget: int) -> tuple[int, int]:
        """How many of the latest exchanges stay, and the size of the prompt with them."""
        alone = await draft.count(0)
        if alone > budget and draft.recap is not None:
            draft.recap = None
            alone = await draft.count(0)
        if alone > budget:
            await self._refuse(draft, alone, budget)
        target = int(budget * self._keep_after_cut)
        if alone > target:
            # A long message leaves less than the usual share: its history gets that share of what is left.
            target = alone + int((budget - alone) * self._keep_after_cut)
        return await self._latest_within(draft, target, alone)

    async def _latest_within(self, draft: "_Draft", target: int, alone: int) -> tuple[int, int]:
        """How many of the latest exchanges fit `target`, and the prompt's size with them; `alone` is it without any."""
        fitting, tokens = 0, alone
        candidate, too_many = 1, len(draft.history) + 1
        # From the latest exchange backwards in doubling steps, then halving: nothing far beyond the target is counted,
        # however long the history is.
        while fitting + 1 < too_many:
            size = await draft.count(candidate)
            if size <= target:
                fitting, tokens = candidate, size
                doubled = candidate * 2
                candidate = doubled if doubled < too_many else (fitting + too_many) // 2
            else:
                too_many = candidate
                candidate = (fitting + too_many) // 2
        return fitting, tokens

    async def _refuse(self, draft: "_Draft", alone: int, budget: int) -> None:
        if draft.continues:
            raise InvalidRequestError(
                "My reply is already as long as I can keep in mind, so I cannot go on with it. Ask me for the rest."
            )
        overhead = await draft.count_overhead()
        if overhead >= budget:
            raise InvalidRequestError(
                "The instructions of my persona leave no room for a message. Please tell the owner of this bot to "
                "shorten its system_prompt and examples, or to raise engine.n_ctx."
            )
        raise PromptTooLongError(alone - overhead, budget - overhead)


class _Draft:
    """A prompt of which it is still open how much of the history it keeps."""

    def __init__(
        self,
        generator: TextGenerator,
        persona: Persona,
        history: Sequence[Exchange],
        closing: tuple[ChatMessage, ...],
        recap: Exchange | None,
    ) -> None:
        self._generator = generator
        self._closing = closing
        self.persona = persona
        self.recap = recap
        self.history = history
        self.continues = closing[-1].role == "assistant"

    @property
    def characters(self) -> int:
        """Of the whole prompt with all of the history."""
        return sum(len(message.content) for message in self.messages(len(self.history)))

    def messages(self, kept: int) -> tuple[ChatMessage, ...]:
        """The prompt with the latest `kept` exchanges."""
        latest = self.history[len(self.history) - kept :]
        past = (message for exchange in latest for message in exchange)
        return (*self.persona.head, *(self.recap or ()), *past, *self._closing)

    async def count(self, kept: int) -> int:
        """Tokens of the prompt with the latest `kept` exchanges."""
        return await self._generator.count_prompt_tokens(
            self.messages(kept), reasoning=self.persona.reasoning, continue_final=self.continues
        )

    async def count_overhead(self) -> int:
        """Tokens of the prompt when the new message is empty. Templates may insist on a message of the user."""
        return await self._generator.count_prompt_tokens(
            (*self.persona.head, ChatMessage(role="user", content="")), reasoning=self.persona.reasoning
        )
