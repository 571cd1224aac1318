"""Has replies written, and stores every message before and every reply after."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import MappingProxyType

from bot.chat.access import identity_of
from bot.chat.conversation_context import ConversationContext, Cut, Shown
from bot.chat.conversation_finder import ConversationFinder
from bot.chat.failure import report
from bot.chat.generator import TextGenerator, engine_user, owner
from bot.chat.notice import ChatEvent, Notice
from bot.chat.personas import Persona, Personas
from bot.chat.prompt import PromptFitter
from bot.chat.quotas import Quotas
from bot.chat.summariser import Summariser
from bot.chat.ticket import Ticket
from bot.errors import EngineLostError, RequestError, StorageError
from bot.messages import IncomingMessage, ReplyDelta, ReplyDone, ReplyWaiting
from bot.metering import Meter
from bot.request import (
    GenerationDelta,
    GenerationDone,
    GenerationEvent,
    GenerationFailed,
    GenerationLoading,
    GenerationRequest,
    GenerationToolCall,
    GenerationWaiting,
)
from bot.storage.records import Conversation, Turn
from bot.storage.turn_repository import TurnRepository

_LOGGER = logging.getLogger(__name__)
_CUT: Mapping[Cut, str] = MappingProxyType(
    {
        "dropped": "(This conversation has grown longer than I can keep in mind. I have set its oldest part aside.)",
        "summarised": (
            "(This conversation has grown longer than I can keep in mind word for word. "
            "Of its oldest part I keep a summary.)"
        ),
    }
)
_LOADING = "(I have been asleep and need a moment to wake up.)"
_RESTARTING = (
    "(I am being restarted and had to stop. In a minute, send /continue to have this reply finished, "
    "or /retry to have it written again.)"
)
_STOPPED = "(Stopped before the first word.)"
_NOTHING_SAID = "(I have nothing to say to this.)"
_NOTHING_ADDED = "(I have nothing to add.)"


class TurnWriter:
    """One turn of a conversation: its message is stored, answered, and the reply stored with its outcome.

    A turn is part of the context once there is a reply, be it one that was stopped half way, and never before: a turn
    that failed leaves no half exchange. The iterators are to be run to their end.
    """

    def __init__(
        self,
        *,
        generator: TextGenerator,
        turns: TurnRepository,
        personas: Personas,
        finder: ConversationFinder,
        fitter: PromptFitter,
        context: ConversationContext,
        summariser: Summariser,
        quotas: Quotas,
    ) -> None:
        self._generator = generator
        self._turns = turns
        self._personas = personas
        self._finder = finder
        self._fitter = fitter
        self._context = context
        self._summariser = summariser
        self._quotas = quotas

    async def find(self, message: IncomingMessage) -> tuple[Conversation, Turn] | None:
        """The turn of a message that was stored before, in the current conversation."""
        conversation, _ = await self._finder.find(message.key)
        turn = await self._turns.by_message(conversation.id, message.message_id)
        return None if turn is None else (conversation, turn)

    async def answer(self, ticket: Ticket) -> AsyncIterator[ChatEvent]:
        """Answer the ticket's message as a new turn."""
        self._fitter.check_size(ticket.message.text)
        async with self._metered(ticket) as meter:
            turn, conversation = await self._begin(ticket)
            async for event in self._write(ticket, conversation, turn, meter):
                yield event

    async def answer_again(
        self, ticket: Ticket, conversation: Conversation, turn: Turn, *, text: str | None = None
    ) -> AsyncIterator[ChatEvent]:
        """Answer the last turn anew; its reply stands until there is another.

        `text` is a new version of the message of any turn: what followed it is discarded.
        """
        if text is not None:
            self._fitter.check_size(text)
        async with self._metered(ticket) as meter:
            conversation = await self._context.rewrite(conversation, turn, discards=text is not None)
            if text is not None:
                await self._turns.discard_from(conversation.id, turn.id + 1)
            turn = await self._turns.restart(turn.id, text=text, persona=self._persona(conversation).key)
            async for event in self._write(ticket, conversation, turn, meter):
                yield event

    async def go_on(
        self, ticket: Ticket, conversation: Conversation, turn: Turn, reply: str
    ) -> AsyncIterator[ChatEvent]:
        """Write on at the end of the turn's `reply`; both become its reply as one text."""
        async with self._metered(ticket) as meter:
            conversation = await self._context.rewrite(conversation, turn, discards=False)
            turn = await self._turns.restart(turn.id, persona=self._persona(conversation).key)
            async for event in self._write(ticket, conversation, turn, meter, begun=reply):
                yield event

    async def take_back(self, conversation: Conversation, turn: Turn) -> None:
        """Discard a turn and what followed it."""
        await self._context.rewrite(conversation, turn, discards=True)
        await self._turns.discard_from(conversation.id, turn.id)

    async def set_aside(self, ticket: Ticket) -> None:
        """Store a message that will not be answered, because the daemon stops, for `/retry` to find."""
        self._fitter.check_size(ticket.message.text)
        turn, _ = await self._begin(ticket)
        await self._turns.fail(turn.id, error_code="restarting")

    def _persona(self, conversation: Conversation) -> Persona:
        return self._personas.get(conversation.persona)

    async def _begin(self, ticket: Ticket) -> tuple[Turn, Conversation]:
        message = ticket.message
        conversation, persona = await self._finder.find(message.key)
        turn = await self._turns.begin(
            conversation.id,
            message_id=message.message_id,
            user=message.user,
            sender_name=message.sender_name,
            text=message.text,
            persona=persona.key,
            answer=ticket.answer_id,
        )
        return turn, conversation

    def _metered(self, ticket: Ticket) -> AbstractAsyncContextManager[Meter]:
        """Raises `QuotaExceededError` on entering, before anything is changed."""
        return self._quotas.metered(identity_of(ticket.message), admin=ticket.admin)

    async def _write(
        self, ticket: Ticket, conversation: Conversation, turn: Turn, meter: Meter, *, begun: str = ""
    ) -> AsyncIterator[ChatEvent]:
        ticket.about = (turn.message_id, turn.text)
        try:
            persona = self._persona(conversation)
            shown = await self._context.prompt(conversation, persona, turn, begun)
            if shown.cut is not None:
                yield Notice(text=_CUT[shown.cut])
            generation = self._generator.submit(self._request(conversation, persona, shown, continues=bool(begun)))
            with ticket.writing(generation):
                async for event in generation:
                    if isinstance(event, GenerationDone) and event.finish_reason == "cancelled" and ticket.restarting:
                        yield Notice(text=_RESTARTING)
                    yield await self._shown(ticket, turn, event, begun)
                    if isinstance(event, GenerationDone):
                        meter.add(event.facts.usage)
                        self._summariser.after_turn(conversation, persona, event.facts.usage)
        except (RequestError, EngineLostError) as error:
            await self._fail(turn, error.code)
            yield report(error)
        except Exception as error:
            await self._fail(turn, "storage_failed" if isinstance(error, StorageError) else "internal_error")
            raise

    @staticmethod
    def _request(conversation: Conversation, persona: Persona, shown: Shown, *, continues: bool) -> GenerationRequest:
        max_tokens = shown.prompt.max_tokens
        return GenerationRequest(
            messages=shown.prompt.messages,
            user=engine_user(conversation.key.adapter, owner(conversation.key)),
            conversation=f"conversation-{conversation.id}",
            sampling=persona.sampling,
            max_tokens=max_tokens,
            stop=persona.stop,
            reasoning=persona.reasoning,
            reasoning_budget=_thought(persona, max_tokens),
            may_shift=shown.may_shift,
            continue_final=continues,
        )

    async def _shown(self, ticket: Ticket, turn: Turn, event: GenerationEvent, begun: str) -> ChatEvent:
        """What the chat is told of an event. The outcome is stored first, so that nobody is shown what may get lost."""
        match event:
            case GenerationLoading():
                return Notice(text=_LOADING)
            case GenerationWaiting():
                return ReplyWaiting(position=event.position, wait_s=event.wait_s)
            case GenerationDelta():
                return ReplyDelta(text=event.text, reasoning=event.reasoning)
            case GenerationToolCall():
                raise RuntimeError("the chat offers no tools")
            case GenerationDone():
                return await self._finish(ticket, turn, event, begun)
            case GenerationFailed():
                await self._fail(turn, event.error.code)
                return replace(report(event.error), partial=event.text)

    async def _finish(self, ticket: Ticket, turn: Turn, done: GenerationDone, begun: str) -> ReplyDone:
        if done.text.strip():
            stored = await self._turns.finish(
                turn.id,
                reply=begun + done.text,
                reasoning=turn.reasoning + done.reasoning if begun else done.reasoning,
                facts=done.facts,
                answer=ticket.answer_id,
                shown=done.text.strip(),
            )
            if ticket.ledger is not None:
                ticket.ledger.finished = stored
            return ReplyDone(text=done.text.strip(), facts=done.facts)
        stopped = done.finish_reason == "cancelled"
        await self._turns.fail(turn.id, error_code="cancelled" if stopped else "empty_reply")
        said = _STOPPED if stopped else _NOTHING_ADDED if begun else _NOTHING_SAID
        return ReplyDone(text=said, facts=done.facts)

    async def _fail(self, turn: Turn, code: str) -> None:
        """Note the failure. Where that fails too, the turn is found pending, and settled, at the next start."""
        try:
            await self._turns.fail(turn.id, error_code=code)
        except StorageError:
            _LOGGER.exception("turn %d is left pending", turn.id)


def _thought(persona: Persona, max_tokens: int) -> int | None:
    """The budget for thoughts; where the reply was given less room than it, the usual half."""
    budget = persona.reasoning_budget
    return budget if budget is not None and budget < max_tokens else None
