"""The messages of a chat completion."""

from typing import Annotated, Any, Literal

from pydantic import Field

from adapters.web.v1.fields import ApiModel, NotSupported, ShortText
from adapters.web.v1.tool_fields import AssistantToolCall, CallId
from bot.request import ChatMessage


class TextPart(ApiModel):
    """A piece of text."""

    type: Literal["text"]
    text: str


class RefusalPart(ApiModel):
    """What an assistant refused with."""

    type: Literal["refusal"]
    refusal: str


Text = str | list[TextPart]


def joined(content: "str | list[TextPart] | list[TextPart | RefusalPart] | None") -> str:
    """The text of a message."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text if isinstance(part, TextPart) else part.refusal for part in content)


class SystemMessage(ApiModel):
    """What the model is told first."""

    role: Literal["system", "developer"]
    content: Text
    name: ShortText | None = None

    @property
    def message(self) -> ChatMessage:
        """As the engine is told."""
        return ChatMessage(role="system", content=joined(self.content))


class UserMessage(ApiModel):
    """What a person says."""

    role: Literal["user"]
    content: Text
    name: ShortText | None = None

    @property
    def message(self) -> ChatMessage:
        """As the engine is told."""
        return ChatMessage(role="user", content=joined(self.content))


class AssistantMessage(ApiModel):
    """What was answered before. May be an answer of this API, sent back as it came."""

    role: Literal["assistant"]
    content: str | list[TextPart | RefusalPart] | None = None
    tool_calls: Annotated[list[AssistantToolCall], Field(max_length=128)] | None = None
    name: ShortText | None = None
    refusal: str | None = None
    reasoning_content: str | None = Field(None, description="earlier thoughts; models are not shown them again")
    annotations: Annotated[list[Any], Field(max_length=0)] | None = None
    audio: NotSupported = None
    function_call: NotSupported = None

    @property
    def message(self) -> ChatMessage:
        """As the engine is told."""
        return ChatMessage(
            role="assistant",
            content=joined(self.content) or self.refusal or "",
            tool_calls=tuple(each.call for each in self.tool_calls or ()),
        )


class ToolMessage(ApiModel):
    """What a function returned."""

    role: Literal["tool"]
    content: Text
    tool_call_id: CallId
    name: ShortText | None = None

    @property
    def message(self) -> ChatMessage:
        """As the engine is told."""
        return ChatMessage(role="tool", content=joined(self.content), tool_call_id=self.tool_call_id)


Message = Annotated[SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]
