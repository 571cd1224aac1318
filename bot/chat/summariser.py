"""Writes summaries of what conversations are about to outgrow, while nobody needs the model."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from functools import partial

from bot.chat.clock import Clock
from bot.chat.generator import TextGenerator, owner, summary_user
from bot.chat.personas import Persona, Personas
from bot.chat.prompt import Exchange, PromptFitter, exchanges
from bot.chat.summary_words import recap, request_for_summary, whole_sentences
from bot.errors import HearthbotError
from bot.generation import Generation
from bot.messages import Usage
from bot.request import ChatMessage, GenerationRequest, SamplingParams
from bot.storage.conversation_repository import ConversationRepository
from bot.storage.records import Conversation, Summary, Turn
from bot.storage.summary_repository import SummaryRepository
from bot.storage.turn_repository import TurnRepository

_LOGGER = logging.getLogger(__name__)
_REST_S = 1.0
"""So long nobody must have needed the model: who has more to say says it now."""
_LOOK_S = 0.25
"""How often it is looked whether somebody waits."""
_SAMPLING = SamplingParams(temperature=0.2, top_p=0.9)


class Summariser:
    """One summary at a time, each in a task of its own that begins when the model is idle and gives way to requests.

    What it asks begins like the conversation's own prompt, so that the KV cache has nearly all of it already.
    """

    def __init__(
        self,
        *,
        generator: TextGenerator,
        conversations: ConversationRepository,
        turns: TurnRepository,
        summaries: SummaryRepository,
        personas: Personas,
        fitter: PromptFitter,
        clock: Clock,
        enabled: bool,
    ) -> None:
        self._generator = generator
        self._conversations = conversations
        self._turns = turns
        self._summaries = summaries
        self._personas = personas
        self._fitter = fitter
        self._clock = clock
        self._enabled = enabled
        self._one_at_a_time = asyncio.Lock()
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def after_turn(self, conversation: Conversation, persona: Persona, usage: Usage) -> None:
        """See to a summary in time, once the conversation has nearly filled its window."""
        used = usage.prompt_tokens + usage.completion_tokens
        if not self._enabled or conversation.id in self._tasks or not self._fitter.is_nearly_full(persona, used):
            return
        task = asyncio.create_task(self._run(conversation.id), name=f"summary of conversation {conversation.id}")
        self._tasks[conversation.id] = task
        task.add_done_callback(partial(self._ended, conversation.id))

    async def abandon(self, conversation_ids: Iterable[int]) -> None:
        """Break off what is being written about these conversations; return when it is over."""
        tasks = {self._tasks[each] for each in conversation_ids if each in self._tasks}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Break off everything, and begin nothing any more."""
        self._enabled = False
        await self.abandon([*self._tasks])

    def _ended(self, conversation_id: int, task: asyncio.Task[None]) -> None:
        del self._tasks[conversation_id]
        error = None if task.cancelled() else task.exception()
        if isinstance(error, HearthbotError):
            _LOGGER.warning("conversation %d could not be summed up: %s", conversation_id, error)
        elif error is not None:
            _LOGGER.error("conversation %d could not be summed up", conversation_id, exc_info=error)

    async def _run(self, conversation_id: int) -> None:
        async with self._one_at_a_time:
            while await self._idle() and not await self._written(conversation_id):
                pass

    async def _idle(self) -> bool:
        """Return when nobody needs the model; False where it was unloaded meanwhile: for this it is not woken up."""
        while True:
            await self._clock.sleep(_REST_S)
            status = self._generator.status()
            if not status.loaded:
                return False
            if not status.running and not status.waiting:
                return True

    async def _written(self, conversation_id: int) -> bool:
        """Write and store what is missing; False where somebody needed the model meanwhile."""
        conversation = await self._conversations.still_current(conversation_id)
        if conversation is None:
            return True
        persona = self._personas.get(conversation.persona)
        latest = next(reversed(await self._summaries.of(conversation_id)), None)
        turns = await self._missing(conversation, persona, latest)
        while turns:
            # All at once, but where turns were dropped unsummarised for long.
            taken, messages = await self._portion(conversation, persona, turns, latest)
            text = await self._ask(conversation, persona, messages)
            if text is None:
                return False
            if not text:
                _LOGGER.info("the model had no summary of conversation %d", conversation_id)
                return True
            latest = await self._summaries.put(conversation_id, through_turn=turns[taken - 1].id, text=text)
            turns = turns[taken:]
        return True

    async def _missing(self, conversation: Conversation, persona: Persona, latest: Summary | None) -> list[Turn]:
        """The turns that were dropped without a summary, and those that the next cut will drop.

        None where there is a summary that reaches into what is left: it is ready for the next cut.
        """
        context = await self._turns.context(conversation)
        covered = latest.through_turn if latest else 0
        if context and covered >= context[0].id:
            return []
        drops = await self._fitter.foresee(
            persona, exchanges(context, conversation), recap=recap(latest) if latest else None
        )
        through = context[drops - 1].id if drops else conversation.context_start - 1
        return await self._turns.answered(conversation.id, after=covered, through=through)

    async def _portion(
        self, conversation: Conversation, persona: Persona, turns: Sequence[Turn], latest: Summary | None
    ) -> tuple[int, tuple[ChatMessage, ...]]:
        """As many of the oldest turns as can be summed up at once, and the prompt for that."""
        past = exchanges(turns, conversation)
        before = (recap(latest),) if latest else ()
        limit = self._generator.n_ctx - self._fitter.summary_tokens
        taken = len(past)
        while True:
            exchanged = (message for exchange in (*before, *past[:taken]) for message in exchange)
            messages = (*persona.head, *exchanged, request_for_summary(self._fitter.summary_tokens))
            size = await self._generator.count_prompt_tokens(messages, reasoning="off")
            if size <= limit:
                return taken, messages
            if taken > 1:
                taken = max(1, min(taken - 1, taken * limit // size))
            elif any(each.content for each in past[0]):
                past[0] = _halved(past[0])
            else:
                return taken, messages  # a persona that fills the window by itself: the engine refuses it

    async def _ask(self, conversation: Conversation, persona: Persona, messages: tuple[ChatMessage, ...]) -> str | None:
        """The summary; None where it was given up for somebody who waits."""
        key = conversation.key
        generation = self._generator.submit(
            GenerationRequest(
                messages=messages,
                user=summary_user(key.adapter, owner(key)),
                conversation=f"summary-{conversation.id}",
                sampling=_SAMPLING,
                max_tokens=self._fitter.summary_tokens,
                stop=persona.stop,
                reasoning="off",
            )
        )
        watch = asyncio.create_task(self._give_way(generation), name="summary's watch")
        try:
            done = await generation.result()
        finally:
            watch.cancel()
        if done.finish_reason == "cancelled":
            return None
        return whole_sentences(done.text.strip()) if done.finish_reason == "length" else done.text.strip()

    async def _give_way(self, generation: Generation) -> None:
        """Cancel as soon as somebody else waits."""
        while True:
            status = self._generator.status()
            # It was asked for while the model was idle: as long as nothing runs, it is itself among those who wait.
            if status.waiting > (0 if status.running else 1):
                generation.cancel()
                return
            await self._clock.sleep(_LOOK_S)


def _halved(exchange: Exchange) -> Exchange:
    """The beginning of each message of an exchange that is too long to be read besides a summary."""
    asked, answered = (ChatMessage(role=each.role, content=each.content[: len(each.content) // 2]) for each in exchange)
    return asked, answered
