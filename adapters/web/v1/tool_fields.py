"""Functions that the model may call, as chat completions write them."""

import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from adapters.web.v1.fields import ApiModel, ShortText, readable
from bot.request import ToolCall, ToolChoice, ToolSpec

MOST_TOOLS = 128
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
"""How much of an answer's length thoughts may take."""
ToolName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")]


Schema = dict[str, Any]
"""A JSON Schema."""


def arguments_text(text: str) -> str:
    """Refuse arguments that are no JSON object: a template would fail on them, or show them as something else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError("must be the JSON text of an object")  # noqa: TRY004 - pydantic takes ValueError
    readable(value)
    return text


class FunctionDefinition(ApiModel):
    """What a function is for."""

    name: ToolName
    description: str | None = None
    parameters: Schema | None = Field(None, description="JSON Schema of the arguments, an object")
    strict: bool | None = Field(None, description="the arguments always follow the schema where a call is required")

    @property
    def spec(self) -> ToolSpec:
        """As the engine is told."""
        return ToolSpec(name=self.name, description=self.description or "", parameters=self.parameters or {})


class FunctionTool(ApiModel):
    """A function that may be called."""

    type: Literal["function"]
    function: FunctionDefinition


class NamedFunction(ApiModel):
    """The name of one."""

    name: ToolName


class NamedToolChoice(ApiModel):
    """The function that must be called."""

    type: Literal["function"]
    function: NamedFunction


class CalledFunction(ApiModel):
    """Name and arguments of a call."""

    name: ToolName
    arguments: Annotated[str, AfterValidator(arguments_text)] = Field(description="JSON text of an object")


class AssistantToolCall(ApiModel):
    """A call that the assistant made before."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    type: Literal["function"] = "function"
    function: CalledFunction
    index: int | None = None

    @property
    def call(self) -> ToolCall:
        """As the engine is told."""
        return ToolCall(id=self.id, name=self.function.name, arguments=self.function.arguments)


Tools = Annotated[list[FunctionTool], Field(max_length=MOST_TOOLS)]
ToolChoiceField = ToolChoice | NamedToolChoice
CallId = ShortText
