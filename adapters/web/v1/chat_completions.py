"""`/v1/chat/completions`."""

from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.responses import Response

from adapters.web.authentication import Known
from adapters.web.event_stream import STREAM
from adapters.web.principal import Principal
from adapters.web.refusals import GENERATION
from adapters.web.v1.chat_answer import ChatAnswer
from adapters.web.v1.chat_completion import ChatCompletion
from adapters.web.v1.chat_completion_request import ChatCompletionRequest
from adapters.web.v1.writing import Writing
from adapters.web.web_context import Context, WebContext
from bot.request import GenerationRequest
from bot.settings import ReasoningMode

router = APIRouter(prefix="/v1", tags=["chat"])
THOUGHT_SHARE = {"minimal": 1 / 8, "low": 1 / 4, "medium": 1 / 2, "high": 3 / 4, "xhigh": 7 / 8}
"""Of the longest answer, by `reasoning_effort`."""


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
    longest = context.admission.longest(
        principal,
        body.longest,
        settings.max_tokens,
        "max_completion_tokens" if body.max_completion_tokens is not None else "max_tokens",
    )
    user = context.user(principal)
    reasoning, budget = _thoughts(body, context, longest)
    tools = () if body.tool_choice == "none" else tuple(each.function.spec for each in body.tools or ())
    forced = body.forced_tool
    return [
        GenerationRequest(
            messages=tuple(each.message for each in body.messages),
            user=user,
            conversation=_conversation(body, user),
            sampling=body.sampling(settings, choice=choice),
            max_tokens=longest,
            stop=body.stops(settings),
            reasoning=reasoning,
            reasoning_budget=budget,
            constraint=body.response_format.constraint if body.response_format else None,
            tools=tools,
            tool_choice="required" if forced or body.tool_choice == "required" else "auto",
            forced_tool=forced,
            parallel_tool_calls=body.parallel_tool_calls is not False,
            logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        )
        for choice in range(body.choices)
    ]


def _thoughts(body: ChatCompletionRequest, context: WebContext, longest: int) -> tuple[ReasoningMode, int | None]:
    """Thoughts are sent apart, so the client need not be spared them; only who wants none gets none."""
    settings = context.core.generation
    if body.reasoning_effort is None:
        budget = settings.reasoning_budget
        fits = budget if budget is not None and budget < longest else None
        return ("off" if settings.reasoning == "off" else "show"), fits
    if body.reasoning_effort == "none":
        return "off", None
    return "show", max(1, int(longest * THOUGHT_SHARE[body.reasoning_effort]))


def _conversation(body: ChatCompletionRequest, user: str) -> str | None:
    """Under which name the evaluated prompt is kept.

    A chat that goes on is known by its beginning. Requests that stand alone have none: they would push the
    conversations of others out of the store. Several choices cannot be one conversation.
    """
    if body.choices > 1:
        return None
    if body.prompt_cache_key:
        return f"api {user} {body.prompt_cache_key}"
    if not any(each.role == "assistant" for each in body.messages):
        return None
    first = next((index for index, each in enumerate(body.messages) if each.role == "user"), 0)
    beginning = repr([each.message for each in body.messages[: first + 1]])
    return f"api {user} {sha256(beginning.encode('utf-8', 'backslashreplace')).hexdigest()[:32]}"
