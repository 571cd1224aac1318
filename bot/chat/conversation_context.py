"""What the model is shown of a conversation, and how that changes when the window is full."""

from dataclasses import dataclass, replace
from typing import Literal

from bot.chat.personas import Persona
from bot.chat.prompt import Prompt, PromptFitter, exchanges
from bot.chat.spoken import spoken
from bot.chat.summariser import Summariser
from bot.chat.summary_words import recap
from bot.request import ChatMessage
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.records import Conversation, Summary, Turn
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository

Overflow = Literal["shift", "drop", "summarise"]
Cut = Literal["dropped", "summarised"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A prompt, and what had to happen to the conversation for it."""

    prompt: Prompt
    cut: Cut | None = None
    """What became of old turns that were left out from this prompt on."""
    may_shift: bool = False
    """The engine may cut them out of its cache as well, instead of reading what is left again."""


class ConversationContext:
    """The turns from the conversation's `context_start` on and, before them, a summary where there is one.

    Both change only where old turns are cut off or somebody rewrites the past, so that the prompt's start stays in the
    KV cache from turn to turn. A summary that is ready waits for the next cut, when the prompt changes anyway.
    """

    def __init__(
        self,
        *,
        conversations: ConversationRepository,
        turns: TurnRepository,
        summaries: SummaryRepository,
        summariser: Summariser,
        fitter: PromptFitter,
        overflow: Overflow,
    ) -> None:
        self._conversations = conversations
        self._turns = turns
        self._summaries = summaries
        self._summariser = summariser
        self._fitter = fitter
        self._overflow = overflow

    async def prompt(self, conversation: Conversation, persona: Persona, turn: Turn, begun: str) -> Shown:
        """The prompt for `turn`, whose reply may have `begun`. Old turns that do not fit are left out from now on.

        Raises `InvalidRequestError` and `StorageError`.
        """
        earlier = [past for past in await self._turns.context(conversation) if past.id < turn.id]
        message = ChatMessage(role="user", content=spoken(turn, conversation))
        closing = (message, ChatMessage(role="assistant", content=begun)) if begun else (message,)
        history = exchanges(earlier, conversation)
        shown, ready = await self._summaries_of(conversation)
        if ready is not None and _costs_nothing(ready, conversation, earlier, persona):
            await self._conversations.set_context_start(
                conversation.id, conversation.context_start, summary_id=ready.id
            )
            shown, ready = ready, None
        prompt = await self._fitter.fit(persona, history, closing, recap=recap(shown) if shown else None)
        if not prompt.dropped and prompt.recapped == (shown is not None):
            return Shown(prompt=prompt)
        summary = shown if prompt.recapped else None
        if ready is not None:
            covered = sum(past.id <= ready.through_turn for past in earlier)
            prompt = await self._fitter.cut_with_recap(persona, history, closing, recap=recap(ready), covered=covered)
            summary = ready if prompt.recapped else None
        kept = earlier[prompt.dropped :]
        await self._conversations.set_context_start(
            conversation.id, kept[0].id if kept else turn.id, summary_id=summary.id if summary else None
        )
        return Shown(
            prompt=prompt,
            cut=_became_of(earlier[: prompt.dropped], summary),
            may_shift=self._overflow != "drop" and summary == shown,
        )

    async def messages(self, conversation: Conversation, persona: Persona) -> tuple[list[ChatMessage], int]:
        """What the next message will find before it, and how many exchanges that is."""
        past = exchanges(await self._turns.context(conversation), conversation)
        shown, _ = await self._summaries_of(conversation)
        before = [recap(shown), *past] if shown else past
        return [*persona.head, *(message for exchange in before for message in exchange)], len(past)

    async def rewrite(self, conversation: Conversation, turn: Turn, *, discards: bool) -> Conversation:
        """Prepare for a change of `turn`; `discards` where nothing of it, or of what follows, is left as it was.

        A summary that covers it is dropped. The conversation that is returned has its earlier turns in the context
        again where what stood in for them, or all that was left of it, is gone.
        """
        await self._summariser.abandon([conversation.id])
        shown, _ = await self._summaries_of(conversation)
        await self._summaries.drop_from(conversation.id, turn.id)
        lost_summary = shown is not None and shown.through_turn >= turn.id
        if not lost_summary and not (discards and turn.id <= conversation.context_start):
            return conversation
        await self._conversations.set_context_start(conversation.id, 0)
        return replace(conversation, context_start=0)

    async def _summaries_of(self, conversation: Conversation) -> tuple[Summary | None, Summary | None]:
        """The one in the prompt, and the one that waits to take its place."""
        found = {summary.shown: summary for summary in await self._summaries.of(conversation.id)}
        return found.get(True), found.get(False) if self._overflow == "summarise" else None


def _costs_nothing(ready: Summary, conversation: Conversation, earlier: list[Turn], persona: Persona) -> bool:
    """Whether a summary that came too late for its cut can be shown now: another persona is read from the start."""
    switched = bool(earlier) and earlier[-1].persona != persona.key
    return switched and ready.through_turn < conversation.context_start


def _became_of(dropped: list[Turn], summary: Summary | None) -> Cut | None:
    if not dropped:
        return None
    return "summarised" if summary is not None and summary.through_turn >= dropped[0].id else "dropped"
