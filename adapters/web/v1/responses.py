"""`/v1/responses`."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from adapters.web.attended import attended
from adapters.web.authentication import Known
from adapters.web.event_stream import STREAM, EventStream
from adapters.web.principal import Principal
from adapters.web.refusals import GENERATION
from adapters.web.v1.chat_ask import ChatAsk
from adapters.web.v1.response_answer import ResponseAnswer
from adapters.web.v1.response_object import ResponseObject
from adapters.web.v1.response_request import ResponseRequest
from adapters.web.v1.writing import writing
from adapters.web.web_context import Context, WebContext
from bot.request import GenerationDone, GenerationRequest

router = APIRouter(prefix="/v1", tags=["responses"])


@router.post("/responses", response_model=ResponseObject, responses={**STREAM, **GENERATION})
async def create_response(body: ResponseRequest, request: Request, context: Context, principal: Known) -> Response:
    """Write the next turn of a chat. Nothing is stored: send the whole chat each time."""
    answer = ResponseAnswer(body, model=context.model_names.check(body.model))
    requests = _requests(body, context, principal)
    if body.stream:
        return EventStream(_events(context, principal, requests, answer), failed=answer.failed)
    return JSONResponse(await attended(request, _whole(context, principal, requests, answer)))


async def _whole(
    context: WebContext, principal: Principal, requests: Sequence[GenerationRequest], answer: ResponseAnswer
) -> ResponseObject:
    async with writing(context, principal, requests) as (choices, meter):
        (outcome,) = await choices.outcomes()
        meter.add(outcome.facts.usage)
        return answer.whole(outcome.done)


async def _events(
    context: WebContext, principal: Principal, requests: Sequence[GenerationRequest], answer: ResponseAnswer
) -> AsyncGenerator[bytes, None]:
    async with writing(context, principal, requests) as (choices, meter):
        begun = False
        async with aclosing(choices.events()) as events:
            async for _, each in events:
                if not begun:  # only now it is sure that the line was not full
                    begun = True
                    for chunk in answer.begin():
                        yield chunk
                if isinstance(each, GenerationDone):
                    meter.add(each.facts.usage)
                for chunk in answer.events(each):
                    yield chunk


def _requests(body: ResponseRequest, context: WebContext, principal: Principal) -> list[GenerationRequest]:
    settings = context.core.generation
    ask = ChatAsk(
        messages=tuple(body.messages),
        longest=context.admission.longest(principal, body.max_output_tokens, settings.max_tokens, "max_output_tokens"),
        stop=settings.stop,
        constraint=body.constraint,
        tools=[each.spec for each in body.tools or ()],
        tool_choice=body.tool_choice if isinstance(body.tool_choice, str) else "auto",
        forced_tool=body.forced_tool,
        parallel_tool_calls=body.parallel_tool_calls is not False,
        effort=body.reasoning.effort if body.reasoning else None,
        cache_key=body.prompt_cache_key,
    )
    return ask.requests(context, principal, [body.sampling(settings)])
