"""What a model is told that was taught to call functions: the record is what it has to call one with."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.extraction.prompt import SEVERAL, TASK, Prompt
from bot.request import ChatMessage, GenerationDone, JsonConstraint, ToolCall, ToolSpec
from bot.schemas.schema import Schema

_RECORDS = "records"
_CALL_ID = "extracted"
_DEFINITIONS = ("$defs", "definitions")


class ToolPrompt(Prompt):
    """A call of one function, forced, in the model's own way; the same start for every text of a schema."""

    colon, comma = ": ", ", "
    around = 64
    """Tokens that a call has besides its arguments, at most."""

    def __init__(self, schema: Schema) -> None:
        self._many = schema.many
        self._tool = ToolSpec(
            name=re.sub(r"[^A-Za-z0-9_-]", "_", schema.name)[:64],
            description=schema.description or f"Write down what the text says ({schema.name}).",
            parameters=self._arguments(schema.answer),
        )
        super().__init__(schema)

    def asking(self, held: Mapping[str, Any], text: str) -> dict[str, Any]:
        """The fields of a request by which the model is held to an answer's schema."""
        return {
            "tools": (self._tool,),
            "tool_choice": "required",
            "forced_tool": self._tool.name,
            "forced_arguments": JsonConstraint(schema=self._arguments(held), always_complete=True, copied_from=text),
        }

    def answer(self, done: GenerationDone) -> str:
        """JSON text, as far as there is any."""
        if not done.tool_calls:
            return done.text
        arguments = done.tool_calls[0].arguments
        return json.dumps(json.loads(arguments)[_RECORDS], ensure_ascii=False) if self._many else arguments

    def counted(self, text: str) -> tuple[ChatMessage, ...]:
        """Messages that have no fewer tokens than the prompt for a text, the function included."""
        shown = json.dumps({"parameters": self._tool.parameters}, indent=4)
        head = f"{self._head[0].content}{self._tool.name}{self._tool.description}{shown}"
        return (ChatMessage(role="system", content=head), *self.messages(text)[1:])

    def again(self, text: str, answer: str, problem: str) -> Sequence[ChatMessage]:
        """The prompt for a second try, after an answer that is wrong."""
        arguments = f'{{"{_RECORDS}": {answer}}}' if self._many else answer
        call = ToolCall(id=_CALL_ID, name=self._tool.name, arguments=arguments)
        return (
            *self.messages(text),
            ChatMessage(role="assistant", content="", tool_calls=(call,)),
            ChatMessage(role="tool", content=self.objection(problem), tool_call_id=_CALL_ID),
        )

    def _written(self, schema: Schema) -> tuple[ChatMessage, ...]:
        """Examples are told: not every template writes calls that are followed by no result."""
        shown = [
            f"Example: the text\n{example.text}\ngives\n{json.dumps(example.value, ensure_ascii=False)}"
            for example in schema.examples
        ]
        parts = (TASK, schema.instructions, SEVERAL if schema.many else "", *shown)
        return (ChatMessage(role="system", content="\n".join(part for part in parts if part)),)

    def _arguments(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """A function's arguments are an object."""
        if not self._many:
            return answer
        shared = {key: value for key, value in answer.items() if key in _DEFINITIONS}
        records = {key: value for key, value in answer.items() if key not in _DEFINITIONS}
        form = {"type": "object", "properties": {_RECORDS: records}, "required": [_RECORDS]}
        return {**shared, **form, "additionalProperties": False}
