"""What a request of `/v1/responses` may have as input."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from adapters.web.v1.fields import ApiModel, ShortText
from adapters.web.v1.tool_fields import ToolName, arguments_text
from bot.request import ChatMessage, ToolCall

Status = Literal["in_progress", "completed", "incomplete"]


class InputText(ApiModel):
    """A piece of text, of a person or of an answer that is sent back."""

    type: Literal["input_text", "output_text", "text"]
    text: str
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None


class RefusalText(ApiModel):
    """What an assistant refused with."""

    type: Literal["refusal"]
    refusal: str


class MessageItem(ApiModel):
    """A message."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[InputText | RefusalText]
    id: ShortText | None = None
    status: Status | None = None
    phase: ShortText | None = None

    @property
    def message(self) -> ChatMessage:
        """As the engine is told."""
        role = "system" if self.role == "developer" else self.role
        if isinstance(self.content, str):
            return ChatMessage(role=role, content=self.content)
        texts = (each.text if isinstance(each, InputText) else each.refusal for each in self.content)
        return ChatMessage(role=role, content="".join(texts))


class FunctionCallItem(ApiModel):
    """A call that the model made before."""

    type: Literal["function_call"]
    call_id: ShortText
    name: ToolName
    arguments: Annotated[str, AfterValidator(arguments_text)]
    id: ShortText | None = None
    status: Status | None = None

    @property
    def call(self) -> ToolCall:
        """As the engine is told."""
        return ToolCall(id=self.call_id, name=self.name, arguments=self.arguments)


class FunctionOutputItem(ApiModel):
    """What a function returned."""

    type: Literal["function_call_output"]
    call_id: ShortText
    output: str | list[InputText]
    id: ShortText | None = None
    status: Status | None = None

    @property
    def message(self) -> ChatMessage:
        """As the engine is told."""
        text = self.output if isinstance(self.output, str) else "".join(each.text for each in self.output)
        return ChatMessage(role="tool", content=text, tool_call_id=self.call_id)


class ReasoningItem(ApiModel):
    """Earlier thoughts; models are not shown them again."""

    type: Literal["reasoning"]
    summary: list[Any] = Field(default_factory=list)
    content: list[Any] | None = None
    encrypted_content: str | None = None
    id: ShortText | None = None
    status: Status | None = None


def _kind(item: Any) -> Any:
    """A message need not say that it is one."""
    return item.get("type", "message") if isinstance(item, dict) else getattr(item, "type", None)


Item = Annotated[
    Annotated[MessageItem, Tag("message")]
    | Annotated[FunctionCallItem, Tag("function_call")]
    | Annotated[FunctionOutputItem, Tag("function_call_output")]
    | Annotated[ReasoningItem, Tag("reasoning")],
    Discriminator(_kind),
]


def messages_of(items: list[Item]) -> list[ChatMessage]:
    """The chat. Calls belong to the assistant's message in front of them. Raises `ValueError` for a stray output."""
    messages: list[ChatMessage] = []
    known: set[str] = set()
    for item in items:
        match item:
            case FunctionCallItem():
                known.add(item.call_id)
                called = messages.pop() if messages and messages[-1].role == "assistant" else None
                text, calls = (called.content, called.tool_calls) if called else ("", ())
                messages.append(ChatMessage(role="assistant", content=text, tool_calls=(*calls, item.call)))
            case FunctionOutputItem():
                if item.call_id not in known:
                    raise ValueError(f"no function_call in front of the output of {item.call_id!r}")
                messages.append(item.message)
            case MessageItem():
                messages.append(item.message)
    return messages
