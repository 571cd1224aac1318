"""What `/v1/chat/completions` is asked."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from adapters.web.v1.fields import GenerationFields, NotSupported, ShortText
from adapters.web.v1.message_fields import AssistantMessage, Message, ToolMessage
from adapters.web.v1.response_format import ResponseFormat
from adapters.web.v1.tool_fields import Effort, NamedToolChoice, ToolChoiceField, Tools

MetadataKey = Annotated[str, StringConstraints(max_length=64)]


class ChatCompletionRequest(GenerationFields):
    """The next message of a chat."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=4096)]
    max_completion_tokens: Annotated[int, Field(ge=1, lt=2**31)] | None = Field(
        None, description="longest answer, thoughts included; `generation.max_tokens` when left out"
    )
    max_tokens: Annotated[int, Field(ge=1, lt=2**31)] | None = Field(None, description="older name of the same")
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: Tools | None = None
    tool_choice: ToolChoiceField | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Effort | None = Field(None, description="how much of the answer's length thoughts may take")

    # without an effect on the answer
    metadata: Annotated[dict[MetadataKey, ShortText], Field(max_length=16)] | None = None
    store: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    safety_identifier: ShortText | None = None
    prompt_cache_key: ShortText | None = Field(None, description="requests with the same one are one conversation")
    modalities: Annotated[list[Literal["text"]], Field(max_length=1)] | None = None
    verbosity: Literal["medium"] | None = None

    audio: NotSupported = None
    prediction: NotSupported = None
    web_search_options: NotSupported = None
    functions: NotSupported = None
    function_call: NotSupported = None

    @property
    def longest(self) -> int | None:
        """Tokens, under either name."""
        return self.max_completion_tokens if self.max_completion_tokens is not None else self.max_tokens

    @property
    def forced_tool(self) -> str | None:
        """The only function that may be called."""
        return self.tool_choice.function.name if isinstance(self.tool_choice, NamedToolChoice) else None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if None not in (self.max_tokens, self.max_completion_tokens) and self.max_tokens != self.max_completion_tokens:
            raise ValueError("max_tokens and max_completion_tokens differ; send one of them")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options needs stream: true")
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("top_logprobs needs logprobs: true")
        self._check_tools()
        self._check_calls()
        return self

    def _check_tools(self) -> None:
        names = [each.function.name for each in self.tools or ()]
        if len(set(names)) < len(names):
            raise ValueError("two of tools have the same name")
        if not names and self.tool_choice not in (None, "none", "auto"):
            raise ValueError("tool_choice needs tools")
        if self.forced_tool is not None and self.forced_tool not in names:
            raise ValueError(f"tool_choice names {self.forced_tool!r}, which is not one of tools")
        constrained = self.response_format is not None and self.response_format.constraint is not None
        if names and constrained and self.tool_choice != "none":
            raise ValueError("response_format together with tools is not supported, but with tool_choice: none")

    def _check_calls(self) -> None:
        known: set[str] = set()
        for index, each in enumerate(self.messages):
            if isinstance(each, AssistantMessage):
                known |= {call.id for call in each.tool_calls or ()}
            if isinstance(each, ToolMessage) and each.tool_call_id not in known:
                raise ValueError(f"messages.{index}.tool_call_id answers no call that an assistant message made")
