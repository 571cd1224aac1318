"""Token counts and durations, as OpenAI and llama-server write them."""

from collections.abc import Sequence

from typing_extensions import TypedDict

from bot.messages import ReplyFacts


class PromptTokensDetails(TypedDict):
    """Of the prompt."""

    cached_tokens: int


class UsageObject(TypedDict):
    """Tokens of a request."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails


class TimingsObject(TypedDict):
    """Durations, named as llama-server does, with the wait in the line and the time to the first token added."""

    cache_n: int
    prompt_n: int
    prompt_ms: float
    prompt_per_second: float
    predicted_n: int
    predicted_ms: float
    predicted_per_second: float
    queue_ms: float
    ttft_ms: float


def usage_of(facts: Sequence[ReplyFacts], prompts: Sequence[int] = (0,)) -> UsageObject:
    """The tokens of all choices; a prompt that several share is counted once.

    `prompts` are the indices of the first choice of each prompt.
    """
    asked = [facts[index].usage for index in prompts]
    prompt = sum(each.prompt_tokens for each in asked)
    completion = sum(each.usage.completion_tokens for each in facts)
    return UsageObject(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=sum(each.cached_tokens for each in asked)),
    )


def timings_of(facts: ReplyFacts) -> TimingsObject:
    """The durations of one choice."""
    usage, timings = facts.usage, facts.timings
    return TimingsObject(
        cache_n=usage.cached_tokens,
        prompt_n=usage.prompt_tokens - usage.cached_tokens,
        prompt_ms=round(timings.prefill_ms, 3),
        prompt_per_second=round(facts.prefill_tokens_per_s, 3),
        predicted_n=usage.completion_tokens,
        predicted_ms=round(timings.decode_ms, 3),
        predicted_per_second=round(facts.decode_tokens_per_s, 3),
        queue_ms=round(timings.queue_ms, 3),
        ttft_ms=round(timings.ttft_ms, 3),
    )
