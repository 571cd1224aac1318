"""Writes the answers to one text completion."""

import time
import uuid
from collections.abc import Sequence

from adapters.web.v1.chat_answer import FINGERPRINT, token_text
from adapters.web.v1.choices import Outcome
from adapters.web.v1.completion import Completion, CompletionChoice, CompletionLogprobs
from adapters.web.v1.completion_request import CompletionRequest
from adapters.web.v1.usage import UsageObject, timings_of, usage_of
from bot.request import GenerationDelta, GenerationDone, GenerationEvent, TokenLogprob


class CompletionAnswer:
    """One answer, whole or in pieces. Choice `index` continues prompt `index // n`."""

    def __init__(self, request: CompletionRequest, *, model: str) -> None:
        self._request = request
        self._model = model
        self._id = f"cmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._begun: dict[int, int] = {}
        """Characters sent so far, by choice."""

    def whole(self, outcomes: Sequence[Outcome]) -> Completion:
        """The finished answer."""
        answer = self._frame(
            [self._choice(index, each.done.text, each.logprobs, each.done) for index, each in enumerate(outcomes)]
        )
        answer["usage"] = self._usage([each.done for each in outcomes])
        answer["timings"] = timings_of(outcomes[0].facts)
        return answer

    def piece(self, index: int, event: GenerationEvent) -> Completion | None:
        """A piece of a stream; None for an event that has nothing for the client."""
        if isinstance(event, GenerationDelta):
            return self._frame([self._choice(index, event.text, event.logprobs, None)], streamed=True)
        if isinstance(event, GenerationDone):
            piece = self._frame([self._choice(index, "", (), event)], streamed=True)
            piece["timings"] = timings_of(event.facts)
            return piece
        return None

    def usage_piece(self, done: Sequence[GenerationDone]) -> Completion:
        """The last piece of a stream, where the client wants the usage."""
        piece = self._frame([])
        piece["usage"] = self._usage(done)
        return piece

    def _usage(self, done: Sequence[GenerationDone]) -> UsageObject:
        firsts = range(0, len(done), self._request.choices)
        return usage_of([each.facts for each in done], firsts)

    def _choice(
        self, index: int, text: str, logprobs: Sequence[TokenLogprob], done: GenerationDone | None
    ) -> CompletionChoice:
        if self._request.echo and index not in self._begun:
            text = self._request.prompts[index // self._request.choices] + text
        offset = self._begun.get(index, 0)
        self._begun[index] = offset + len(text)
        wanted = self._request.logprobs is not None and (logprobs or done is None or not offset)
        return CompletionChoice(
            index=index,
            text=text,
            logprobs=_logprobs(logprobs, offset) if wanted else None,
            finish_reason=None if done is None else "length" if done.finish_reason == "length" else "stop",
        )

    def _frame(self, choices: list[CompletionChoice], *, streamed: bool = False) -> Completion:
        answer = Completion(
            id=self._id,
            object="text_completion",
            created=self._created,
            model=self._model,
            system_fingerprint=FINGERPRINT,
            choices=choices,
        )
        if streamed and self._request.wants_usage:
            answer["usage"] = None
        return answer


def _logprobs(tokens: Sequence[TokenLogprob], offset: int) -> CompletionLogprobs:
    written = CompletionLogprobs(tokens=[], token_logprobs=[], top_logprobs=[], text_offset=[])
    for each in tokens:
        text = token_text(each)
        written["tokens"].append(text)
        written["token_logprobs"].append(each.logprob)
        written["top_logprobs"].append({token_text(other): other.logprob for other in each.top})
        written["text_offset"].append(offset)
        offset += len(text)
    return written
