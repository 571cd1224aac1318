"""`/v1/chat/completions`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from adapters.web.authentication import Known
from adapters.web.event_stream import STREAM
from adapters.web.principal import Principal
from adapters.web.refusals import GENERATION
from adapters.web.v1.chat_answer import ChatAnswer
from adapters.web.v1.chat_ask import ChatAsk
from adapters.web.v1.chat_completion import ChatCompletion
from adapters.web.v1.chat_completion_request import ChatCompletionRequest
from adapters.web.v1.writing import Writing
from adapters.web.web_context import Context, WebContext
from bot.request import GenerationRequest

router = APIRouter(prefix="/v1", tags=["chat"])


@router.post("/chat/completions", response_model=ChatCompletion, responses={**STREAM, **GENERATION})
async def create_chat_completion(
    body: ChatCompletionRequest, request: Request, context: Context, principal: Known
) -> Response:
    """Write the next message of a chat. With `stream`, server-sent events of `chat.completion.chunk` objects."""
    answer = ChatAnswer(
        model=context.model_names.check(body.model),
        wants_logprobs=bool(body.logprobs),
        wants_usage=body.wants_usage,
    )
    writing = Writing(context=context, principal=principal, requests=_requests(body, context, principal), answer=answer)
    return writing.stream(usage=body.wants_usage) if body.stream else await writing.whole(request)


def _requests(body: ChatCompletionRequest, context: WebContext, principal: Principal) -> list[GenerationRequest]:
    settings = context.core.generation
    param = "max_completion_tokens" if body.max_completion_tokens is not None else "max_tokens"
    ask = ChatAsk(
        messages=tuple(each.message for each in body.messages),
        longest=context.admission.longest(principal, body.longest, settings.max_tokens, param),
        stop=body.stops(settings),
        constraint=body.response_format.constraint if body.response_format else None,
        tools=[each.function.spec for each in body.tools or ()],
        tool_choice=body.tool_choice if isinstance(body.tool_choice, str) else "auto",
        forced_tool=body.forced_tool,
        parallel_tool_calls=body.parallel_tool_calls is not False,
        effort=body.reasoning_effort,
        cache_key=body.prompt_cache_key,
        logprobs=(body.top_logprobs or 0) if body.logprobs else None,
    )
    return ask.requests(context, principal, [body.sampling_of(each, settings) for each in range(body.choices)])
