"""`/v1/completions`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from adapters.web.authentication import Known
from adapters.web.event_stream import STREAM
from adapters.web.principal import Principal
from adapters.web.refusals import GENERATION
from adapters.web.v1.completion import Completion
from adapters.web.v1.completion_answer import CompletionAnswer
from adapters.web.v1.completion_request import DEFAULT_MAX_TOKENS, CompletionRequest
from adapters.web.v1.writing import Writing
from adapters.web.web_context import Context, WebContext
from bot.request import GenerationRequest

router = APIRouter(prefix="/v1", tags=["completions"])


@router.post("/completions", response_model=Completion, responses={**STREAM, **GENERATION})
async def create_completion(body: CompletionRequest, request: Request, context: Context, principal: Known) -> Response:
    """Write on where a text ends. With `stream`, server-sent events of the same objects."""
    answer = CompletionAnswer(body, model=context.model_names.check(body.model))
    writing = Writing(context=context, principal=principal, requests=_requests(body, context, principal), answer=answer)
    return writing.stream(usage=body.wants_usage) if body.stream else await writing.whole(request)


def _requests(body: CompletionRequest, context: WebContext, principal: Principal) -> list[GenerationRequest]:
    settings = context.core.generation
    longest = context.admission.longest(principal, body.max_tokens, DEFAULT_MAX_TOKENS, "max_tokens")
    return [
        GenerationRequest(
            messages=(),
            prompt=prompt,
            user=context.user(principal),
            sampling=body.sampling_of(choice, settings),
            max_tokens=longest,
            stop=body.stops(settings),
            reasoning="show",
            logprobs=body.logprobs,
        )
        for prompt in body.prompts
        for choice in range(body.choices)
    ]
