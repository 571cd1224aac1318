"""Writes one response, whole or as the events of a stream."""

import time
import uuid
from collections.abc import Iterator
from typing import Any, Literal

from adapters.web.api_error import ApiError
from adapters.web.event_stream import event
from adapters.web.v1.response_object import (
    IncompleteDetails,
    InputTokensDetails,
    Object,
    ResponseObject,
    ResponseUsage,
)
from adapters.web.v1.response_request import ResponseRequest
from bot.messages import Usage
from bot.request import GenerationDelta, GenerationDone, GenerationEvent, GenerationToolCall, ToolCall

Kind = Literal["reasoning", "message"]
_TEXT = {"message": "output_text", "reasoning": "reasoning_text"}


class ResponseAnswer:
    """One response. Each event changes it, and is told to the client as OpenAI's streams do."""

    def __init__(self, request: ResponseRequest, *, model: str) -> None:
        self._request = request
        self._output: list[Object] = []
        self._open: Kind | None = None
        self._text = ""
        self._number = 0
        dumped = request.model_dump(by_alias=True, exclude_none=True, include={"tools", "tool_choice", "text"})
        self._object = ResponseObject(
            id=f"resp_{uuid.uuid4().hex}",
            object="response",
            created_at=int(time.time()),
            status="in_progress",
            error=None,
            incomplete_details=None,
            instructions=request.instructions,
            max_output_tokens=request.max_output_tokens,
            model=model,
            output=[],
            parallel_tool_calls=request.parallel_tool_calls is not False,
            previous_response_id=None,
            reasoning={"effort": request.reasoning.effort if request.reasoning else None, "summary": None},
            store=False,
            temperature=request.temperature,
            text=dumped.get("text") or {"format": {"type": "text"}},
            tool_choice=dumped.get("tool_choice", "auto"),
            tools=dumped.get("tools", []),
            top_p=request.top_p,
            truncation="disabled",
            usage=None,
            metadata=request.metadata or {},
        )

    def whole(self, done: GenerationDone) -> ResponseObject:
        """The finished response."""
        for delta in (GenerationDelta(text=done.reasoning, reasoning=True), GenerationDelta(text=done.text)):
            if delta.text:
                list(self.events(delta))
        for index, call in enumerate(done.tool_calls):
            list(self.events(GenerationToolCall(index=index, call=call)))
        list(self.events(done))
        return self._object

    def begin(self) -> Iterator[bytes]:
        """The first events of a stream."""
        yield self._event("response.created", response=self._object)
        yield self._event("response.in_progress", response=self._object)

    def failed(self, error: ApiError) -> bytes:
        """The last event of a stream that fails."""
        self._object["status"] = "failed"
        self._object["error"] = {"code": "server_error", "message": error.message}
        return self._event("response.failed", response=self._object)

    def events(self, each: GenerationEvent) -> Iterator[bytes]:
        """What a stream tells of an event."""
        match each:
            case GenerationDelta() if each.text:
                yield from self._write("reasoning" if each.reasoning else "message", each.text)
            case GenerationToolCall():
                yield from self._close()
                yield from self._call(each.call)
            case GenerationDone():
                yield from self._finish(each)

    def _write(self, kind: Kind, text: str) -> Iterator[bytes]:
        if self._open != kind:
            yield from self._close()
            self._open, self._text = kind, ""
            self._output.append(self._item(kind, "in_progress"))
            yield self._event("response.output_item.added", item=self._output[-1])
            yield self._event("response.content_part.added", part=self._part(kind), **self._place)
        self._text += text
        more: Object = {"logprobs": []} if kind == "message" else {}
        yield self._event(f"response.{_TEXT[kind]}.delta", delta=text, **self._place, **more)

    def _close(self) -> Iterator[bytes]:
        kind, self._open = self._open, None
        if kind is None:
            return
        more: Object = {"logprobs": []} if kind == "message" else {}
        yield self._event(f"response.{_TEXT[kind]}.done", text=self._text, **self._place, **more)
        yield self._event("response.content_part.done", part=self._part(kind), **self._place)
        self._output[-1] = {**self._item(kind, "completed"), "id": self._output[-1]["id"]}
        self._output[-1]["content"] = [self._part(kind)]
        yield self._event("response.output_item.done", item=self._output[-1])

    def _call(self, call: ToolCall) -> Iterator[bytes]:
        item: Object = {
            "id": f"fc_{uuid.uuid4().hex}",
            "type": "function_call",
            "status": "in_progress",
            "call_id": call.id,
            "name": call.name,
            "arguments": "",
        }
        self._output.append(item)
        yield self._event("response.output_item.added", item=item)
        place = {"item_id": item["id"]}
        yield self._event("response.function_call_arguments.delta", delta=call.arguments, **place)
        yield self._event("response.function_call_arguments.done", name=call.name, arguments=call.arguments, **place)
        self._output[-1] = {**item, "status": "completed", "arguments": call.arguments}
        yield self._event("response.output_item.done", item=self._output[-1])

    def _finish(self, done: GenerationDone) -> Iterator[bytes]:
        yield from self._close()
        cut = done.finish_reason == "length"
        self._object["status"] = "incomplete" if cut else "completed"
        self._object["incomplete_details"] = IncompleteDetails(reason="max_output_tokens") if cut else None
        self._object["output"] = self._output
        self._object["usage"] = _usage(done.facts.usage)
        yield self._event("response.incomplete" if cut else "response.completed", response=self._object)

    @property
    def _place(self) -> Object:
        return {"item_id": self._output[-1]["id"], "content_index": 0}

    def _part(self, kind: Kind) -> Object:
        more: Object = {"annotations": [], "logprobs": []} if kind == "message" else {}
        return {"type": _TEXT[kind], "text": self._text, **more}

    @staticmethod
    def _item(kind: Kind, status: str) -> Object:
        prefix = "msg" if kind == "message" else "rs"
        more: Object = {"role": "assistant"} if kind == "message" else {"summary": []}
        return {"id": f"{prefix}_{uuid.uuid4().hex}", "type": kind, "status": status, "content": [], **more}

    def _event(self, kind: str, **fields: Any) -> bytes:
        number, self._number = self._number, self._number + 1
        place = {} if "response" in fields else {"output_index": len(self._output) - 1}
        return event({"type": kind, "sequence_number": number, **place, **fields}, kind)


def _usage(usage: Usage) -> ResponseUsage:
    return ResponseUsage(
        input_tokens=usage.prompt_tokens,
        input_tokens_details=InputTokensDetails(cached_tokens=usage.cached_tokens),
        output_tokens=usage.completion_tokens,
        output_tokens_details={"reasoning_tokens": 0},
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
    )
