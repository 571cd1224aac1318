"""One request on its way through the engine."""

from collections.abc import Callable
from dataclasses import replace

from bot.engine.reply_writer import ReplyWriter
from bot.engine.sampler import Sampler
from bot.engine.slots import Slot
from bot.generation import Generation
from bot.messages import FinishReason, ReplyFacts, Timings, Usage
from bot.request import GenerationRequest

_UNLIMITED = 1 << 30


class Sequence:
    """State of a submitted request. Belongs to the engine's thread, apart from `cancelled`."""

    def __init__(
        self,
        *,
        request: GenerationRequest,
        generation: Generation,
        text: bytes,
        prompt_tokens: int,
        writer: ReplyWriter,
        default_seed: int | None,
        submitted_at: float,
        clock: Callable[[], float],
    ) -> None:
        """`text` is the rendered prompt, `submitted_at` a reading of `clock` in seconds."""
        self.request = request
        self.sampling = request.sampling
        if self.sampling.seed is None:
            self.sampling = replace(self.sampling, seed=default_seed)
        self.generation = generation
        self.text = text
        self.prompt_tokens = prompt_tokens
        self.writer = writer
        self.max_tokens = 0
        self.slot: Slot | None = None
        self.sampler: Sampler | None = None
        self.cached_tokens = 0
        self.completion_tokens = 0
        self.prepared = False
        """Whether the sequence's log holds the prompt."""
        self._clock = clock
        self._submitted_at = submitted_at
        self._admitted_at: float | None = None
        self._first_token_at: float | None = None
        self._last_token_at: float | None = None

    @property
    def user(self) -> str:
        """Whose request it is."""
        return self.request.user

    @property
    def decoding(self) -> bool:
        """Whether the prompt is evaluated and the reply is being written."""
        return self._first_token_at is not None

    @property
    def pending(self) -> int:
        """Tokens in the log that are not evaluated yet."""
        return len(self.slot.log) - self.slot.evaluated if self.slot else 0

    @property
    def unread(self) -> int:
        """Prompt tokens that are still to be evaluated, before anything of the cache is known: all of them."""
        if self.decoding:
            return 0
        return self.pending if self.prepared else self.prompt_tokens

    @property
    def most_tokens(self) -> int:
        """How long the reply may become, as far as the request limits it."""
        return self.request.max_tokens if self.request.max_tokens is not None else _UNLIMITED

    def admitted(self, slot: Slot) -> None:
        """A sequence was given to the request."""
        self.slot = slot
        self._admitted_at = self._clock()

    def count_token(self) -> None:
        """A token of the reply was chosen."""
        self.completion_tokens += 1
        self._last_token_at = self._clock()
        if self._first_token_at is None:
            self._first_token_at = self._last_token_at

    def facts(self, finish_reason: FinishReason) -> ReplyFacts:
        """What is known of the request now that it ends."""
        now = self._clock()
        admitted = self._admitted_at or now
        first = self._first_token_at or now
        last = self._last_token_at or first
        return ReplyFacts(
            finish_reason=finish_reason,
            usage=Usage(
                prompt_tokens=self.prompt_tokens,
                cached_tokens=self.cached_tokens,
                completion_tokens=self.completion_tokens,
            ),
            timings=Timings(
                queue_ms=(admitted - self._submitted_at) * 1000,
                prefill_ms=(first - admitted) * 1000,
                ttft_ms=(first - self._submitted_at) * 1000,
                decode_ms=(last - first) * 1000,
            ),
        )
