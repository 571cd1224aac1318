"""Writes the answers to one chat completion."""

import time
import uuid
from collections.abc import Sequence

from adapters.web.v1.chat_completion import (
    ChatCompletion,
    ChatCompletionChunk,
    ChoiceObject,
    ChunkChoiceObject,
    DeltaObject,
    FinishReasonName,
    FunctionObject,
    LogprobObject,
    LogprobsObject,
    MessageObject,
    ToolCallObject,
    TopLogprobObject,
)
from adapters.web.v1.choices import Outcome
from adapters.web.v1.usage import timings_of, usage_of
from bot import __version__
from bot.request import GenerationDelta, GenerationDone, GenerationEvent, GenerationToolCall, TokenLogprob, ToolCall

FINGERPRINT = f"hearthbot-{__version__}"


class ChatAnswer:
    """One answer, whole or in chunks."""

    def __init__(self, *, model: str, wants_logprobs: bool, wants_usage: bool) -> None:
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._model = model
        self._wants_logprobs = wants_logprobs
        self._wants_usage = wants_usage
        self._begun: set[int] = set()

    def whole(self, outcomes: Sequence[Outcome]) -> ChatCompletion:
        """The finished answer."""
        facts = [each.facts for each in outcomes]
        return ChatCompletion(
            id=self._id,
            object="chat.completion",
            created=self._created,
            model=self._model,
            system_fingerprint=FINGERPRINT,
            choices=[
                ChoiceObject(
                    index=index,
                    message=_message(each.done),
                    logprobs=_logprobs(each.logprobs) if self._wants_logprobs else None,
                    finish_reason=finish_reason(each.done),
                )
                for index, each in enumerate(outcomes)
            ],
            usage=usage_of(facts),
            timings=timings_of(facts[0]),
        )

    def piece(self, index: int, event: GenerationEvent) -> ChatCompletionChunk | None:
        """A piece of a stream; None for an event that has nothing for the client."""
        match event:
            case GenerationDelta():
                delta: DeltaObject = {"reasoning_content": event.text} if event.reasoning else {"content": event.text}
                logprobs = event.logprobs if self._wants_logprobs and not event.reasoning else ()
                return self._chunk(index, delta, logprobs=logprobs)
            case GenerationToolCall():
                return self._chunk(index, {"tool_calls": [_call(event.call, event.index)]})
            case GenerationDone():
                chunk = self._chunk(index, {}, finish=finish_reason(event))
                chunk["timings"] = timings_of(event.facts)
                return chunk
            case _:
                return None

    def usage_piece(self, done: Sequence[GenerationDone]) -> ChatCompletionChunk:
        """The last piece of a stream, where the client wants the usage."""
        chunk = self._frame([])
        chunk["usage"] = usage_of([each.facts for each in done])
        return chunk

    def _chunk(
        self,
        index: int,
        delta: DeltaObject,
        *,
        logprobs: Sequence[TokenLogprob] = (),
        finish: FinishReasonName | None = None,
    ) -> ChatCompletionChunk:
        if index not in self._begun:
            self._begun.add(index)
            delta = {"role": "assistant", **delta}
        return self._frame(
            [
                ChunkChoiceObject(
                    index=index,
                    delta=delta,
                    logprobs=_logprobs(logprobs) if logprobs else None,
                    finish_reason=finish,
                )
            ]
        )

    def _frame(self, choices: list[ChunkChoiceObject]) -> ChatCompletionChunk:
        chunk = ChatCompletionChunk(
            id=self._id,
            object="chat.completion.chunk",
            created=self._created,
            model=self._model,
            system_fingerprint=FINGERPRINT,
            choices=choices,
        )
        if self._wants_usage:
            chunk["usage"] = None
        return chunk


def finish_reason(done: GenerationDone) -> FinishReasonName:
    """As the API calls it; a cancelled one has no answer."""
    return "stop" if done.finish_reason == "cancelled" else done.finish_reason


def token_text(token: TokenLogprob) -> str:
    """A token as text; what is a part of a character shows as a replacement."""
    return token.token.decode("utf-8", "replace")


def _message(done: GenerationDone) -> MessageObject:
    message = MessageObject(role="assistant", content=done.text or (None if done.tool_calls else ""), refusal=None)
    if done.reasoning:
        message["reasoning_content"] = done.reasoning
    if done.tool_calls:
        message["tool_calls"] = [_call(each) for each in done.tool_calls]
    return message


def _call(call: ToolCall, index: int | None = None) -> ToolCallObject:
    made = ToolCallObject(
        id=call.id, type="function", function=FunctionObject(name=call.name, arguments=call.arguments)
    )
    return made if index is None else {"index": index, **made}


def _logprobs(tokens: Sequence[TokenLogprob]) -> LogprobsObject:
    return LogprobsObject(
        content=[LogprobObject(**_top(each), top_logprobs=[_top(other) for other in each.top]) for each in tokens],
        refusal=None,
    )


def _top(token: TokenLogprob) -> TopLogprobObject:
    return TopLogprobObject(token=token_text(token), logprob=token.logprob, bytes=list(token.token))
