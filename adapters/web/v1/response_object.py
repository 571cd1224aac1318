"""What `/v1/responses` answers."""

from typing import Any, Literal

from typing_extensions import TypedDict

Object = dict[str, Any]


class IncompleteDetails(TypedDict):
    """Why it is not complete."""

    reason: Literal["max_output_tokens"]


class InputTokensDetails(TypedDict):
    """Of the input."""

    cached_tokens: int


class ResponseUsage(TypedDict):
    """Tokens of a request."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: dict[str, int]
    total_tokens: int


class ResponseObject(TypedDict):
    """A response: its `output` has reasoning, function calls and a message, in the order they were written."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    error: Object | None
    incomplete_details: IncompleteDetails | None
    instructions: str | None
    max_output_tokens: int | None
    model: str
    output: list[Object]
    parallel_tool_calls: bool
    previous_response_id: None
    reasoning: Object
    store: Literal[False]
    temperature: float | None
    text: Object
    tool_choice: str | Object
    tools: list[Object]
    top_p: float | None
    truncation: Literal["disabled"]
    usage: ResponseUsage | None
    metadata: dict[str, str]
