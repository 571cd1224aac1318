"""What `/v1/responses` is asked."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from adapters.web.v1.fields import ApiModel, NotSupported, SamplingFields, ShortText
from adapters.web.v1.response_format import JsonObjectFormat, TextFormat
from adapters.web.v1.response_items import Item, messages_of
from adapters.web.v1.tool_fields import MOST_TOOLS, Effort, Schema, ToolName
from bot.request import ChatMessage, JsonConstraint, ToolChoice, ToolSpec


class FlatFunctionTool(ApiModel):
    """A function that may be called."""

    type: Literal["function"]
    name: ToolName
    description: str | None = None
    parameters: Schema | None = None
    strict: bool | None = None

    @property
    def spec(self) -> ToolSpec:
        """As the engine is told."""
        return ToolSpec(name=self.name, description=self.description or "", parameters=self.parameters or {})


class FlatToolChoice(ApiModel):
    """The function that must be called."""

    type: Literal["function"]
    name: ToolName


class FlatSchemaFormat(ApiModel):
    """JSON that follows a schema, by construction."""

    type: Literal["json_schema"]
    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    description: str | None = None
    schema_: Schema = Field(alias="schema")
    strict: bool | None = None

    @property
    def constraint(self) -> JsonConstraint | None:
        """The schema."""
        return JsonConstraint(schema=self.schema_)


class TextOptions(ApiModel):
    """What kind of text."""

    format: Annotated[TextFormat | JsonObjectFormat | FlatSchemaFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["medium"] | None = None


class ReasoningOptions(ApiModel):
    """How much thought."""

    effort: Effort | None = None
    summary: Literal["auto"] | None = Field(None, description="thoughts come as they are")
    generate_summary: NotSupported = None


class ResponseStreamOptions(ApiModel):
    """What a stream has besides."""

    include_obfuscation: Literal[False] | None = None


class ResponseRequest(SamplingFields):
    """The next turn of a chat that the client keeps: nothing is stored here."""

    input: str | Annotated[list[Item], Field(min_length=1, max_length=4096)]
    instructions: str | None = None
    max_output_tokens: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    tools: Annotated[list[FlatFunctionTool], Field(max_length=MOST_TOOLS)] | None = None
    tool_choice: ToolChoice | FlatToolChoice | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: ReasoningOptions | None = None
    stream_options: ResponseStreamOptions | None = None
    prompt_cache_key: ShortText | None = Field(None, description="requests with the same one are one conversation")

    # without an effect on the answer
    metadata: Annotated[dict[str, ShortText], Field(max_length=16)] | None = None
    store: Literal[False] | None = None
    include: Annotated[list[ShortText], Field(max_length=0)] | None = None
    truncation: Literal["disabled"] | None = None
    background: Literal[False] | None = None
    service_tier: Literal["auto", "default"] | None = None
    safety_identifier: ShortText | None = None
    top_logprobs: Literal[0] | None = None

    previous_response_id: NotSupported = None
    conversation: NotSupported = None
    prompt: NotSupported = None
    max_tool_calls: NotSupported = None

    @property
    def messages(self) -> list[ChatMessage]:
        """The chat, instructions first."""
        head = [ChatMessage(role="system", content=self.instructions)] if self.instructions else []
        if isinstance(self.input, str):
            return [*head, ChatMessage(role="user", content=self.input)]
        return [*head, *messages_of(self.input)]

    @property
    def constraint(self) -> JsonConstraint | None:
        """What the answer must be."""
        return self.text.format.constraint if self.text and self.text.format else None

    @property
    def forced_tool(self) -> str | None:
        """The only function that may be called."""
        return self.tool_choice.name if isinstance(self.tool_choice, FlatToolChoice) else None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.messages:
            raise ValueError("input has no message")
        names = [each.name for each in self.tools or ()]
        if len(set(names)) < len(names):
            raise ValueError("two of tools have the same name")
        if not names and self.tool_choice not in (None, "none", "auto"):
            raise ValueError("tool_choice needs tools")
        if self.forced_tool is not None and self.forced_tool not in names:
            raise ValueError(f"tool_choice names {self.forced_tool!r}, which is not one of tools")
        if names and self.constraint is not None and self.tool_choice != "none":
            raise ValueError("text.format together with tools is not supported, but with tool_choice: none")
        return self
