"""A model that costs nothing: it says the words that a message asks for, at an even pace."""

import asyncio
import itertools
import time
from collections.abc import Sequence

from bot.figures import EngineFigures, RequestFigures
from bot.generation import Generation
from bot.messages import FinishReason, ReplyFacts, Timings, Usage
from bot.request import ChatMessage, EngineStatus, GenerationDelta, GenerationDone, GenerationRequest
from bot.settings import ReasoningMode

WORDS_AT_ONCE = 4


def order(tag: str, words: int, *, at_once: bool) -> str:
    """A message that asks for a reply of so many words; it says when it was sent, where nothing else comes before."""
    return f"{tag} {words} {time.monotonic() if at_once else 0}"


def reply(tag: str, words: int) -> list[str]:
    """The words of the reply."""
    return [f"{tag}-{number}" for number in range(words)]


class PacedModel:
    """Writes every reply at the same time, `words_per_s` each. A token is a word."""

    def __init__(self, *, words_per_s: float, n_ctx: int) -> None:
        self.n_ctx = n_ctx
        self.reached_s: list[float] = []
        """From when a message was sent until its request was here; the clock is the machine's."""
        self._pause_s = WORDS_AT_ONCE / words_per_s
        self._ids = itertools.count(1)
        self._running: dict[int, asyncio.Task[None]] = {}
        self._requests: dict[int, GenerationRequest] = {}
        self._replies = self._words = 0

    def submit(self, request: GenerationRequest) -> Generation:
        """Begin to write."""
        tag, words, sent = request.messages[-1].content.split()[:3]
        if float(sent):
            self.reached_s.append(time.monotonic() - float(sent))
        generation = Generation(next(self._ids), self.cancel)
        task = asyncio.create_task(self._write(generation, request, reply(tag, int(words))))
        self._running[generation.request_id] = task
        self._requests[generation.request_id] = request
        return generation

    async def count_prompt_tokens(
        self,
        messages: Sequence[ChatMessage],
        *,
        reasoning: ReasoningMode = "hide",  # noqa: ARG002 - there is none
        continue_final: bool = False,  # noqa: ARG002 - the same size
    ) -> int:
        """Count words."""
        return sum(len(message.content.split()) for message in messages)

    async def forget(self, users: Sequence[str]) -> None:
        """Nothing is kept."""

    def status(self) -> EngineStatus:
        """Say how many replies are being written."""
        running = len(self._running)
        return EngineStatus(model="paced", running=running, waiting=0, max_parallel=running, n_ctx=self.n_ctx)

    def figures(self) -> EngineFigures:
        """What was written so far."""
        return EngineFigures(
            prefill_tokens_per_s=None,
            decode_tokens_per_s=None,
            kv_ram_bytes=0,
            kv_disk_bytes=0,
            kv_entries=0,
            replies=self._replies,
            failures=0,
            prompt_tokens=0,
            cached_tokens=0,
            cache_hits=0,
            completion_tokens=self._words,
            ttft_ms=0.0,
        )

    def requests(self) -> Sequence[RequestFigures]:
        """What is being written."""
        return [
            RequestFigures(
                request_id=request_id,
                user=request.user,
                conversation=request.conversation,
                state="writing",
                position=None,
                prompt_tokens=0,
                completion_tokens=0,
            )
            for request_id, request in self._requests.items()
        ]

    def cancel(self, request_id: int) -> None:
        """Stop a reply where it is."""
        if request_id in self._running:
            self._running[request_id].cancel()

    async def _write(self, generation: Generation, request: GenerationRequest, words: Sequence[str]) -> None:
        written: list[str] = []
        reason: FinishReason = "stop"
        try:
            for at in range(0, len(words), WORDS_AT_ONCE):
                await asyncio.sleep(self._pause_s)
                piece = words[at : at + WORDS_AT_ONCE]
                generation.push(GenerationDelta(text=" " * bool(at) + " ".join(piece)))
                written += piece
        except asyncio.CancelledError:
            reason = "cancelled"
        del self._running[generation.request_id], self._requests[generation.request_id]
        self._replies += 1
        self._words += len(written)
        size = await self.count_prompt_tokens(request.messages)
        facts = ReplyFacts(
            finish_reason=reason,
            usage=Usage(prompt_tokens=size, cached_tokens=0, completion_tokens=len(written)),
            timings=Timings(queue_ms=0, prefill_ms=1, ttft_ms=1, decode_ms=1),
        )
        generation.push(GenerationDone(text=" ".join(written), reasoning="", facts=facts))
