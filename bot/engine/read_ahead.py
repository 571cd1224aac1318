"""Reads what is certain to come, before anybody waits for it."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from bot.generation import Generation
from bot.request import ChatMessage, GenerationDone, GenerationRequest


class ReadAhead:
    """Reads, once nobody is being answered any more, how the next prompts of the latest conversations begin.

    That is the end of the reply and the frame of the message after it, and with a template that drops thoughts from the
    history the whole reply: the person who answers waits for their own words only. Belongs to the event loop.
    """

    def __init__(self, submit: Callable[[GenerationRequest], Generation]) -> None:
        self._submit = submit
        self._next: OrderedDict[str, GenerationRequest | None] = OrderedDict()
        """By conversation, the latest last; None where nothing is certain."""
        self._reading: list[Generation] = []

    def read_personas(self, personas: Iterable[Sequence[ChatMessage]]) -> None:
        """Read what every conversation with each of these begins with."""
        for persona in personas:
            name = f"persona {hashlib.sha256(repr(tuple(persona)).encode()).hexdigest()}"
            self._submit(GenerationRequest(messages=tuple(persona), user="", conversation=name, beginning_only=True))

    def replied(self, request: GenerationRequest, done: GenerationDone, *, sequences: int) -> None:
        """A request has been answered; `sequences` is how many of the latest conversations to read for."""
        name = request.conversation or f"request {id(request)}"
        self._next.pop(name, None)
        self._next[name] = _following(request, done)
        while len(self._next) > sequences:
            self._next.popitem(last=False)

    def begin(self) -> None:
        """Read, the latest conversation first."""
        requests = [request for request in reversed(self._next.values()) if request is not None]
        self._next.clear()
        self._reading = [self._submit(request) for request in requests]

    def give_way(self) -> None:
        """Somebody needs the model now; what has been read until here is good."""
        for generation in self._reading:
            if not generation.ended:
                generation.cancel()
        self._reading.clear()

    def forget(self, users: Iterable[str] | None = None) -> None:
        """Read nothing any more of these users' conversations; None is of anybody's."""
        self.give_way()
        dropped = None if users is None else set(users)
        for name, request in list(self._next.items()):
            if dropped is None or request is None or request.user in dropped:
                del self._next[name]


def _following(request: GenerationRequest, done: GenerationDone) -> GenerationRequest | None:
    """What to read behind a reply; None where the next prompt may be anything."""
    whole = done.finish_reason in ("stop", "length") and not done.tool_calls
    if request.conversation is None or request.prompt is not None or request.continue_final or not whole:
        return None
    return GenerationRequest(
        messages=(*request.messages, ChatMessage(role="assistant", content=done.text)),
        user=request.user,
        conversation=request.conversation,
        reasoning=request.reasoning,
        tools=request.tools,
        tool_choice=request.tool_choice,
        beginning_only=True,
    )
