"""A scripted model, for tests of the layers above the engine."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bot.errors import EngineLostError, PromptTooLongError, RequestError
from bot.figures import EngineFigures, RequestFigures
from bot.generation import Generation
from bot.messages import FinishReason, ReplyFacts, Timings, Usage
from bot.request import (
    ChatMessage,
    EngineStatus,
    GenerationDelta,
    GenerationDone,
    GenerationFailed,
    GenerationLoading,
    GenerationRequest,
    GenerationToolCall,
    TokenLogprob,
    ToolCall,
)
from bot.settings import ReasoningMode


@dataclass(slots=True, kw_only=True, eq=False)
class ScriptedReply:
    """What the model will say once, and how it goes."""

    pieces: tuple[str, ...]
    thoughts: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    """Follow the pieces."""
    logprobs: tuple[TokenLogprob, ...] = ()
    """One for each piece, where the request asks for them."""
    finish_reason: FinishReason = "stop"
    error: RequestError | EngineLostError | None = None
    """Ends the reply after its pieces."""
    refusal: Exception | None = None
    """Raised by `submit`."""
    loading: bool = False
    """The model has to be loaded first."""
    pace: Callable[[], Awaitable[None]] | None = None
    """Waited for before each piece."""
    written: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when every piece was written."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    """The end is not reached before this is set."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let a held reply end."""
        self.released.set()


class ScriptedEngine:
    """Says what was enqueued, in order; then what `answer` makes of the request. A token is a word here.

    `history` holds every request, `counts` the size of every prompt that was counted, `forgotten` who was.
    """

    def __init__(self, *, n_ctx: int = 400) -> None:
        self.n_ctx = n_ctx
        self.history: list[GenerationRequest] = []
        self.counts: list[int] = []
        self.forgotten: list[str] = []
        self.answer: Callable[[GenerationRequest], str] = lambda request: f"re: {_last_text(request)}"
        self.waiting = 0
        """Requests of others in the line, for `status`."""
        self.loaded = True
        self.knows_tools = False
        self.replies = self.prompt_tokens = self.cached_tokens = self.completion_tokens = 0
        self._script: list[ScriptedReply] = []
        self._running: dict[int, ScriptedReply] = {}
        self._kept: dict[str, tuple[ChatMessage, ...]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def enqueue(
        self,
        *pieces: str,
        thoughts: Sequence[str] = (),
        tool_calls: Sequence[ToolCall] = (),
        logprobs: Sequence[TokenLogprob] = (),
        finish_reason: FinishReason = "stop",
        error: RequestError | EngineLostError | None = None,
        refusal: Exception | None = None,
        loading: bool = False,
        held: bool = False,
        pace: Callable[[], Awaitable[None]] | None = None,
    ) -> ScriptedReply:
        """Script the next reply; a held one ends only when it is released or cancelled, `pace` slows it down."""
        reply = ScriptedReply(
            pieces=pieces,
            pace=pace,
            thoughts=tuple(thoughts),
            tool_calls=tuple(tool_calls),
            logprobs=tuple(logprobs),
            finish_reason=finish_reason,
            error=error,
            refusal=refusal,
            loading=loading,
        )
        if not held:
            reply.release()
        self._script.append(reply)
        return reply

    @property
    def prompts(self) -> list[list[str]]:
        """The texts of every request's messages."""
        return [[message.content for message in request.messages] for request in self.history]

    def submit(self, request: GenerationRequest) -> Generation:
        """Play the next reply."""
        self.history.append(request)
        if not self._script:
            self.enqueue(self.answer(request))
        reply = self._script.pop(0)
        if reply.refusal is not None:
            raise reply.refusal
        generation = Generation(len(self.history), self._cancel)
        self._running[generation.request_id] = reply
        task = asyncio.create_task(self._play(generation, request, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return generation

    async def count_prompt_tokens(
        self, messages: Sequence[ChatMessage], *, reasoning: ReasoningMode = "hide", continue_final: bool = False
    ) -> int:
        """Count words, and some more for each message, as a chat template does."""
        size = prompt_tokens(messages, continue_final=continue_final)
        self.counts.append(size)
        return size

    async def forget(self, users: Sequence[str]) -> None:
        """Note who it was."""
        self.forgotten += users

    def status(self) -> EngineStatus:
        """What it is playing."""
        return EngineStatus(
            model="scripted",
            loaded=self.loaded,
            running=len(self._running),
            waiting=self.waiting,
            max_parallel=2,
            n_ctx=self.n_ctx,
            knows_tools=self.knows_tools,
        )

    def figures(self) -> EngineFigures:
        """What was played so far."""
        return EngineFigures(
            prefill_tokens_per_s=None,
            decode_tokens_per_s=None,
            kv_ram_bytes=0,
            kv_disk_bytes=0,
            kv_entries=0,
            replies=self.replies,
            failures=0,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            cache_hits=0,
            completion_tokens=self.completion_tokens,
            ttft_ms=12.0 * self.replies,
        )

    def requests(self) -> list[RequestFigures]:
        """What is being played."""
        return [
            RequestFigures(
                request_id=request_id,
                user=self.history[request_id - 1].user,
                conversation=self.history[request_id - 1].conversation,
                state="writing",
                position=None,
                prompt_tokens=0,
                completion_tokens=len(reply.pieces),
            )
            for request_id, reply in self._running.items()
        ]

    def cancel(self, request_id: int) -> None:
        """Stop it."""
        self._cancel(request_id)

    async def _play(self, generation: Generation, request: GenerationRequest, reply: ScriptedReply) -> None:
        try:
            size = (
                len(request.prompt.split())
                if request.prompt is not None
                else prompt_tokens(request.messages, continue_final=request.continue_final)
            )
            if size + (request.max_tokens or 1) > self.n_ctx:
                generation.push(GenerationFailed(error=PromptTooLongError(size, self.n_ctx), text=""))
                return
            if reply.loading:
                generation.push(GenerationLoading())
            for thought in reply.thoughts:
                generation.push(GenerationDelta(text=thought, reasoning=True))
            asked = reply.logprobs if request.logprobs is not None else ()
            for index, piece in enumerate(reply.pieces):
                if reply.pace is not None:
                    await reply.pace()
                generation.push(GenerationDelta(text=piece, logprobs=asked[index : index + 1]))
            for index, call in enumerate(reply.tool_calls):
                generation.push(GenerationToolCall(index=index, call=call))
            reply.written.set()
            await _first(reply.released, reply.cancelled)
            text = "".join(reply.pieces)
            if reply.error is not None:
                generation.push(GenerationFailed(error=reply.error, text=text))
                return
            ended: FinishReason = "tool_calls" if reply.tool_calls else reply.finish_reason
            reason = "cancelled" if reply.cancelled.is_set() else ended
            facts = self._facts(request, size, text, reason)
            generation.push(
                GenerationDone(text=text, reasoning="".join(reply.thoughts), facts=facts, tool_calls=reply.tool_calls)
            )
        finally:
            del self._running[generation.request_id]

    def _cancel(self, request_id: int) -> None:
        if request_id in self._running:
            self._running[request_id].cancelled.set()

    def _facts(self, request: GenerationRequest, size: int, text: str, reason: FinishReason) -> ReplyFacts:
        """Cached is what stands at the start of this conversation's last prompt too."""
        name = request.conversation or ""
        cached = []
        for before, now in zip(self._kept.get(name, ()), request.messages, strict=False):
            if before != now:
                break
            cached.append(now)
        self._kept[name] = (*request.messages, ChatMessage(role="assistant", content=text))
        usage = Usage(
            prompt_tokens=size,
            cached_tokens=prompt_tokens(cached, continue_final=True),
            completion_tokens=len(text.split()),
        )
        self.replies += 1
        self.prompt_tokens += usage.prompt_tokens
        self.cached_tokens += usage.cached_tokens
        self.completion_tokens += usage.completion_tokens
        return ReplyFacts(
            finish_reason=reason,
            usage=usage,
            timings=Timings(queue_ms=1.0, prefill_ms=100.0, ttft_ms=110.0, decode_ms=200.0),
        )


def prompt_tokens(messages: Sequence[ChatMessage], *, continue_final: bool = False) -> int:
    """Two tokens around each message, one for each word, one to open the reply."""
    return sum(2 + len(message.content.split()) for message in messages) + (0 if continue_final else 1)


def _last_text(request: GenerationRequest) -> str:
    return request.prompt if request.prompt is not None else request.messages[-1].content


async def _first(*events: asyncio.Event) -> None:
    waits = {asyncio.ensure_future(event.wait()) for event in events}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
