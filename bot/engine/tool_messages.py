"""Messages about function calls, as chat templates want them and for templates that know none."""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from bot.engine.tool_format import HERMES
from bot.errors import InvalidRequestError
from bot.request import ChatMessage, ToolSpec

_ID_LENGTH = 9  # what Mistral's templates insist on
_DESCRIPTION = """\
You can call functions. Their signatures, one a line, are JSON Schemas:
<tools>
{tools}
</tools>
To call one, write its name and arguments as JSON between tags, and nothing else:
{example}
The result comes back between <tool_response> tags. Call a function only where it helps; otherwise answer yourself."""


def described(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Functions in the form of https://huggingface.co/docs/transformers/chat_extras, which templates print."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": {"type": "object", "properties": {}, **tool.parameters},
            },
        }
        for tool in tools
    ]


def native(
    message: ChatMessage, names: dict[str, str], *, clean: Callable[[str], str], as_text: bool
) -> dict[str, Any]:
    """A call or a result for a template that knows tools. `names` tells ids' functions, and learns new ones."""
    if message.role == "tool":
        name = names.get(message.tool_call_id, "")
        return {"role": "tool", "name": name, "tool_call_id": _id(message.tool_call_id), "content": message.content}
    calls = []
    for call in message.tool_calls:
        names[call.id] = call.name
        arguments = clean(call.arguments)
        value: Any = arguments if as_text else _object(arguments)
        calls.append(
            {"id": _id(call.id), "type": "function", "function": {"name": clean(call.name), "arguments": value}}
        )
    return {"role": "assistant", "content": message.content, "tool_calls": calls}


def generic(messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> list[ChatMessage]:
    """The same conversation for a template that knows no tools: everything becomes text."""
    plain = [_as_text(message) for message in messages]
    if not tools:
        return plain
    text = _DESCRIPTION.format(
        tools="\n".join(json.dumps(each["function"], ensure_ascii=False) for each in described(tools)),
        example=f'{HERMES.begin}\n{{"name": "NAME", "arguments": {{"ARGUMENT": VALUE}}}}\n{HERMES.end}',
    )
    if plain and plain[0].role == "system":
        first = ChatMessage(role="system", content=f"{plain[0].content}\n\n{text}")
        return [first, *plain[1:]]
    return [ChatMessage(role="system", content=text), *plain]


def _as_text(message: ChatMessage) -> ChatMessage:
    if message.role == "tool":
        return ChatMessage(role="user", content=f"<tool_response>\n{message.content}\n</tool_response>")
    if message.tool_calls:
        calls = (HERMES.written(call.name, _object(call.arguments)) for call in message.tool_calls)
        return ChatMessage(role="assistant", content="\n".join(filter(None, (message.content, *calls))))
    return message


def _object(arguments: str) -> dict[str, Any]:
    try:
        value = json.loads(arguments or "{}")
    except ValueError as error:
        raise InvalidRequestError("The arguments of a tool call are not JSON.", repr(error)) from error
    if not isinstance(value, dict):
        raise InvalidRequestError("The arguments of a tool call are not a JSON object.")
    return value


def _id(call_id: str) -> str:
    if len(call_id) == _ID_LENGTH and call_id.isalnum():
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:_ID_LENGTH]
