"""Counts what the engine did."""

from collections.abc import Callable

from bot.engine.loaded_model import LoadedModel
from bot.engine.sequence import Sequence
from bot.figures import EngineFigures, RequestFigures, RequestState
from bot.messages import ReplyFacts
from bot.request import GenerationDone, GenerationEvent, GenerationFailed


class Ledger:
    """Outlives the models that are loaded. Belongs to the event loop."""

    def __init__(self, observe: Callable[[ReplyFacts], None]) -> None:
        """`observe` gets the facts of each reply."""
        self._observe = observe
        self._ttft_ms = 0.0
        self._replies = self._failures = self._cache_hits = 0
        self._prompt_tokens = self._cached_tokens = self._completion_tokens = 0

    def count(self, event: GenerationEvent) -> None:
        """Take note of the end of a request."""
        if isinstance(event, GenerationFailed):
            self._failures += 1
        if isinstance(event, GenerationDone):
            usage = event.facts.usage
            self._replies += 1
            self._cache_hits += usage.cached_tokens > 0
            self._prompt_tokens += usage.prompt_tokens
            self._cached_tokens += usage.cached_tokens
            self._ttft_ms += event.facts.timings.ttft_ms
            self._completion_tokens += usage.completion_tokens
            self._observe(event.facts)

    def figures(self, model: LoadedModel | None) -> EngineFigures:
        """Everything as of now; without a model nothing is measured or kept."""
        chunks = model.scheduler.chunks if model else None
        store = model.store if model else None
        return EngineFigures(
            prefill_tokens_per_s=chunks.prefill_tokens_per_s if chunks else None,
            decode_tokens_per_s=chunks.decode_tokens_per_s if chunks else None,
            kv_ram_bytes=store.ram_used if store else 0,
            kv_disk_bytes=store.disk_used if store else 0,
            kv_entries=store.entries if store else 0,
            replies=self._replies,
            failures=self._failures,
            prompt_tokens=self._prompt_tokens,
            cached_tokens=self._cached_tokens,
            cache_hits=self._cache_hits,
            completion_tokens=self._completion_tokens,
            ttft_ms=self._ttft_ms,
        )


def request_figures(request_id: int, sequence: Sequence) -> RequestFigures:
    """One request, as the event loop sees it while the inference thread works on it."""
    state: RequestState = "waiting" if sequence.slot is None else "writing" if sequence.decoding else "reading"
    return RequestFigures(
        request_id=request_id,
        user=sequence.user,
        conversation=sequence.request.conversation,
        state=state,
        position=sequence.position if state == "waiting" else None,
        prompt_tokens=sequence.prompt_tokens,
        completion_tokens=sequence.completion_tokens,
    )
