"""One request on its way through the engine."""

from collections.abc import Callable
from dataclasses import replace

from bot.engine.constraint import Constraint
from bot.engine.prompt_reader import ReadPrompt
from bot.engine.sampler import Sampler
from bot.engine.slots import Slot
from bot.errors import InvalidRequestError
from bot.generation import Generation
from bot.messages import FinishReason, ReplyFacts, Timings, Usage
from bot.request import GenerationRequest, TokenLogprob

_UNLIMITED = 1 << 30


class Sequence:
    """State of a submitted request. Belongs to the engine's thread, apart from `cancelled`."""

    def __init__(
        self,
        *,
        request: GenerationRequest,
        generation: Generation,
        prompt: ReadPrompt,
        default_seed: int | None,
        submitted_at: float,
        clock: Callable[[], float],
    ) -> None:
        """`submitted_at` is a reading of `clock` in seconds."""
        self.request = request
        self.sampling = request.sampling
        if self.sampling.seed is None:
            self.sampling = replace(self.sampling, seed=default_seed)
        self.generation = generation
        self.text = prompt.text
        self.prompt_tokens = prompt.prompt_tokens
        self.writer = prompt.writer
        self.constraint = prompt.constraint
        self.thought_tokens = prompt.thought_tokens
        """Tokens with which the model may open a thought in front of what the constraint demands."""
        self.lookup = prompt.lookup
        self.draft: list[int] = []
        """Guessed tokens that are evaluated behind those of the log, and verified in the same step."""
        self.foreseen = 0
        """Tokens in the log behind the prompt with which the reply is certain to begin; it is still to be written."""
        self.prompt_bytes = 0
        """Where in the log's text the reply begins."""
        self.logprobs: list[TokenLogprob] = []
        """Of the tokens whose text was not shown yet."""
        self.max_tokens = 0
        self.position: int | None = None
        """Where it stood in the line when its reader last heard of it. Belongs to the event loop."""
        self.slot: Slot | None = None
        self._sampler: Sampler | None = None
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
    def holding(self) -> Slot:
        """The sequence that was given to the request, which must be running."""
        if self.slot is None:
            raise RuntimeError("a request that does not run has no sequence")
        return self.slot

    @property
    def sampler(self) -> Sampler:
        """How its tokens are chosen, once it is prepared."""
        if self._sampler is None:
            raise RuntimeError("a request that is not prepared has no sampler")
        return self._sampler

    @property
    def active_constraint(self) -> Constraint | None:
        """What the next token must obey."""
        return None if self.writer.thinking else self.constraint

    @property
    def wants_logprobs(self) -> bool:
        """Whether the next token's probability is to be reported; those of thoughts are not."""
        return self.request.logprobs is not None and not self.writer.thinking

    @property
    def room(self) -> int:
        """Tokens that the reply may still have."""
        return self.max_tokens - self.completion_tokens

    @property
    def begins_for_certain(self) -> bool:
        """Whether nothing comes in front of what the constraint demands."""
        return self.active_constraint is not None and not self.active_constraint.begun and not self.thought_tokens

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
        if self.request.beginning_only:
            return 0
        return self.request.max_tokens if self.request.max_tokens is not None else _UNLIMITED

    def admitted(self, slot: Slot) -> None:
        """A sequence was given to the request."""
        self.slot = slot
        self._admitted_at = self._clock()

    def prepare(self, *, cached_tokens: int, n_ctx: int, sampler: Sampler) -> None:
        """The prompt is in the sequence's log, `cached_tokens` of it evaluated. `sampler` becomes the request's own.

        Raises `InvalidRequestError` where there is not enough room for a reply that must be complete.
        """
        self._sampler = sampler
        self.cached_tokens = cached_tokens
        self.prompt_tokens = len(self.holding.log)
        self.prompt_bytes = len(self.holding.log.text)
        self.max_tokens = min(self.most_tokens, n_ctx - self.prompt_tokens)
        least = self.constraint.least_tokens if self.constraint is not None else 0
        if least > self.max_tokens:
            raise InvalidRequestError(
                f"The answer needs at least {least} tokens, and there is room for {self.max_tokens}."
            )
        self.prepared = True

    def released(self) -> None:
        """Its sequence was taken away, at the end."""
        if self._sampler is not None:
            self._sampler.close()
            self._sampler = None
        self.slot = None

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
