"""What `/v1/completions` answers, whole or as a piece of a stream: both have the same shape."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from adapters.web.v1.usage import TimingsObject, UsageObject


class CompletionLogprobs(TypedDict):
    """The tokens of a continuation, as parallel lists."""

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]]
    text_offset: list[int]


class CompletionChoice(TypedDict):
    """One of the continuations."""

    index: int
    text: str
    logprobs: CompletionLogprobs | None
    finish_reason: Literal["stop", "length"] | None


class Completion(TypedDict):
    """All of them, or what is new."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    system_fingerprint: str
    choices: list[CompletionChoice]
    usage: NotRequired[UsageObject | None]
    timings: NotRequired[TimingsObject]
