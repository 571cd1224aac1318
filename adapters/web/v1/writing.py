"""Has the model write, and sends what it writes, whole or as a stream."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Protocol

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from adapters.web.attended import attended
from adapters.web.event_stream import DONE, WAITING, EventStream, event
from adapters.web.principal import Principal
from adapters.web.v1.choices import Choices, Outcome
from adapters.web.web_context import WebContext
from bot.request import GenerationDone, GenerationEvent, GenerationLoading, GenerationRequest, GenerationWaiting


class Answer(Protocol):
    """How one kind of answer is put in words."""

    def whole(self, outcomes: Sequence[Outcome]) -> Mapping[str, Any]:
        """The finished answer."""
        ...

    def piece(self, index: int, event: GenerationEvent, /) -> Mapping[str, Any] | None:
        """A piece of a stream; None for an event that has nothing for the client."""
        ...

    def usage_piece(self, done: Sequence[GenerationDone]) -> Mapping[str, Any]:
        """The last piece of a stream, where the client wants the usage."""
        ...


class Writing:
    """The generations of one request, each of which is a choice of the answer."""

    def __init__(
        self, *, context: WebContext, principal: Principal, requests: Sequence[GenerationRequest], answer: Answer
    ) -> None:
        self._context = context
        self._principal = principal
        self._requests = requests
        self._answer = answer

    async def whole(self, request: Request) -> Response:
        """Answer when all is written. Raises `ApiError`."""
        return JSONResponse(await attended(request, self._finished()))

    def stream(self, *, usage: bool) -> Response:
        """Answer while it is written."""
        return EventStream(self._pieces(usage=usage))

    async def _finished(self) -> Mapping[str, Any]:
        context = self._context
        with context.admission.admit(self._principal), Choices.submitted(context.core.model, self._requests) as choices:
            return self._answer.whole(await choices.outcomes())

    async def _pieces(self, *, usage: bool) -> AsyncGenerator[bytes, None]:
        done: dict[int, GenerationDone] = {}
        context = self._context
        with context.admission.admit(self._principal), Choices.submitted(context.core.model, self._requests) as choices:
            async with aclosing(choices.events()) as events:
                async for index, each in events:
                    if isinstance(each, GenerationDone):
                        done[index] = each
                    if isinstance(each, GenerationWaiting | GenerationLoading):
                        yield WAITING
                    if (piece := self._answer.piece(index, each)) is not None:
                        yield event(piece)
        if usage:
            yield event(self._answer.usage_piece([done[index] for index in sorted(done)]))
        yield DONE
