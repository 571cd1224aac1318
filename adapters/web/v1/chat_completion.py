"""What `/v1/chat/completions` answers."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from adapters.web.v1.usage import TimingsObject, UsageObject

FinishReasonName = Literal["stop", "length", "tool_calls"]


class FunctionObject(TypedDict):
    """Name and arguments of a call."""

    name: str
    arguments: str


class ToolCallObject(TypedDict):
    """A call the model wants made."""

    index: NotRequired[int]
    id: str
    type: Literal["function"]
    function: FunctionObject


class TopLogprobObject(TypedDict):
    """A token that might have been."""

    token: str
    logprob: float
    bytes: list[int]


class LogprobObject(TopLogprobObject):
    """A token that was chosen."""

    top_logprobs: list[TopLogprobObject]


class LogprobsObject(TypedDict):
    """The tokens of an answer."""

    content: list[LogprobObject]
    refusal: None


class MessageObject(TypedDict):
    """The answer."""

    role: Literal["assistant"]
    content: str | None
    refusal: None
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ToolCallObject]]


class ChoiceObject(TypedDict):
    """One of the answers."""

    index: int
    message: MessageObject
    logprobs: LogprobsObject | None
    finish_reason: FinishReasonName


class ChatCompletion(TypedDict):
    """All of them."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChoiceObject]
    usage: UsageObject
    timings: TimingsObject


class DeltaObject(TypedDict, total=False):
    """What is new."""

    role: Literal["assistant"]
    content: str | None
    reasoning_content: str
    tool_calls: list[ToolCallObject]


class ChunkChoiceObject(TypedDict):
    """What is new of one of the answers."""

    index: int
    delta: DeltaObject
    logprobs: LogprobsObject | None
    finish_reason: FinishReasonName | None


class ChatCompletionChunk(TypedDict):
    """A piece of a stream."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChunkChoiceObject]
    usage: NotRequired[UsageObject | None]
    timings: NotRequired[TimingsObject]
