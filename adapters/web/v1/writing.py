"""Has the model write, and sends what it writes, whole or as a stream."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any, Protocol

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from adapters.web.attended import attended
from adapters.web.event_stream import DONE, WAITING, EventStream, event
from adapters.web.principal import Principal
from adapters.web.v1.choices import Choices, Outcome
from adapters.web.v1.failure import failure, not_stored
from adapters.web.web_context import WebContext
from bot.errors import RequestError, StorageError
from bot.metering import Meter
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
        async with writing(self._context, self._principal, self._requests) as (choices, meter):
            outcomes = await choices.outcomes()
            for outcome in outcomes:
                meter.add(outcome.facts.usage)
            return self._answer.whole(outcomes)

    async def _pieces(self, *, usage: bool) -> AsyncGenerator[bytes, None]:
        done: dict[int, GenerationDone] = {}
        async with (
            writing(self._context, self._principal, self._requests) as (choices, meter),
            aclosing(choices.events()) as events,
        ):
            async for index, each in events:
                if isinstance(each, GenerationDone):
                    done[index] = each
                    meter.add(each.facts.usage)
                if isinstance(each, GenerationWaiting | GenerationLoading):
                    yield WAITING
                if (piece := self._answer.piece(index, each)) is not None:
                    yield event(piece)
        if usage:
            yield event(self._answer.usage_piece([done[index] for index in sorted(done)]))
        yield DONE


@asynccontextmanager
async def writing(
    context: WebContext, principal: Principal, requests: Sequence[GenerationRequest]
) -> AsyncIterator[tuple[Choices, Meter]]:
    """What is being written, counted for whoever asked. Raises `ApiError`."""
    core = context.core
    async with AsyncExitStack() as stack:
        stack.enter_context(context.admission.admit(principal))
        try:
            meter = await stack.enter_async_context(core.metered(context.name, principal.name, admin=principal.admin))
        except RequestError as error:
            raise failure(error) from error
        except StorageError as error:
            raise not_stored(error) from error
        # Nothing is waited for in between: what the daemon's end finds is stopped, and what comes later is refused.
        choices = stack.enter_context(Choices.submitted(core.model, requests))
        meter.watch(choices.cancel)
        yield choices, meter
